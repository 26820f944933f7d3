import type { EngineEntry } from './store-engine.ts'

/**
 * The entries whose keys share their first bytes and are too long for the engine, as one row under those first bytes:
 * for each, in key order, the rest of its key and its value, both with their length before them (32 bits, big-endian).
 */
export function decodeLongKeyRow(prefix: Buffer, row: Buffer): EngineEntry[] {
  const entries: EngineEntry[] = []
  for (let at = 0; at < row.length; ) {
    const restEnd = at + 4 + row.readUInt32BE(at)
    const valueEnd = restEnd + 4 + row.readUInt32BE(restEnd)
    const key = Buffer.concat([prefix, row.subarray(at + 4, restEnd)])
    entries.push({ key, value: Buffer.from(row.subarray(restEnd + 4, valueEnd)) })
    at = valueEnd
  }
  return entries
}

export function encodeLongKeyRow(prefixBytes: number, entries: readonly EngineEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const { key, value } of entries) {
    const rest = key.subarray(prefixBytes)
    parts.push(lengthOf(rest), rest, lengthOf(value), value)
  }
  return Buffer.concat(parts)
}

/** The entries with the key's value replaced or added, or taken away where `value` is undefined; key order is kept. */
export function withEntry(entries: readonly EngineEntry[], key: Buffer, value: Buffer | undefined): EngineEntry[] {
  const before = entries.filter((entry) => entry.key.compare(key) < 0)
  const after = entries.filter((entry) => entry.key.compare(key) > 0)
  return value === undefined ? [...before, ...after] : [...before, { key, value }, ...after]
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return length
}
