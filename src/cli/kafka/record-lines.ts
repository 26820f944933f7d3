import type { Message } from 'kafkajs'
import { MillraceError } from '../../errors.ts'
import { invalid, propertiesOf } from './client-options.ts'

/** What `--property` may say of lines, as Kafka's LineMessageReader. */
const names = [
  'parse.key',
  'key.separator',
  'parse.headers',
  'headers.delimiter',
  'headers.separator',
  'headers.key.separator',
  'ignore.error',
  'null.marker',
]

/** Makes records of lines (org.apache.kafka.tools.LineMessageReader): `[headers TAB][key TAB]value`. */
export class RecordLines {
  readonly #parsesKey: boolean
  readonly #parsesHeaders: boolean
  readonly #ignoresErrors: boolean
  readonly #keySeparator: string
  readonly #headersDelimiter: string
  readonly #headersSeparator: string
  readonly #headersKeySeparator: string
  readonly #nullMarker: string | undefined
  #line = 0

  /** @throws MillraceError INVALID_ARGUMENT */
  constructor(given: readonly string[]) {
    const properties = propertiesOf('--property', given, names)
    const text = (name: string, otherwise: string): string => {
      const value = properties.get(name) ?? otherwise
      if (value === '') throw invalid(`${name} is empty`, 'Give at least one character.')
      return value.replaceAll('\\t', '\t')
    }
    this.#parsesKey = properties.get('parse.key') === 'true'
    this.#parsesHeaders = properties.get('parse.headers') === 'true'
    this.#ignoresErrors = properties.get('ignore.error') === 'true'
    this.#keySeparator = text('key.separator', '\t')
    this.#headersDelimiter = text('headers.delimiter', '\t')
    this.#headersSeparator = text('headers.separator', ',')
    this.#headersKeySeparator = text('headers.key.separator', ':')
    this.#nullMarker = properties.get('null.marker')
  }

  /** @throws MillraceError INVALID_RECORD where a separator is missing, unless errors are to be ignored */
  read(line: Buffer): Message {
    this.#line += 1
    let rest = line
    const message: Message = { key: null, value: null }
    if (this.#parsesHeaders) {
      const headers = this.#cut(rest, this.#headersDelimiter, 'headers delimiter')
      if (headers !== undefined) {
        message.headers = this.#headersOf(headers[0])
        rest = headers[1]
      }
    }
    if (this.#parsesKey) {
      const key = this.#cut(rest, this.#keySeparator, 'key separator')
      if (key !== undefined) {
        message.key = this.#orNull(key[0])
        rest = key[1]
      }
    }
    message.value = this.#orNull(rest)
    return message
  }

  #headersOf(text: Buffer): Record<string, Buffer | Buffer[]> {
    const headers: Record<string, Buffer[]> = {}
    if (this.#isNull(text) || text.length === 0) return headers
    for (const header of text.toString().split(this.#headersSeparator)) {
      const parts = this.#cut(Buffer.from(header), this.#headersKeySeparator, `header key separator in '${header}'`)
      const [key, value] = parts ?? [Buffer.from(header), Buffer.alloc(0)]
      const name = key.toString()
      headers[name] = [...(headers[name] ?? []), value]
    }
    return headers
  }

  /** What is before and behind the first separator; undefined where there is none and that is to be ignored. */
  #cut(text: Buffer, separator: string, what: string): [before: Buffer, behind: Buffer] | undefined {
    const at = text.indexOf(separator)
    if (at >= 0) return [text.subarray(0, at), text.subarray(at + Buffer.byteLength(separator))]
    if (this.#ignoresErrors) return undefined
    throw new MillraceError('INVALID_RECORD', `There is no ${what} (${JSON.stringify(separator)})`, {
      at: { line: this.#line },
      remedy: 'Mend the line, or pass --property ignore.error=true to take it as a value.',
    })
  }

  #orNull(text: Buffer): Buffer | null {
    return this.#isNull(text) ? null : text
  }

  #isNull(text: Buffer): boolean {
    return this.#nullMarker !== undefined && text.equals(Buffer.from(this.#nullMarker))
  }
}
