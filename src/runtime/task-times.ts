import type { Clock } from '../env/environment.ts'
import type { Punctuation, TaskContext } from '../topology/processor.ts'
import { PunctuationQueue } from './punctuation-queue.ts'

/** The two times of a task, and what its processors asked to be done in them. */
export class TaskTimes implements TaskContext {
  readonly applicationId: string
  streamTimeMs: number
  readonly streamPunctuations: PunctuationQueue = new PunctuationQueue()
  readonly wallPunctuations: PunctuationQueue = new PunctuationQueue()
  isCommitRequested = false
  readonly #clock: Clock

  /** @param streamTimeMs as of the last commit; -1 where there is none */
  constructor(applicationId: string, clock: Clock, streamTimeMs: number) {
    this.applicationId = applicationId
    this.#clock = clock
    this.streamTimeMs = streamTimeMs
  }

  wallClockMs(): number {
    return this.#clock.wallMs()
  }

  schedule(punctuation: Punctuation, firstAt: number): () => void {
    const queue = punctuation.type === 'stream-time' ? this.streamPunctuations : this.wallPunctuations
    return queue.add(punctuation, firstAt)
  }

  requestCommit(): void {
    this.isCommitRequested = true
  }
}
