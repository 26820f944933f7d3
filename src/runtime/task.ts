import type { FetchedBatches, OffsetCommit, TopicPartition } from '../cluster/cluster.ts'
import { assert, MillraceError } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { DropReason, StreamTime } from '../topology/processor.ts'
import type { Changelog } from './changelog.ts'
import { closeAll } from './close-all.ts'
import { type CommitMetadata, encodeCommitMetadata } from './commit-metadata.ts'
import type { ProcessorGraph } from './processor-graph.ts'
import type { PunctuationQueue } from './punctuation-queue.ts'
import { placed, type TaskInput } from './task-input.ts'
import type { TaskOutput } from './task-output.ts'
import type { TaskServices } from './task-services.ts'

/** How many records are processed between two looks at the clock. */
const recordsPerLook = 256

export interface TaskStore {
  readonly store: StateStore
  /** Undefined where the store is not logged. */
  readonly changelog: Changelog | undefined
  /** The topic that it is restored from in place of a changelog. */
  readonly sourceTopic?: string | undefined
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
  readonly #output: TaskOutput
  readonly #graph: ProcessorGraph
  readonly #stores: readonly TaskStore[]
  readonly #streamTimes: ReadonlyMap<string, StreamTime>
  readonly #services: TaskServices
  /** Whether a punctuation ran since the last commit: it may have changed stores and written records. */
  #hasPunctuated = false
  #isPunctuating = false
  #recordsAtCommit = 0

  constructor(options: {
    id: string
    inputs: readonly TaskInput[]
    output: TaskOutput
    graph: ProcessorGraph
    stores: readonly TaskStore[]
    streamTimes: ReadonlyMap<string, StreamTime>
    services: TaskServices
    drops: DropCounts
  }) {
    this.id = options.id
    this.inputs = options.inputs
    this.drops = options.drops
    this.#output = options.output
    this.#graph = options.graph
    this.#stores = options.stores
    this.#streamTimes = options.streamTimes
    this.#services = options.services
  }

  load(fetched: FetchedBatches): void {
    const input = this.inputs.find(({ partition }) => isSame(partition, fetched))
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
    if (isDone) this.#output.flush()
    return isDone
  }

  /**
   * Processes the record at hand of one input, and sends what came of it.
   * @throws MillraceError of the record, which then is still the head of its input
   */
  processNext(input: TaskInput): void {
    this.#step(input)
    this.#output.flush()
  }

  /** Calls the punctuations of the clock on the wall that are due. */
  punctuateWallClock(): void {
    const services = this.#services
    const now = services.wallClockMs()
    if (services.wallPunctuations.nextAt > now) return
    this.#punctuate(services.wallPunctuations, now)
    this.#output.flush()
  }

  /** When the clock on the wall comes to the next punctuation, in milliseconds since 1970; infinite where there is none. */
  get nextWallPunctuationMs(): number {
    return this.#services.wallPunctuations.nextAt
  }

  get hasUncommitted(): boolean {
    return this.#hasPunctuated || this.#recordsTaken() !== this.#recordsAtCommit
  }

  /** Whether a processor asked for a commit. */
  get isCommitRequested(): boolean {
    return this.#services.isCommitRequested
  }

  get recordsIn(): number {
    return this.inputs.reduce((sum, input) => sum + input.recordCount, 0)
  }

  get recordsOut(): number {
    return this.#graph.sinks.reduce((sum, sink) => sum + sink.recordCount, 0)
  }

  /** Whether updates wait in record caches. */
  get hasWaiting(): boolean {
    return this.#graph.hasWaiting
  }

  get cachedBytes(): number {
    return this.#graph.cachedBytes
  }

  /** Hands on the updates that wait in record caches, and sends what came of them. */
  flushCaches(): void {
    this.#graph.flushCaches()
    this.#output.flush()
  }

  /** Sends what caches, outputs and stores hold. */
  prepareCommit(): void {
    this.flushCaches()
    for (const { store, changelog } of this.#stores) {
      try {
        store.flush(changelog ?? unlogged)
      } catch (error) {
        throw error instanceof MillraceError ? error.placedAt({ store: store.name }) : error
      }
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
    this.#hasPunctuated = false
    this.#services.isCommitRequested = false
    for (const { store, changelog, sourceTopic } of this.#stores) {
      store.commit(changelog?.position ?? this.#positionIn(sourceTopic))
    }
  }

  /** Lets go of everything; what was not committed is lost, and read again by the next run. */
  close(): void {
    closeAll([this.#graph, ...this.#stores.map(({ store }) => store)])
  }

  /** Lets go of the processors alone. */
  closeProcessors(): void {
    this.#graph.close()
  }

  #processOne(input: TaskInput, isOver: () => boolean): boolean {
    const output = input.output
    const record = input.record
    const services = this.#services
    const { streamPunctuations } = services
    try {
      while (input.hasHead) {
        for (let i = 0; i < recordsPerLook && input.hasHead; i++) {
          if (record.timestamp > services.streamTimeMs) services.streamTimeMs = record.timestamp
          output.process(record)
          input.advance()
          if (services.streamTimeMs >= streamPunctuations.nextAt)
            this.#punctuate(streamPunctuations, services.streamTimeMs)
        }
        if (isOver()) return !input.hasHead
      }
    } catch (error) {
      // A punctuation that threw has said where; the input's head has nothing to do with it.
      throw this.#isPunctuating ? error : placed(error, placeOf(input))
    }
    return true
  }

  #processMerged(isOver: () => boolean): boolean {
    for (let count = 1; ; count++) {
      const input = this.#earliest()
      if (input === undefined) return true
      this.#step(input)
      if (count % recordsPerLook === 0 && isOver()) return false
    }
  }

  #step(input: TaskInput): void {
    const services = this.#services
    const { timestamp } = input.record
    if (timestamp > services.streamTimeMs) services.streamTimeMs = timestamp
    try {
      input.output.process(input.record)
      input.advance()
    } catch (error) {
      throw placed(error, placeOf(input))
    }
    if (services.streamTimeMs >= services.streamPunctuations.nextAt) {
      this.#punctuate(services.streamPunctuations, services.streamTimeMs)
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

  #punctuate(queue: PunctuationQueue, timeMs: number): void {
    this.#hasPunctuated = true
    this.#isPunctuating = true
    queue.punctuate(timeMs)
    this.#isPunctuating = false
  }

  #recordsTaken(): number {
    let sum = 0
    for (const input of this.inputs) sum += input.recordCount - (input.hasHead ? 1 : 0)
    return sum
  }

  #positionIn(topic: string | undefined): number {
    if (topic === undefined) return 0
    return this.inputs.find(({ partition }) => partition.topic === topic)?.position ?? 0
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
    const partitionTimes: Record<string, number> = {}
    for (const { partition, partitionTimeMs } of this.inputs) {
      if (partitionTimeMs >= 0) partitionTimes[partition.topic] = partitionTimeMs
    }
    const sourced = this.#stores.flatMap(({ store, sourceTopic }) => (sourceTopic === undefined ? [] : [store.name]))
    return { changelogs, sourced, streamTimes, emittedTimes, partitionTimes, drops }
  }
}

const unlogged = { append(): void {} }

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition
}

function placeOf(input: TaskInput): { topic: string; partition: number; offset: number; operator: string } {
  return { ...input.partition, offset: input.record.offset, operator: input.record.operator }
}
