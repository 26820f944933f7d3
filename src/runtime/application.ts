import type { FetchedBatches, LogReader, TopicPartition } from '../cluster/cluster.ts'
import { assert, MillraceError } from '../errors.ts'
import { closeAll } from './close-all.ts'
import { type DropMetric, dropMetrics } from './drop-metric.ts'
import type { GlobalStores } from './global-stores.ts'
import type { RecordCollector } from './record-collector.ts'
import type { RepartitionPurge } from './repartition-purge.ts'
import type { RunConfig } from './run-options.ts'
import type { Task } from './task.ts'
import type { TaskInput } from './task-input.ts'

/** Processing lets sockets, timers and signals have their turn after this long. */
const sliceMs = 8
/** How long a fetch waits for records before the loop looks around. */
const maxFetchWaitMs = 100

export type ApplicationState = 'running' | 'closing' | 'closed' | 'failed'

export interface ApplicationMetrics {
  readonly state: ApplicationState
  /** Records read from source and repartition topics in this run. */
  readonly recordsIn: number
  /** Records written to sinks in this run. */
  readonly recordsOut: number
  readonly commits: number
  /** Bytes of updates that wait in record caches now, as `maxCacheBytes` counts them. */
  readonly cachedBytes: number
  readonly drops: readonly DropMetric[]
}

/** A running application: its tasks, and the loop that feeds them. */
export class Application implements AsyncDisposable {
  readonly #config: RunConfig
  readonly #tasks: readonly Task[]
  readonly #globals: GlobalStores
  readonly #inputs: readonly TaskInput[]
  readonly #taskOf: ReadonlyMap<string, Task>
  readonly #collector: RecordCollector
  readonly #purge: RepartitionPurge
  readonly #reader: LogReader
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>
  #state: ApplicationState = 'running'
  #commits = 0
  #nextTask = 0
  #caughtUpWaiters: { resolve: () => void; reject: (error: unknown) => void }[] = []
  #isObserved = false

  constructor(
    config: RunConfig,
    tasks: readonly Task[],
    globals: GlobalStores,
    collector: RecordCollector,
    purge: RepartitionPurge,
  ) {
    this.#purge = purge
    this.#config = config
    this.#tasks = tasks
    this.#globals = globals
    this.#collector = collector
    const all = [...globals.tasks, ...tasks]
    this.#inputs = all.flatMap((task) => task.inputs)
    this.#taskOf = new Map(all.flatMap((task) => task.inputs.map((input) => [nameOf(input.partition), task])))
    this.#reader = config.cluster.reader({ isolation: 'read-committed' })
    for (const input of this.#inputs) this.#reader.seek(input.partition, input.position)
    this.#ended = this.#run()
    // Unless somebody waits for the end, a failure must not pass unseen: it is thrown again as an unhandled rejection.
    this.#ended.catch((error: unknown) => {
      if (!this.#isObserved) void Promise.reject(error)
    })
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** As `closed`, without taking on the duty to deal with a failure. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** Resolves when the application has closed, after `close` or a signal; rejects with the failure that ended it. */
  get closed(): Promise<void> {
    this.#isObserved = true
    return this.#ended
  }

  /** Finishes the records at hand, commits, and lets go of everything. Resolves when all is durable. Closing twice is closing once. */
  close(): Promise<void> {
    if (this.#state === 'running') this.#state = 'closing'
    this.#stop.abort()
    return this.closed
  }

  /** As `close`, but silent where `closed` or `caughtUp` has told the failure already: behind `await app.closed`, `await using` would hide it in a SuppressedError. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isTold = this.#state === 'failed' && this.#isObserved
    await this.close().catch((failure: unknown) => {
      if (!isTold) throw failure
    })
  }

  /** Resolves when every record that was in the source topics at the call has been processed and its results can be read. */
  async caughtUp(): Promise<void> {
    this.#isObserved = true
    for (let ends = await this.#ends(); ; ) {
      while (!this.#hasReached(ends)) await this.#nextRound()
      // What was processed may have been written to repartition topics, which must be read in turn.
      const later = await this.#ends()
      if (ends.every((end, i) => end === later[i])) return
      ends = later
    }
  }

  metrics(): ApplicationMetrics {
    return {
      state: this.#state,
      recordsIn: this.#tasks.reduce((sum, task) => sum + task.recordsIn, 0),
      recordsOut: this.#tasks.reduce((sum, task) => sum + task.recordsOut, 0),
      commits: this.#commits,
      cachedBytes: this.#tasks.reduce((sum, task) => sum + task.cachedBytes, 0),
      drops: dropMetrics([...this.#globals.tasks, ...this.#tasks]),
    }
  }

  async #run(): Promise<void> {
    try {
      await this.#loop()
      await this.#commit()
    } catch (error) {
      this.#state = 'failed'
      await this.#collector.abandon().catch(() => {})
      await this.#release().catch(() => {})
      this.#wake(error)
      throw error
    }
    try {
      await this.#release()
    } catch (error) {
      this.#state = 'failed'
      this.#wake(error)
      throw error
    }
    this.#state = 'closed'
    this.#wake(closedError())
  }

  async #loop(): Promise<void> {
    const { clock, timers } = this.#config.environment
    let commitAt = clock.monotonicMs() + this.#config.commitIntervalMs
    while (this.#state === 'running') {
      await this.#fetch(Math.max(0, Math.min(maxFetchWaitMs, commitAt - clock.monotonicMs(), this.#untilPunctuation())))
      const sliceEnd = clock.monotonicMs() + sliceMs
      this.#process(() => clock.monotonicMs() >= sliceEnd)
      for (const task of this.#tasks) task.punctuateWallClock()
      await this.#collector.room()
      if (clock.monotonicMs() >= commitAt || this.#tasks.some((task) => task.isCommitRequested)) {
        await this.#commit()
        commitAt = clock.monotonicMs() + this.#config.commitIntervalMs
      }
      this.#wake()
      await timers.nextTurn()
    }
  }

  async #fetch(idleWaitMs: number): Promise<void> {
    const drained = this.#inputs.filter((input) => !input.hasHead)
    if (drained.length === 0) return
    const isBusy = drained.length < this.#inputs.length
    const options = { partitions: drained.map((input) => input.partition), signal: this.#stop.signal }
    let fetched: FetchedBatches[]
    try {
      fetched = await this.#reader.fetch({ maxWaitMs: isBusy ? 0 : idleWaitMs, ...options })
    } catch (error) {
      return this.#skipDeleted(error)
    }
    for (const batches of fetched) {
      const task = this.#taskOf.get(nameOf(batches))
      assert(task !== undefined, `fetched partition ${nameOf(batches)} belongs to a task`)
      task.load(batches)
    }
  }

  /** Goes on where a partition begins now, if retention has removed what was to be read next; what is skipped is counted. */
  async #skipDeleted(error: unknown): Promise<void> {
    const isOutOfRange = error instanceof MillraceError && error.code === 'OFFSET_OUT_OF_RANGE'
    const { topic, partition } = isOutOfRange ? error.at : {}
    const input = this.#inputs.find((each) => each.partition.topic === topic && each.partition.partition === partition)
    if (input === undefined) throw error
    const [range] = await this.#config.cluster.offsets([input.partition], 'read-committed')
    if (input.position >= range.start) throw error
    input.skipTo(range.start)
    this.#reader.seek(input.partition, range.start)
  }

  /** Milliseconds to the first punctuation of the clock on the wall. */
  #untilPunctuation(): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const task of this.#tasks) nextMs = Math.min(nextMs, task.nextWallPunctuationMs)
    return nextMs - this.#config.environment.clock.wallMs()
  }

  #process(isOver: () => boolean): void {
    for (const task of this.#globals.tasks) task.process(isOver)
    // Each round begins with another task, so that one with much to do does not starve the others.
    for (let i = 0; i < this.#tasks.length; i++) this.#tasks[(this.#nextTask + i) % this.#tasks.length].process(isOver)
    this.#nextTask++
  }

  /** Outputs and changelogs first, then the offsets that vouch for them, then the stores' own files. */
  async #commit(): Promise<void> {
    this.#globals.commit()
    const tasks = this.#tasks.filter((task) => task.hasUncommitted)
    if (tasks.length === 0) return
    for (const task of tasks) task.prepareCommit()
    // Only now is known where the changelogs end, which the commit says.
    await this.#collector.acknowledged()
    await this.#collector.commit(tasks.flatMap((task) => task.commitEntries()))
    for (const task of tasks) task.finishCommit()
    this.#commits++
    this.#purge.afterCommit(tasks.flatMap((task) => task.inputs))
  }

  async #release(): Promise<void> {
    try {
      closeAll([this.#reader, ...this.#tasks, this.#globals])
    } finally {
      if (this.#config.ownsCluster) await this.#config.cluster.close()
    }
  }

  async #ends(): Promise<number[]> {
    await this.#collector.acknowledged()
    const partitions = this.#inputs.map((input) => input.partition)
    const ranges = await this.#config.cluster.offsets(partitions, 'read-committed')
    return ranges.map((range) => range.end)
  }

  #hasReached(ends: readonly number[]): boolean {
    // In a transaction nothing of what was written can be read before the commit; what waits in a cache is not even written.
    const isReadable =
      this.#config.guarantee === 'at-least-once'
        ? this.#collector.isIdle && !this.#tasks.some((task) => task.hasWaiting)
        : !this.#tasks.some((task) => task.hasUncommitted)
    return isReadable && this.#inputs.every((input, i) => !input.hasHead && input.position >= ends[i])
  }

  #nextRound(): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'closed')
      return this.#ended.then(() => Promise.reject(closedError()))
    return new Promise((resolve, reject) => this.#caughtUpWaiters.push({ resolve, reject }))
  }

  #wake(error?: unknown): void {
    const waiters = this.#caughtUpWaiters
    this.#caughtUpWaiters = []
    for (const waiter of waiters) error === undefined ? waiter.resolve() : waiter.reject(error)
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'The application was closed')
}
