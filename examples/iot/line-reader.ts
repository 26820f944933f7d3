import { closeSync, openSync, readSync } from 'node:fs'

/** The longest line that is read whole; a longer one is cut and marked, so that a file without line ends cannot fill the memory. */
export const maxLineBytes = 65_536

const lineFeed = 10
const carriageReturn = 13

/**
 * The lines of a file, one call at a time, through one buffer of 64 KiB. Reading is synchronous: a read of the page cache
 * costs less than a trip through the thread pool, and whoever reads many lines gives way to others between them.
 */
export class LineReader {
  /** The number of the line that `next` returned last; the first is 1. */
  lineNumber = 0
  /** Whether that line was longer than `maxLineBytes`, and is returned without its end. */
  tooLong = false

  readonly #file: number
  readonly #buffer = Buffer.allocUnsafeSlow(maxLineBytes)
  #start = 0
  #end = 0
  #fileEnded = false
  #restIsSkipped = false
  #closed = false

  constructor(path: string) {
    this.#file = openSync(path, 'r')
  }

  /** The next line without its line end; undefined after the last. */
  next(): string | undefined {
    for (;;) {
      const lineEnd = this.#findLineEnd()
      if (lineEnd >= 0) {
        const line = this.#take(lineEnd, lineEnd + 1)
        if (line !== undefined) return line
      } else if (this.#fileEnded) {
        if (this.#start === this.#end) return undefined
        const line = this.#take(this.#end, this.#end)
        if (line !== undefined) return line
      } else if (this.#end - this.#start === maxLineBytes) {
        const line = this.#cutLine()
        if (line !== undefined) return line
      } else {
        this.#fill()
      }
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#file)
  }

  #findLineEnd(): number {
    const found = this.#buffer.indexOf(lineFeed, this.#start)
    return found < this.#end ? found : -1
  }

  /** Takes the bytes up to `lineEnd` as a line; undefined where they are the rest of one that was cut. */
  #take(lineEnd: number, next: number): string | undefined {
    const start = this.#start
    this.#start = next
    if (this.#restIsSkipped) {
      this.#restIsSkipped = false
      return undefined
    }
    const end = lineEnd > start && this.#buffer[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    this.lineNumber++
    this.tooLong = false
    return this.#buffer.toString('utf8', start, end)
  }

  #cutLine(): string | undefined {
    const isContinued = this.#restIsSkipped
    this.#restIsSkipped = true
    const start = this.#start
    this.#start = this.#end
    if (isContinued) return undefined
    this.lineNumber++
    this.tooLong = true
    return this.#buffer.toString('utf8', start, start + 100)
  }

  #fill(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end)
    this.#end -= this.#start
    this.#start = 0
    const size = readSync(this.#file, this.#buffer, this.#end, maxLineBytes - this.#end, null)
    if (size === 0) this.#fileEnded = true
    this.#end += size
  }
}
