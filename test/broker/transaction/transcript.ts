import type {
  Transaction,
  TransactionPartition,
  TransactionVersion,
} from '../../../src/broker/transaction/transaction.ts'
import { stepTransaction, type TransactionEvent } from '../../../src/broker/transaction/transaction-step.ts'

/**
 * Plays commands to the coordinator's step function, one a line, and writes behind each what it answers and what it logs:
 *
 *     init [timeout=MS] [as=PRODUCER/EPOCH]
 *     add PARTITIONS by=PRODUCER/EPOCH [v1]
 *     commit by=PRODUCER/EPOCH [v1]        abort by=PRODUCER/EPOCH [v1]
 *     markers                              wait MS
 *     time-out                             expire after=MS
 *
 * Fresh producer ids are 100, 101, 102...
 */
export function transcript(text: string, start?: Transaction): string {
  const player = new Player(start)
  const lines = text.split('\n').map((line) => line.replace(/->.*/, '').trim())
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line.padEnd(28)} -> ${player.play(line)}`)
    .join('\n')
}

class Player {
  #state: Transaction | undefined
  #nowMs = 1_000
  #nextProducerId = 100

  constructor(start: Transaction | undefined) {
    this.#state = start
  }

  play(line: string): string {
    const [command = '', ...words] = line.split(/\s+/)
    if (command === 'wait') {
      this.#nowMs += Number(words[0])
      return `it is ${this.#nowMs}`
    }
    return this.#happen(eventOf(command, words))
  }

  #happen(event: TransactionEvent): string {
    const step = stepTransaction(this.#state, event, this.#nowMs)
    if (step.reply === 'needs-producer-id') {
      return this.#happen({ ...event, freshProducerId: this.#nextProducerId++ } as TransactionEvent)
    }
    const reply = 'error' in step.reply ? step.reply.error : `${step.reply.producerId}/${step.reply.producerEpoch}`
    if (step.next === undefined) return reply
    this.#state = step.next ?? undefined
    return `${reply} | ${step.next === null ? 'forgotten' : described(step.next)}`
  }
}

function eventOf(command: string, words: readonly string[]): TransactionEvent {
  const options = new Map(words.map((word) => word.split('=') as [string, string]))
  const producer = (name: string) => {
    const [producerId, producerEpoch] = (options.get(name) ?? '').split('/').map(Number)
    return { producerId: producerId as number, producerEpoch: producerEpoch as number }
  }
  const version: TransactionVersion = options.has('v1') ? 1 : 2
  if (command === 'init') {
    const timeoutMs = Number(options.get('timeout') ?? 60_000)
    return { type: 'init', timeoutMs, ...(options.has('as') && { expected: producer('as') }) }
  }
  if (command === 'add') return { type: 'add', ...producer('by'), version, partitions: partitionsOf(words[0] ?? '') }
  if (command === 'commit' || command === 'abort') return { type: 'end', outcome: command, ...producer('by'), version }
  if (command === 'markers') return { type: 'markers-written' }
  if (command === 'time-out') return { type: 'time-out' }
  if (command === 'expire') return { type: 'expire', expirationMs: Number(options.get('after')) }
  throw new Error(`there is no command '${command}'`)
}

function partitionsOf(text: string): TransactionPartition[] {
  return text.split(',').map((name) => {
    const [topic = '', partition] = name.split('-')
    return { topic, partition: Number(partition) }
  })
}

function described(state: Transaction): string {
  const { status, producerId, producerEpoch, nextProducerId, partitions } = state
  const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`)
  const next = nextProducerId < 0 ? '' : `, then ${nextProducerId}/0`
  return `${status} ${producerId}/${producerEpoch}${next}${names.length === 0 ? '' : ` {${names.join(' ')}}`}`
}
