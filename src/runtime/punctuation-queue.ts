import { JavaPriorityQueue } from '../topology/java-priority-queue.ts'
import type { Punctuation } from '../topology/processor.ts'
import { placed } from './task-input.ts'

interface Scheduled {
  readonly punctuation: Punctuation
  nextAt: number
  isCancelled: boolean
}

/**
 * The punctuations of a task in one kind of time. When the time comes to or past the one that a punctuation waits for, it
 * is called once, with the time as it is now; what it missed meanwhile is left out, and its next call keeps to the
 * intervals from its first. After Kafka Streams' PunctuationQueue.
 */
export class PunctuationQueue {
  readonly #scheduled = new JavaPriorityQueue<Scheduled>((scheduled) => scheduled.nextAt)

  /** The earliest time that a punctuation waits for; infinite where there is none. */
  nextAt: number = Number.POSITIVE_INFINITY

  /** Calls the punctuation at `firstAt` and then once per interval, until what this returns is called. */
  add(punctuation: Punctuation, firstAt: number): () => void {
    const scheduled: Scheduled = { punctuation, nextAt: firstAt, isCancelled: false }
    this.#scheduled.add(scheduled)
    this.#findNext()
    return () => {
      scheduled.isCancelled = true
      this.#findNext()
    }
  }

  /** Calls what is due at that time, the earliest first. */
  punctuate(timeMs: number): void {
    while (this.nextAt <= timeMs) {
      const due = this.#scheduled.take() as Scheduled
      const { intervalMs, operator } = due.punctuation
      try {
        // It may cancel its own schedule, or make others.
        due.punctuation.punctuate(timeMs)
      } catch (error) {
        throw placed(error, { operator })
      }
      if (!due.isCancelled) {
        due.nextAt += (Math.floor((timeMs - due.nextAt) / intervalMs) + 1) * intervalMs
        this.#scheduled.add(due)
      }
      this.#findNext()
    }
  }

  #findNext(): void {
    while (this.#scheduled.first?.isCancelled === true) this.#scheduled.take()
    this.nextAt = this.#scheduled.first?.nextAt ?? Number.POSITIVE_INFINITY
  }
}
