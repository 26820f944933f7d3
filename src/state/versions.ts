import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import type { Serde } from '../serde/serde.ts'

/** A value of a key that holds from its timestamp until the key's next version begins. */
export interface Version {
  readonly timestamp: number
  /** undefined: from then on the key has no value. */
  readonly value: unknown
}

/** The index of the last version that begins at the time or before, of versions by their timestamps; -1 where there is none. */
export function lastVersionAt(versions: readonly Version[], timestamp: number): number {
  let at = versions.length - 1
  // Nearly always it is one of the last.
  while (at >= 0 && (versions[at] as Version).timestamp > timestamp) at--
  return at
}

/** Versions one after the other, each as `timestamp8 ‖ length4 ‖ value`, where the length of a deletion is -1. */
export function versionsSerde(value: Serde<unknown>): Serde<Version[]> {
  return {
    name: value.name,
    write(versions, out) {
      for (const version of versions) writeVersion(version, value, out)
    },
    read(bytes, start, end) {
      const versions: Version[] = []
      for (let at = start; at < end; ) {
        const length = bytes.readInt32BE(at + 8)
        const valueStart = at + 12
        const valueEnd = valueStart + Math.max(0, length)
        const decoded = length < 0 ? undefined : value.read(bytes, valueStart, valueEnd)
        versions.push({ timestamp: readInt64(bytes, at), value: decoded })
        at = valueEnd
      }
      return versions
    },
  }
}

function writeVersion(version: Version, value: Serde<unknown>, out: ByteWriter): void {
  out.writeInt64(version.timestamp)
  const lengthAt = out.reserve(4)
  if (version.value !== undefined) value.write(version.value, out)
  const length = version.value === undefined ? -1 : out.length - lengthAt - 4
  out.buffer.writeInt32BE(length, lengthAt)
}
