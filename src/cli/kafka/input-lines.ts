import { MillraceError } from '../../errors.ts'

const newline = 10
const carriageReturn = 13

/** Longer than what any cluster takes by default, and short enough to be kept until it ends. */
const mostLineBytes = 64 * 1024 * 1024

/** Cuts bytes as they come into lines, without the `\n` or `\r\n` behind them. */
export class InputLines {
  #rest: Uint8Array[] = []
  #restBytes = 0
  #count = 0

  /** The lines that the bytes end. @throws MillraceError RECORD_TOO_LARGE where one does not end */
  take(bytes: Uint8Array): Buffer[] {
    const lines: Buffer[] = []
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(this.#lineWith(bytes.subarray(start, end)))
      start = end + 1
    }
    if (start < bytes.length) this.#keep(bytes.slice(start))
    return lines
  }

  /** The last line, where no newline ends it. */
  end(): Buffer[] {
    return this.#restBytes === 0 ? [] : [this.#lineWith(new Uint8Array(0))]
  }

  #lineWith(end: Uint8Array): Buffer {
    const line = Buffer.concat([...this.#rest, end])
    this.#rest = []
    this.#restBytes = 0
    this.#count += 1
    return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.push(bytes)
    this.#restBytes += bytes.length
    if (this.#restBytes <= mostLineBytes) return
    throw new MillraceError('RECORD_TOO_LARGE', `A line does not end after ${mostLineBytes} bytes`, {
      at: { line: this.#count + 1 },
      remedy: 'A record is a line: divide the input by newlines.',
    })
  }
}
