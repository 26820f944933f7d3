import { performance } from 'node:perf_hooks'

/** One line on a terminal that says how far long work is, written over itself at most five times a second. */
export class Progress {
  readonly #output: NodeJS.WriteStream
  readonly #isShown: boolean
  #nextAt = 0
  #isOnScreen = false

  constructor(output: NodeJS.WriteStream) {
    this.#output = output
    this.#isShown = output.isTTY === true
  }

  show(line: () => string): void {
    if (!this.#isShown) return
    const now = performance.now()
    if (now < this.#nextAt) return
    this.#nextAt = now + 200
    this.#isOnScreen = true
    this.#output.write(`\r${line().slice(0, (this.#output.columns || 80) - 1)}\u001b[K`)
  }

  /** Takes the line away, for what is written next. */
  clear(): void {
    if (this.#isOnScreen) this.#output.write('\r\u001b[K')
    this.#isOnScreen = false
  }
}
