import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteChunks } from '../../src/bytes/byte-chunks.ts'

describe('ByteChunks', () => {
  it('keeps what was put, whatever comes after it', () => {
    const anyBytes = fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 60 }) },
      fc.integer({ min: 1_000, max: 20_000 }).map((size) => new Uint8Array(size).fill(size)),
    )
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 60 }), (all) => {
        const chunks = new ByteChunks()
        const kept = all.map((bytes) => {
          const source = Buffer.concat([Buffer.from('..'), bytes, Buffer.from('.')])
          chunks.put(source, 2, 2 + bytes.length)
          source.fill(0)
          return chunks.buffer.subarray(chunks.start, chunks.end)
        })
        expect(kept.map((bytes) => bytes.toString('hex'))).toEqual(all.map((each) => Buffer.from(each).toString('hex')))
      }),
    )
  })
})
