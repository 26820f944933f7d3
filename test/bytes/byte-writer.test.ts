import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'

describe('ByteWriter', () => {
  it('writes text as UTF-8, short or long, of whatever characters', () => {
    const texts = fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 40 })))
    const out = new ByteWriter(1)
    fc.assert(
      fc.property(texts, (parts) => {
        out.clear()
        for (const part of parts) out.writeUtf8(part)
        expect(out.toBuffer()).toEqual(Buffer.from(parts.join('')))
      }),
    )
  })

  it('copies ranges of other buffers, short or long', () => {
    const source = Buffer.from(Array.from({ length: 100 }, (_, index) => index))
    const out = new ByteWriter(1)
    for (let length = 0; length < 90; length++) out.writeRange(source, 3, 3 + length)
    const expected = Array.from({ length: 90 }, (_, length) => source.subarray(3, 3 + length))
    expect(out.toBuffer()).toEqual(Buffer.concat(expected))
  })

  it('writes numbers big-endian', () => {
    const out = new ByteWriter(1)
    out.writeInt8(-1)
    out.writeInt16(-2)
    out.writeInt32(-3)
    out.writeInt64(-4_294_967_297)
    out.writeFloat64(0.5)
    expect(out.toBuffer().toString('hex')).toBe('ff' + 'fffe' + 'fffffffd' + 'fffffffeffffffff' + '3fe0000000000000')
  })

  it('gives out a copy, which later writes leave alone', () => {
    const out = new ByteWriter()
    out.writeUtf8('one')
    const first = out.toBuffer()
    out.clear()
    out.writeUtf8('two')
    expect(first.toString()).toBe('one')
  })
})
