import type { Punctuation } from '../topology/processor.ts'
import { placed } from './task-input.ts'

interface Scheduled {
  readonly punctuation: Punctuation
  nextAt: number
}

/**
 * The punctuations of a task in one kind of time. When the time comes to or past the one that a punctuation waits for, it
 * is called once, with the time as it is now; what it missed meanwhile is left out, and its next call keeps to the
 * intervals from its first. After Kafka Streams' PunctuationQueue.
 */
export class PunctuationQueue {
  /** The earliest time that a punctuation waits for; infinite where there is none. */
  nextAt: number = Number.POSITIVE_INFINITY
  #scheduled: Scheduled[] = []

  /** Calls the punctuation at `firstAt` and then once per interval, until what this returns is called. */
  add(punctuation: Punctuation, firstAt: number): () => void {
    const scheduled: Scheduled = { punctuation, nextAt: firstAt }
    this.#scheduled.push(scheduled)
    this.#findNext()
    return () => {
      this.#scheduled = this.#scheduled.filter((each) => each !== scheduled)
      this.#findNext()
    }
  }

  /** Calls what is due at that time, the earliest first, and of those due at once the one that was scheduled first. */
  punctuate(timeMs: number): void {
    while (this.nextAt <= timeMs) {
      const due = this.#scheduled.find((each) => each.nextAt === this.nextAt) as Scheduled
      const { intervalMs } = due.punctuation
      // Only then the call: it may cancel its own schedule, or make others.
      due.nextAt += (Math.floor((timeMs - due.nextAt) / intervalMs) + 1) * intervalMs
      this.#findNext()
      try {
        due.punctuation.punctuate(timeMs)
      } catch (error) {
        throw placed(error, { operator: due.punctuation.operator })
      }
    }
  }

  #findNext(): void {
    let nextAt = Number.POSITIVE_INFINITY
    for (const each of this.#scheduled) if (each.nextAt < nextAt) nextAt = each.nextAt
    this.nextAt = nextAt
  }
}
