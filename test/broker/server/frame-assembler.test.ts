import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameAssembler } from '../../../src/broker/server/frame-assembler.ts'
import { BufferPool } from '../../../src/bytes/buffer-pool.ts'

function framed(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return [size, body]
    }),
  )
}

describe('FrameAssembler', () => {
  it('gives the same frames however the bytes are cut', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (expected, lengths) => {
        const frames: Buffer[] = []
        const assembler = new FrameAssembler({ maxFrameBytes: () => 40, onFrame: (frame) => frames.push(frame) })
        const bytes = framed(expected)
        for (let at = 0; at < bytes.length; ) {
          const piece = Buffer.from(bytes.subarray(at, at + (lengths.next().value as number)))
          at += piece.length
          assembler.take(piece)
          // The network uses its buffer again.
          piece.fill(0xdb)
        }
        expect(frames).toEqual(expected.map((body) => Buffer.from(body)))
        expect(assembler.isInFrame).toBe(false)
      }),
    )
  })

  it('puts frames together in buffers of a pool, which it has back as soon as a larger one has taken over', () => {
    const pool = new BufferPool(1 << 20)
    const frames: Buffer[] = []
    const assembler = new FrameAssembler({
      maxFrameBytes: () => 1 << 20,
      onFrame: (frame) => frames.push(frame),
      buffers: pool,
    })
    const body = Buffer.alloc(200_000, 7)
    const bytes = framed([body])
    for (let at = 0; at < bytes.length; at += 30_000) assembler.take(bytes.subarray(at, at + 30_000))
    expect(frames).toEqual([body])
    expect(pool.freeBytes).toBeGreaterThan(30_000)
    const before = pool.freeBytes
    pool.give(frames[0] as Buffer)
    expect(pool.freeBytes).toBeGreaterThanOrEqual(before + body.length)
  })

  it.each([0, -1, -2_147_483_648, 101, 2_147_483_647])('refuses a size of %i at once', (size) => {
    const assembler = new FrameAssembler({ maxFrameBytes: () => 100, onFrame: () => {} })
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(size)
    expect(() => assembler.take(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED_MESSAGE' }))
  })

  it('holds little of a frame that announces much', () => {
    const frames: Buffer[] = []
    const assembler = new FrameAssembler({ maxFrameBytes: () => 1 << 30, onFrame: (frame) => frames.push(frame) })
    const size = Buffer.alloc(4)
    size.writeInt32BE(300_000)
    const before = process.memoryUsage().arrayBuffers
    const many = Array.from(
      { length: 100 },
      () => new FrameAssembler({ maxFrameBytes: () => 1 << 30, onFrame: () => {} }),
    )
    const huge = Buffer.alloc(4)
    huge.writeInt32BE(1 << 30)
    for (const one of many) one.take(Buffer.concat([huge, Buffer.from('x')]))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 80_000)
    assembler.take(size)
    const body = Buffer.alloc(300_000, 7)
    for (let at = 0; at < body.length; at += 50_000) assembler.take(body.subarray(at, at + 50_000))
    expect(frames).toEqual([body])
  })
})
