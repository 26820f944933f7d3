import { statSync } from 'node:fs'
import { InputError, quoted, reasonOf } from './input-error.ts'
import { LineReader, maxLineBytes } from './line-reader.ts'
import { type LineParser, parserFor, type SensorReading, sensorNameOf } from './sensor-lines.ts'

export interface BadLine {
  readonly path: string
  readonly line: number
  readonly reason: string
}

/** Told of every malformed line, which is left out when it returns; it throws to stop. */
export type OnBadLine = (bad: BadLine) => void

/** A data file, read from its beginning to its end in its own order. */
export class SensorFile {
  readonly path: string
  /** The last folder and the name: what orders files, and what a run is recognised by. */
  readonly name: string
  readonly sizeBytes: number

  readonly #lines: LineReader
  readonly #parse: LineParser
  readonly #onBadLine: OnBadLine
  readonly #readings: SensorReading[] = []
  #next = 0

  /** @throws InputError where the file cannot be opened, is empty, or is of no known format. */
  constructor(path: string, onBadLine: OnBadLine) {
    this.path = path
    this.name = sensorNameOf(path)
    this.#onBadLine = onBadLine
    const opened = open(path)
    this.#lines = opened.lines
    this.sizeBytes = opened.sizeBytes
    try {
      this.#parse = readHeader(this.#lines, path)
    } catch (error) {
      this.#lines.close()
      throw error
    }
  }

  /** The next reading; undefined after the last, when the file is closed. */
  next(): SensorReading | undefined {
    while (this.#next === this.#readings.length) {
      this.#readings.length = 0
      this.#next = 0
      const line = this.#lines.next()
      if (line === undefined) {
        this.close()
        return undefined
      }
      const reason = this.#readLine(line)
      if (reason !== undefined) this.#onBadLine({ path: this.path, line: this.#lines.lineNumber, reason })
    }
    return this.#readings[this.#next++]
  }

  close(): void {
    this.#lines.close()
  }

  #readLine(line: string): string | undefined {
    if (this.#lines.tooLong) return `it is longer than ${maxLineBytes} bytes`
    if (line.trim() === '') return undefined
    return this.#parse(line, this.#readings)
  }
}

function open(path: string): { lines: LineReader; sizeBytes: number } {
  try {
    const found = statSync(path)
    if (found.isDirectory()) {
      throw new InputError(`Cannot read ${quoted(path)}: it is a directory. Give the files in it: ${path}/*.csv`)
    }
    return { lines: new LineReader(path), sizeBytes: found.size }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`Cannot read ${quoted(path)}: ${reasonOf(error)}.`)
  }
}

function readHeader(lines: LineReader, path: string): LineParser {
  const header = lines.next()
  if (header === undefined)
    throw new InputError(`Cannot read ${quoted(path)}: the file is empty, it has no header line.`)
  const parser = parserFor(header, path)
  if (parser !== undefined) return parser
  throw new InputError(
    `Cannot read ${quoted(path)} (line 1): ${quoted(header)} is no header that is known. ` +
      "It must be 'timestamp,value' or 'Reading# Mote-ID Humidity Temperature Label'.",
  )
}
