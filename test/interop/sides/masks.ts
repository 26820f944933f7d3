import { BatchReader } from '../../../src/record/batch-reader.ts'

/** What says nothing, or is in the words of one side alone. */
const dropped = new Set(['throttleTimeMs', 'errorMessage', 'clusterId', 'port', 'usableBytes', 'totalBytes', 'logDir'])
/** What each side makes up: equal where the same one is meant. */
const madeUp = new Set(['producerId', 'memberId', 'leader', 'currentTxnStartOffset'])
/** Times of the clock on the wall. */
const times = new Set(['logAppendTimeMs', 'transactionStartTimeMs', 'transactionTimeoutMs', 'lastTimestamp'])
const noId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Makes answers of two brokers comparable: ids become numbers in the order in which they were first seen. */
export class Masks {
  readonly #seen = new Map<string, string>()

  masked(value: unknown, name = ''): unknown {
    if (value instanceof Uint8Array)
      return name === 'records' ? this.#batches(value) : Buffer.from(value).toString('latin1')
    if (Array.isArray(value)) {
      const all = value.map((one) => this.masked(one, name))
      // No client may rely on an order of topics or partitions.
      return all.every((one) => typeof one === 'object') ? all.toSorted(byText) : all
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).filter(([key]) => !dropped.has(key))
      return Object.fromEntries(entries.map(([key, one]) => [key, this.masked(one, key)]))
    }
    if (name === 'topicId') return value === noId ? 'none' : 'an id'
    if (madeUp.has(name) && value !== null && value !== '' && value !== -1 && isId(name, value))
      return this.#mask(name, value)
    if (times.has(name) && typeof value === 'number') return value < 0 ? value : 'a time'
    return value
  }

  /** What is in record batches, but for what the log itself sets. */
  #batches(bytes: Uint8Array): unknown {
    const reader = new BatchReader()
    reader.reset(Buffer.from(bytes))
    const batches: unknown[] = []
    while (reader.nextBatch()) {
      const records: unknown[] = []
      while (reader.next()) {
        const { bytes: from, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = reader
        const text = (start: number, end: number) => (start < 0 ? null : from.toString('latin1', start, end))
        const time = reader.isControl ? 'a time' : timestamp
        records.push({ offset, time, key: text(keyStart, keyEnd), value: text(valueStart, valueEnd) })
      }
      const { baseOffset, attributes, producerEpoch, baseSequence } = reader
      const producerId = this.masked(reader.producerId, 'producerId')
      batches.push({ baseOffset, attributes, producerId, producerEpoch, baseSequence, records })
    }
    return batches
  }

  #mask(name: string, value: unknown): string {
    const kind = name === 'leader' ? 'memberId' : name
    const key = `${kind} ${value}`
    const known = this.#seen.get(key)
    if (known !== undefined) return known
    const count = [...this.#seen.keys()].filter((one) => one.startsWith(`${kind} `)).length
    this.#seen.set(key, `${kind} #${count + 1}`)
    return `${kind} #${count + 1}`
  }
}

/** The leader of a partition is a number that both sides have. */
function isId(name: string, value: unknown): boolean {
  return name !== 'leader' || typeof value === 'string'
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
