import type { RawRecords } from './raw-batches.ts'

/** Synthetic records of one size: key `user-%08d` (13 bytes), one millisecond apart, keys drawn evenly by a fixed sequence. */
export interface Events extends RawRecords {
  readonly keyCount: number
}

const keyBytes = 13
const firstTimestamp = 1_700_000_000_000

/** Values are ASCII JSON of about 87 bytes. */
export function jsonEvents(count: number, keyCount: number): Events {
  const jsonOf = (i: number, key: string) =>
    `{"user":"${key}","page":"/products/${1000 + (i % 9000)}","amount":${1000 + ((i * 7919) % 9000)},"type":"view"}`
  return events(count, keyCount, Buffer.byteLength(jsonOf(0, 'user-00000000')), (i, key, out, at) => {
    out.write(jsonOf(i, key), at, 'latin1')
  })
}

/** Values are one float64, as readings of a sensor. */
export function numberEvents(count: number, keyCount: number): Events {
  return events(count, keyCount, 8, (i, _key, out, at) => {
    out.writeDoubleBE(((i * 7919) % 10_000) / 100, at)
  })
}

/** Values are so many bytes of text. */
export function sizedEvents(count: number, keyCount: number, valueBytes: number): Events {
  const text = 'abcdefghijklmnop'.repeat(Math.ceil(valueBytes / 16)).slice(0, valueBytes)
  return events(count, keyCount, valueBytes, (_i, _key, out, at) => {
    out.write(text, at, 'latin1')
  })
}

function events(
  count: number,
  keyCount: number,
  valueBytes: number,
  writeValue: (i: number, key: string, out: Buffer, at: number) => void,
): Events {
  const size = keyBytes + valueBytes
  const bytes = Buffer.allocUnsafeSlow(count * size)
  let state = 12_345
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const key = `user-${String((state >>> 8) % keyCount).padStart(8, '0')}`
    bytes.write(key, i * size, 'latin1')
    writeValue(i, key, bytes, i * size + keyBytes)
  }
  return { count, bytes, keyBytes, valueBytes, firstTimestamp, timestampStep: 1, keyCount }
}
