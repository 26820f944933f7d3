import { ByteWriter } from '../bytes/byte-writer.ts'
import type { Serde } from '../serde/serde.ts'

/** The bytes of a key, the caller's own. */
export function encodedKey<K>(key: K, serde: Serde<K>): Buffer {
  const out = new ByteWriter(64)
  serde.write(key, out)
  return out.toBuffer()
}

/** The least key that is greater than the key. */
export function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, zero])
}

/** The least key that is greater than all that begin with the prefix; undefined where there is none. */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}

const zero = Buffer.from([0])
