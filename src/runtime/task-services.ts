import type { Clock } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Punctuation, TaskContext } from '../topology/processor.ts'
import { PunctuationQueue } from './punctuation-queue.ts'

/** The two times of a task, what its processors asked to be done in them, and the stores that all tasks share. */
export class TaskServices implements TaskContext {
  readonly applicationId: string
  /** Begins as a number: V8 would make an object of each that comes after undefined. */
  streamTimeMs = -1
  readonly streamPunctuations: PunctuationQueue = new PunctuationQueue()
  readonly wallPunctuations: PunctuationQueue = new PunctuationQueue()
  isCommitRequested = false
  readonly #clock: Clock
  readonly #isGlobal: boolean
  readonly #globalStores: ReadonlyMap<string, StateStore>

  constructor(options: {
    applicationId: string
    clock: Clock
    globalStores: ReadonlyMap<string, StateStore>
    /** Whether the task fills a global store. */
    isGlobal: boolean
    /** As of the last commit; -1 where there is none. */
    streamTimeMs: number
  }) {
    this.applicationId = options.applicationId
    this.#clock = options.clock
    this.#isGlobal = options.isGlobal
    this.#globalStores = options.globalStores
    this.streamTimeMs = options.streamTimeMs
  }

  globalStore(name: string): StateStore | undefined {
    return this.#globalStores.get(name)
  }

  wallClockMs(): number {
    return this.#clock.wallMs()
  }

  schedule(punctuation: Punctuation, firstAt: number): () => void {
    if (this.#isGlobal) throw noTimers(punctuation.operator)
    const queue = punctuation.type === 'stream-time' ? this.streamPunctuations : this.wallPunctuations
    return queue.add(punctuation, firstAt)
  }

  requestCommit(): void {
    this.isCommitRequested = true
  }
}

function noTimers(operator: string): MillraceError {
  return new MillraceError('INVALID_TOPOLOGY', 'The processor schedules a punctuation, but it fills a global store', {
    at: { operator },
    remedy: 'Only processors that run in tasks have punctuations: schedule it in one that reads the store.',
  })
}
