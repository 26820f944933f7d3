import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { type Change, changeSerde } from '../../src/dsl/change-serde.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { stringSerde } from '../../src/serde/string-serde.ts'

const serde = changeSerde(stringSerde as Serde<unknown>)

function written(change: Change): Buffer {
  const out = new ByteWriter(4)
  serde.write(change, out)
  return out.toBuffer()
}

describe('the serde of changes', () => {
  it.each([
    [{ oldValue: 'old', newValue: null }, [...Buffer.from('old'), 0]],
    [{ oldValue: null, newValue: 'new!' }, [...Buffer.from('new!'), 1]],
    // A zigzag varint: 4 is written as 8.
    [{ oldValue: 'old', newValue: 'new!' }, [8, ...Buffer.from('new!old'), 2]],
  ])('writes the bytes of Kafka Streams: %j', (change, bytes) => {
    expect([...written(change)]).toEqual(bytes)
  })

  it('reads what it wrote, wherever it lies', () => {
    const value = fc.option(fc.string({ maxLength: 300 }))
    fc.assert(
      fc.property(value, value, fc.nat(5), (oldValue, newValue, shift) => {
        fc.pre(oldValue !== null || newValue !== null)
        const bytes = written({ oldValue, newValue })
        const shifted = Buffer.concat([Buffer.alloc(shift, 7), bytes, Buffer.alloc(3, 9)])
        expect(serde.read(shifted, shift, shift + bytes.length)).toEqual({ oldValue, newValue })
      }),
      { numRuns: 100 },
    )
  })

  it.each([[[]], [[1, 2, 3]], [[200, 1, 65, 2]]])('refuses what is no change: %j', (bytes) => {
    expect(() => serde.read(Buffer.from(bytes), 0, bytes.length)).toThrow(
      expect.objectContaining({ code: 'SERDE_FAILED' }),
    )
  })
})
