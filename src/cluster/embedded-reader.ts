import type { Broker } from '../broker/broker.ts'
import { committedBatches } from '../broker/log/committed-batches.ts'
import { LogCursor } from '../broker/log/log-cursor.ts'
import type { LogWatcher, PartitionLog } from '../broker/log/partition-log.ts'
import type { Environment } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { FetchedBatches, FetchOptions, Isolation, LogReader, TopicPartition } from './cluster.ts'

/** A caller that fetches in a loop gives way to sockets and timers after this long. */
const longestRunMs = 10

export interface EmbeddedReaderOptions {
  readonly broker: Broker
  readonly environment: Environment
  /** Of each partition's buffer. */
  readonly bufferBytes: number
  readonly isolation: Isolation
  readonly onClose: (reader: EmbeddedReader) => void
}

/**
 * Reads partitions of a broker in the same process. Each assigned partition has a cursor with a buffer of its own and
 * watches its log for as long as it is assigned, so that a fetch that waits costs one timer and nothing per partition.
 */
export class EmbeddedReader implements LogReader {
  readonly #broker: Broker
  readonly #environment: Environment
  readonly #bufferBytes: number
  readonly #isolation: Isolation
  readonly #onClose: (reader: EmbeddedReader) => void
  readonly #assigned = new Map<string, AssignedPartition>()
  readonly #waiting = new Set<WaitingFetch>()
  #lastTurnMs: number
  #isClosed = false

  constructor(options: EmbeddedReaderOptions) {
    this.#broker = options.broker
    this.#environment = options.environment
    this.#bufferBytes = options.bufferBytes
    this.#isolation = options.isolation
    this.#onClose = options.onClose
    this.#lastTurnMs = options.environment.clock.monotonicMs()
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    const key = keyOf(topic, partition)
    const assigned = this.#assigned.get(key)
    if (assigned !== undefined) assigned.seek(offset)
    else this.#assigned.set(key, new AssignedPartition(topic, partition, offset, (it) => this.#wake(it)))
    if (this.#waiting.size > 0) this.wakeAll()
  }

  unassign({ topic, partition }: TopicPartition): void {
    const key = keyOf(topic, partition)
    this.#assigned.get(key)?.close()
    this.#assigned.delete(key)
  }

  async fetch(options: FetchOptions): Promise<FetchedBatches[]> {
    const { clock, timers } = this.#environment
    if (clock.monotonicMs() - this.#lastTurnMs >= longestRunMs) {
      await timers.nextTurn()
      this.#lastTurnMs = clock.monotonicMs()
    }
    this.#requireOpen()
    if (options.signal?.aborted === true) return []
    const found = this.#collect(options.partitions)
    return found.length > 0 || options.maxWaitMs <= 0 ? found : this.#wait(options)
  }

  /** Closing twice does nothing; a fetch that waits is rejected. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const assigned of this.#assigned.values()) assigned.close()
    this.#assigned.clear()
    this.wakeAll()
    this.#onClose(this)
  }

  /** Lets fetches that wait look again, because the log or the reader has changed. */
  wakeAll(): void {
    for (const fetch of this.#waiting) fetch.wake()
  }

  async #wait(options: FetchOptions): Promise<FetchedBatches[]> {
    const fetch = new WaitingFetch(options.partitions)
    const cancel = this.#environment.timers.after(options.maxWaitMs, fetch.end)
    options.signal?.addEventListener('abort', fetch.end)
    this.#waiting.add(fetch)
    try {
      for (;;) {
        await fetch.woken()
        this.#requireOpen()
        if (options.signal?.aborted === true) return []
        const found = this.#collect(options.partitions)
        if (found.length > 0 || fetch.isOver) return found
      }
    } finally {
      this.#waiting.delete(fetch)
      options.signal?.removeEventListener('abort', fetch.end)
      cancel()
    }
  }

  #wake(assigned: AssignedPartition): void {
    if (this.#waiting.size === 0) return
    for (const fetch of this.#waiting) if (fetch.wants(assigned)) fetch.wake()
  }

  #collect(partitions: readonly TopicPartition[] | undefined): FetchedBatches[] {
    const found: FetchedBatches[] = []
    try {
      if (partitions === undefined) {
        for (const assigned of this.#assigned.values()) this.#read(assigned, found)
      } else {
        for (const partition of partitions) this.#read(this.#requireAssigned(partition), found)
      }
    } catch (error) {
      // The caller gets the error and no batches: they have to come with the next fetch.
      for (const { topic, partition, fromOffset } of found)
        this.#assigned.get(keyOf(topic, partition))?.seek(fromOffset)
      throw error
    }
    return found
  }

  #read(assigned: AssignedPartition, found: FetchedBatches[]): void {
    const cursor = assigned.cursor ?? assigned.open(this.#broker, this.#bufferBytes)
    const fromOffset = cursor.offset
    const { log } = cursor
    const isCommitted = this.#isolation === 'read-committed'
    const highWatermark = isCommitted ? log.lastStableOffset : log.highWatermark
    const read = cursor.read(highWatermark)
    if (read.length === 0) return
    const bytes = isCommitted ? committedBatches(read, log.abortedTransactions(fromOffset, cursor.offset)) : read
    const { topic, partition } = assigned
    found.push({ topic, partition, fromOffset, nextOffset: cursor.offset, bytes, highWatermark })
  }

  #requireAssigned({ topic, partition }: TopicPartition): AssignedPartition {
    const assigned = this.#assigned.get(keyOf(topic, partition))
    if (assigned !== undefined) return assigned
    throw new MillraceError('INVALID_ARGUMENT', 'The partition is not assigned to this reader', {
      at: { topic, partition },
      remedy: 'Seek to an offset of it first.',
    })
  }

  #requireOpen(): void {
    this.#broker.requireOpen()
    if (this.#isClosed) throw new MillraceError('CLOSED', 'The reader is closed')
  }
}

/** A partition that a reader reads, from the first fetch on with a cursor in its log. */
class AssignedPartition implements LogWatcher {
  readonly topic: string
  readonly partition: number
  cursor: LogCursor | undefined
  #offset: number
  #log: PartitionLog | undefined
  readonly #wake: (assigned: AssignedPartition) => void

  constructor(topic: string, partition: number, offset: number, wake: (assigned: AssignedPartition) => void) {
    this.topic = topic
    this.partition = partition
    this.#offset = offset
    this.#wake = wake
  }

  seek(offset: number): void {
    this.#offset = offset
    this.cursor?.seek(offset)
  }

  open(broker: Broker, bufferBytes: number): LogCursor {
    const log = broker.log(this.topic, this.partition)
    this.#log = log
    log.watch(this)
    this.cursor = new LogCursor(log, this.#offset, bufferBytes)
    return this.cursor
  }

  onAdvance(): void {
    this.#wake(this)
  }

  close(): void {
    this.#log?.unwatch(this)
  }
}

/** A fetch that found nothing, until it is woken by one of its partitions or its time is over. */
class WaitingFetch {
  isOver = false
  readonly #partitions: ReadonlySet<string> | undefined
  #woken = Promise.withResolvers<void>()

  constructor(partitions: readonly TopicPartition[] | undefined) {
    this.#partitions = partitions && new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)))
  }

  wants({ topic, partition }: AssignedPartition): boolean {
    return this.#partitions === undefined || this.#partitions.has(keyOf(topic, partition))
  }

  wake(): void {
    this.#woken.resolve()
  }

  readonly end = (): void => {
    this.isOver = true
    this.#woken.resolve()
  }

  /** Resolves when it is woken, also where that was before the call; counts from anew afterwards. */
  async woken(): Promise<void> {
    await this.#woken.promise
    if (!this.isOver) this.#woken = Promise.withResolvers<void>()
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
