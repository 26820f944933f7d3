import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import { committedRecordsIn } from '../committed-records.ts'
import { recordsIn } from '../records.ts'
import {
  brokerSettings,
  group,
  inputTopic,
  outputPartitions,
  outputTopic,
  startProducer,
  topic,
  transactionalId,
  valueAt,
  valuesOf,
} from './kill-load.ts'

export interface KillRunOptions {
  /** How many times the process is started and killed. */
  readonly cycles: number
  /** Chooses when it is killed. */
  readonly seed: number
  readonly partitions?: number
}

export interface KillRunResult {
  /** Records that were acknowledged, all of which were found. */
  readonly records: number
  /** Transactions that were acknowledged, the records of all of which were found once, and no others. */
  readonly transactions: number
  /** Records that were found and had not been acknowledged when the process was killed. */
  readonly unanswered: number
  /** Processes that were killed before their broker was open. */
  readonly killedInRecovery: number
}

const programs = ['appending-process.ts', 'transacting-process.ts'].map((name) => {
  return fileURLToPath(new URL(name, import.meta.url))
})
const environment = nodeEnvironment()
/** When a process is killed: while it recovers or opens, some time after it has opened, or after it has first acknowledged something. */
type Moment = 'early' | 'opened' | 'answered'
const moments: readonly Moment[] = ['early', 'opened', 'answered', 'answered']
/** The whole log is read after so many cycles, and at the end. */
const cyclesPerCheck = 10
/** A process starts in some hundred milliseconds; kills are spread from before its broker opens to well into its load. */
const longestRunMs = 80

/** Kills a process under load again and again; throws where anything that it acknowledged is not there, once and in order. */
export async function runKills({ cycles, seed, partitions = 3 }: KillRunOptions): Promise<KillRunResult> {
  const random = new SeededRandom(seed)
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const known = new Acknowledged(partitions)
  let killedInRecovery = 0
  let unanswered = 0
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const flush = random.uint32() % 2 === 0 ? 'fsync' : 'page-cache'
    const newTopic = cycle % cyclesPerCheck === 0 ? `made-in-${cycle}` : ''
    const when = moments[Math.floor(cycle / programs.length) % moments.length] as Moment
    const delayMs = random.uint32() % longestRunMs
    const args = [programs[cycle % 2] as string, directory, flush, JSON.stringify(known.ends), newTopic]
    if (!(await killOne(args, when, delayMs, known))) killedInRecovery++
    if (cycle % cyclesPerCheck !== 0 && cycle !== cycles) continue
    const broker = await openBroker({ directory, environment, flush: 'fsync', settings: brokerSettings })
    try {
      unanswered += known.check(broker)
      await known.checkTransactions(broker)
    } finally {
      await broker.close()
    }
  }
  rmSync(directory, { recursive: true })
  const records = known.ends.reduce((sum, end) => sum + end, 0)
  return { records, transactions: known.transactions, unanswered, killedInRecovery }
}

/** Starts the process and kills it; resolves, once all that it printed was read, with whether its broker had opened. */
async function killOne(args: string[], when: Moment, delayMs: number, known: Acknowledged): Promise<boolean> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const killLater = () => setTimeout(() => child.kill('SIGKILL'), delayMs)
  if (when === 'early') setTimeout(() => child.kill('SIGKILL'), 100 + delayMs)
  let isOpen = false
  let isAnswered = false
  let rest = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() as string
    for (const line of lines) {
      if (line === 'open') {
        isOpen = true
        if (when === 'opened') killLater()
      } else {
        known.note(line)
        if (when === 'answered' && !isAnswered) killLater()
        isAnswered = true
      }
    }
  }
  const [code] = await exited
  if (code !== null) throw new Error(`the process ended by itself, with code ${code}`)
  return isOpen
}

/** What must be there. */
class Acknowledged {
  /** By partition: the offset behind the last record. */
  readonly ends: number[]
  /** How many transactions were committed. */
  transactions = 0
  readonly #topics: string[] = []
  #groupOffset: number | undefined

  constructor(partitions: number) {
    this.ends = new Array<number>(partitions).fill(0)
  }

  note(line: string): void {
    const [what, value] = line.split(' ') as [string, string]
    if (what === 'topic') this.#topics.push(value)
    else if (what === 'transaction') this.transactions = Number(value)
    else if (what === 'group') this.#groupOffset = Number(value)
    else this.ends[Number(what)] = Number(value)
  }

  /** Returns how many records are there beyond those that were acknowledged. */
  check(broker: Broker): number {
    let unanswered = 0
    for (const [partition, end] of this.ends.entries()) {
      // A process that was killed before it had made the topic acknowledged nothing.
      if (broker.topics.get(topic) === undefined && end === 0) continue
      unanswered += readAll(broker, partition) - end
      if (unanswered < 0) throw new Error(`partition ${partition} ends before ${end}, which was acknowledged`)
    }
    const missing = this.#topics.filter((name) => broker.topics.get(name) === undefined)
    if (missing.length > 0) throw new Error(`topics are gone: ${missing.join()}`)
    const committed = broker.offsets.committed(group, topic, 0)?.offset ?? 0
    if (committed < (this.#groupOffset ?? 0)) throw new Error(`the group is at ${committed}, not ${this.#groupOffset}`)
    if (broker.damages.length > 0) throw new Error(`damage was found: ${JSON.stringify(broker.damages)}`)
    return unanswered
  }

  /** Requires exactly once: the records of as many transactions as the group has committed offsets of, in order, and no others. */
  async checkTransactions(broker: Broker): Promise<void> {
    if (broker.topics.get(outputTopic) === undefined && this.transactions === 0) return
    await startProducer(broker)
    const committed = broker.offsets.committed(transactionalId, inputTopic, 0)?.offset ?? 0
    if (committed < this.transactions) throw new Error(`${committed} of ${this.transactions} transactions are there`)
    for (let partition = 0; partition < outputPartitions; partition++) {
      const log = broker.log(outputTopic, partition)
      const { lastStableOffset, logEndOffset } = log
      if (lastStableOffset !== logEndOffset) throw new Error(`${outputTopic} is undecided from ${lastStableOffset} on`)
      const found = committedRecordsIn(log, 262_144).map(({ value }) => value)
      const due = Array.from({ length: committed }, (_, transaction) => valuesOf(transaction, partition)).flat()
      const wrong = due.findIndex((value, i) => value !== found[i])
      if (wrong >= 0 || found.length !== due.length) {
        const at = wrong >= 0 ? wrong : due.length
        throw new Error(
          `readers of committed records see ${found.length} records, not ${due.length}, and '${found[at]}' where '${due[at]}' is due`,
        )
      }
    }
  }
}

/** Requires that each record is at its offset; returns how many there are. */
function readAll(broker: Broker, partition: number): number {
  const log = broker.log(topic, partition)
  const cursor = new LogCursor(log, 0, 262_144)
  let due = 0
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    for (const { offset, value } of recordsIn(bytes)) {
      if (offset !== due || value !== valueAt(partition, due)) throw new Error(`${value} at ${offset}, not ${due}`)
      due++
    }
  }
  if (due !== log.logEndOffset) throw new Error(`${due} records were read of ${log.logEndOffset}`)
  return due
}
