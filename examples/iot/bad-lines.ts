import { InputError, quoted } from './input-error.ts'
import type { BadLine } from './sensor-file.ts'

const shownLines = 5

/** What becomes of lines that cannot be read: the first stops the program, or all are left out, counted and reported. */
export class BadLines {
  readonly #policy: 'fail' | 'skip'
  readonly #first: string[] = []
  #count = 0

  constructor(policy: 'fail' | 'skip') {
    this.#policy = policy
  }

  get count(): number {
    return this.#count
  }

  /** @throws InputError where bad lines are to stop the program */
  take(bad: BadLine): void {
    const text = `${quoted(bad.path)} (line ${bad.line}): ${bad.reason}`
    if (this.#policy === 'fail') {
      throw new InputError(`Cannot read ${text}. Correct the line, or leave such lines out with --on-bad-line skip.`)
    }
    this.#count++
    if (this.#first.length < shownLines) this.#first.push(text)
  }

  report(): string[] {
    if (this.#count === 0) return []
    const lines = [
      `${this.#count} ${this.#count === 1 ? 'line was' : 'lines were'} left out:`,
      ...this.#first.map((line) => `  ${line}`),
    ]
    if (this.#count > this.#first.length) lines.push(`  ... and ${this.#count - this.#first.length} more`)
    return lines
  }
}
