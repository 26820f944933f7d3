import type { FetchedBatches, OffsetCommit } from '../cluster/cluster.ts'
import { assert } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { DropReason, StreamTime } from '../topology/processor.ts'
import type { Changelog } from './changelog.ts'
import { type CommitMetadata, encodeCommitMetadata } from './commit-metadata.ts'
import type { ProcessorGraph } from './processor-graph.ts'
import { placed, type TaskInput } from './task-input.ts'

/** How many records are processed between two looks at the clock. */
const recordsPerLook = 256

export interface TaskStore {
  readonly store: StateStore
  /** Undefined where the store is not logged. */
  readonly changelog: Changelog | undefined
}

export type DropCounts = Map<string, Map<DropReason, number>>

/**
 * One sub-topology on one partition. It takes records from its inputs in order of event time and runs each through the
 * processors to the end, synchronously; it commits inputs, outputs and stores together.
 */
export class Task {
  readonly id: string
  readonly inputs: readonly TaskInput[]
  readonly drops: DropCounts
  readonly #graph: ProcessorGraph
  readonly #stores: readonly TaskStore[]
  readonly #streamTimes: ReadonlyMap<string, StreamTime>
  #recordsAtCommit = 0

  constructor(options: {
    id: string
    inputs: readonly TaskInput[]
    graph: ProcessorGraph
    stores: readonly TaskStore[]
    streamTimes: ReadonlyMap<string, StreamTime>
    drops: DropCounts
  }) {
    this.id = options.id
    this.inputs = options.inputs
    this.drops = options.drops
    this.#graph = options.graph
    this.#stores = options.stores
    this.#streamTimes = options.streamTimes
  }

  load(fetched: FetchedBatches): void {
    const input = this.inputs.find((i) => i.partition.topic === fetched.topic)
    assert(input !== undefined, `task ${this.id} was given records of one of its inputs, not of ${fetched.topic}`)
    try {
      input.load(fetched)
    } catch (error) {
      throw placed(error, placeOf(input))
    }
  }

  /**
   * Processes what is at hand until it is used up, or `isOver` says so; false where more is at hand.
   * @throws MillraceError of the record that failed, which then is still the head of its input
   */
  process(isOver: () => boolean): boolean {
    const isDone = this.inputs.length === 1 ? this.#processOne(this.inputs[0], isOver) : this.#processMerged(isOver)
    if (isDone) for (const sink of this.#graph.sinks) sink.flush()
    return isDone
  }

  get hasUncommitted(): boolean {
    return this.#recordsTaken() !== this.#recordsAtCommit
  }

  get recordsOut(): number {
    return this.#graph.sinks.reduce((sum, sink) => sum + sink.recordCount, 0)
  }

  /** Sends what outputs and stores hold. */
  prepareCommit(): void {
    for (const sink of this.#graph.sinks) sink.flush()
    for (const { store, changelog } of this.#stores) {
      store.flush(changelog ?? unlogged)
      changelog?.flush()
    }
  }

  /** What to commit once everything that `prepareCommit` sent is acknowledged. */
  commitEntries(): OffsetCommit[] {
    const metadata = encodeCommitMetadata(this.#commitMetadata())
    return this.inputs.map((input, index) => ({
      ...input.partition,
      offset: input.position,
      metadata: index === 0 ? metadata : '',
    }))
  }

  /** The commit is durable: the engines follow. */
  finishCommit(): void {
    this.#recordsAtCommit = this.#recordsTaken()
    for (const { store, changelog } of this.#stores) store.commit(changelog?.position ?? 0)
  }

  /** Lets go of everything; what was not committed is lost, and read again by the next run. */
  close(): void {
    this.#graph.close()
    for (const { store } of this.#stores) store.close()
  }

  #processOne(input: TaskInput, isOver: () => boolean): boolean {
    const output = input.output
    const record = input.record
    try {
      while (input.hasHead) {
        for (let i = 0; i < recordsPerLook && input.hasHead; i++) {
          output.process(record)
          input.advance()
        }
        if (isOver()) return !input.hasHead
      }
    } catch (error) {
      throw placed(error, placeOf(input))
    }
    return true
  }

  #processMerged(isOver: () => boolean): boolean {
    for (let count = 1; ; count++) {
      const input = this.#earliest()
      if (input === undefined) return true
      try {
        input.output.process(input.record)
        input.advance()
      } catch (error) {
        throw placed(error, placeOf(input))
      }
      if (count % recordsPerLook === 0 && isOver()) return false
    }
  }

  /** The input whose head is earliest; undefined where one has nothing at hand but the log has more, which may be earlier. */
  #earliest(): TaskInput | undefined {
    let earliest: TaskInput | undefined
    for (let i = 0; i < this.inputs.length; i++) {
      const input = this.inputs[i]
      if (!input.hasHead) {
        if (!input.isCaughtUp) return undefined
        continue
      }
      if (earliest === undefined || input.record.timestamp < earliest.record.timestamp) earliest = input
    }
    return earliest
  }

  #recordsTaken(): number {
    let sum = 0
    for (const input of this.inputs) sum += input.recordCount - (input.hasHead ? 1 : 0)
    return sum
  }

  #commitMetadata(): CommitMetadata {
    const changelogs: Record<string, number> = {}
    for (const { store, changelog } of this.#stores)
      if (changelog !== undefined) changelogs[store.name] = changelog.position
    const streamTimes: Record<string, number> = {}
    const emittedTimes: Record<string, number> = {}
    for (const [name, time] of this.#streamTimes) {
      if (time.observed >= 0) streamTimes[name] = time.observed
      if (time.emitted >= 0) emittedTimes[name] = time.emitted
    }
    const drops = Object.fromEntries(
      [...this.drops].map(([operator, counts]) => [operator, Object.fromEntries(counts)]),
    )
    return { changelogs, streamTimes, emittedTimes, drops }
  }
}

const unlogged = { append(): void {} }

function placeOf(input: TaskInput): { topic: string; partition: number; offset: number; operator: string } {
  return { ...input.partition, offset: input.record.offset, operator: input.record.operator }
}
