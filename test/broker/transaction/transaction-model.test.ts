import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  lastClientEpoch,
  type Transaction,
  type TransactionStatus,
} from '../../../src/broker/transaction/transaction.ts'
import {
  type ProducerIdentity,
  stepTransaction,
  type TransactionEvent,
} from '../../../src/broker/transaction/transaction-step.ts'

/** From which states each may be reached (org.apache.kafka.coordinator.transaction.TransactionState). */
const reachedFrom: Partial<Record<TransactionStatus, readonly TransactionStatus[]>> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  PrepareAbort: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
}

/** `who` picks one of the identities that were ever given out: most of them are somebody's from long ago. */
type Action =
  | { readonly do: 'init'; readonly who: number | undefined }
  | { readonly do: 'add' | 'commit' | 'abort'; readonly who: number }
  | { readonly do: 'markers' | 'time-out' | 'wait' }

const recent = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 5 }))
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('init' as const), who: fc.option(recent, { nil: undefined }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('add' as const, 'commit' as const, 'abort' as const), who: recent }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('markers' as const, 'markers' as const, 'time-out' as const, 'wait' as const),
    }),
  },
)

const partition = { topic: 't', partition: 0 }

class Run {
  #state: Transaction
  #nowMs = 0
  #nextProducerId = 100
  /** Given out, the last one first. */
  readonly #given: ProducerIdentity[] = []
  /** The transactions that were begun, each by its producer and epoch. */
  readonly #begun = new Set<string>()

  constructor(epoch: number) {
    this.#state = {
      status: 'Empty',
      producerId: 7,
      producerEpoch: epoch,
      previousProducerId: -1,
      nextProducerId: -1,
      lastProducerEpoch: -1,
      timeoutMs: 10,
      partitions: [],
      startedMs: -1,
      updatedMs: 0,
      clientVersion: 2,
    }
  }

  take(action: Action): void {
    if (action.do === 'wait') this.#nowMs += 20
    const event = this.#eventOf(action)
    if (event === undefined) return
    const before = this.#state
    const step = stepTransaction(before, event, this.#nowMs)
    if (step.reply === 'needs-producer-id') throw new Error('it was given one')
    if (step.next !== undefined) this.#check(before, step.next)
    if (!('error' in step.reply) && 'who' in action) this.#give(step.reply, event)
  }

  #check(before: Transaction, next: Transaction | null): void {
    if (next === null) throw new Error('nothing expires here')
    expect(reachedFrom[next.status]).toContain(before.status)
    expect(next.producerEpoch).toBeLessThanOrEqual(lastClientEpoch + 1)
    if (next.status === 'Ongoing' && before.status !== 'Ongoing') {
      // No two transactions have one producer and epoch: what is late for one cannot touch another.
      const name = `${next.producerId}/${next.producerEpoch}`
      expect(this.#begun.has(name)).toBe(false)
      this.#begun.add(name)
    }
    this.#state = next
  }

  #give(identity: ProducerIdentity, event: TransactionEvent): void {
    expect(identity.producerEpoch).toBeLessThanOrEqual(lastClientEpoch)
    const isNew = !this.#given.some((one) => isSame(one, identity))
    // Who takes the id, without saying who it was, gets what nobody has had, and everybody else is shut out.
    if (event.type === 'init' && event.expected === undefined) {
      expect(isNew).toBe(true)
      const late = this.#given.filter((one) => !isSame(one, identity))
      for (const producer of late) {
        const added = stepTransaction(
          this.#state,
          { type: 'add', ...producer, partitions: [partition], version: 2 },
          this.#nowMs,
        )
        expect(added.next).toBeUndefined()
      }
    }
    if (isNew) this.#given.unshift(identity)
  }

  #eventOf(action: Action): TransactionEvent | undefined {
    const freshProducerId = this.#nextProducerId++
    if (action.do === 'markers') return { type: 'markers-written' }
    if (!('who' in action)) return { type: 'time-out' }
    const producer = action.who === undefined ? undefined : this.#given[action.who]
    if (action.do === 'init') {
      return { type: 'init', timeoutMs: 10, freshProducerId, ...(producer && { expected: producer }) }
    }
    if (producer === undefined) return undefined
    if (action.do === 'add') return { type: 'add', ...producer, partitions: [partition], version: 2 }
    return { type: 'end', ...producer, outcome: action.do, version: 2, freshProducerId }
  }
}

function isSame(a: ProducerIdentity, b: ProducerIdentity): boolean {
  return a.producerId === b.producerId && a.producerEpoch === b.producerEpoch
}

describe('the coordinator, whatever happens in whatever order', () => {
  it("goes from state to state as Kafka's does, gives each transaction an epoch of its own, and never the last", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, lastClientEpoch - 3),
        fc.array(action, { maxLength: 80, size: 'max' }),
        (epoch, actions) => {
          const run = new Run(epoch)
          for (const action of actions) run.take(action)
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
