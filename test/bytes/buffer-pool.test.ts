import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferLoan } from '../../src/bytes/buffer-loan.ts'
import { BufferPool } from '../../src/bytes/buffer-pool.ts'

const KiB = 1024
const MiB = 1024 * KiB

describe('BufferPool', () => {
  it('gives enough, at most a quarter more where it may be used again, and exactly enough elsewhere', () => {
    const pool = new BufferPool(MiB)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 * MiB }), (bytes) => {
        const { length } = pool.take(bytes)
        expect(length).toBeGreaterThanOrEqual(bytes)
        expect(length).toBeLessThanOrEqual(bytes < 16 * KiB || bytes > 4 * MiB ? bytes : bytes * 1.25)
      }),
    )
  })

  it('never has two users of one buffer, and never keeps more than it may', () => {
    const steps = fc.array(fc.record({ gives: fc.boolean(), bytes: fc.integer({ min: 1, max: 300 * KiB }) }))
    fc.assert(
      fc.property(steps, (list) => {
        const pool = new BufferPool(256 * KiB)
        const used: Buffer[] = []
        for (const { gives, bytes } of list) {
          const buffer = gives ? used.shift() : undefined
          if (buffer === undefined) used.push(pool.take(bytes))
          else pool.give(buffer.subarray(0, bytes))
          expect(pool.freeBytes).toBeLessThanOrEqual(256 * KiB)
          expect(new Set(used.map((one) => one.buffer)).size).toBe(used.length)
        }
      }),
    )
  })

  it('gives again what it was given, from any part of it', () => {
    const pool = new BufferPool(MiB)
    const first = pool.take(20_000)
    pool.give(first.subarray(4, 8))
    expect(pool.freeBytes).toBe(first.length)
    const second = pool.take(19_000)
    expect(second.buffer).toBe(first.buffer)
    expect(second.length).toBe(first.length)
    expect(pool.freeBytes).toBe(0)
  })

  it('leaves alone what it could not have given', () => {
    const pool = new BufferPool(MiB)
    pool.give(Buffer.alloc(16 * KiB + 1))
    pool.give(Buffer.alloc(10))
    pool.give(Buffer.alloc(8 * MiB))
    expect(pool.freeBytes).toBe(0)
  })
})

describe('BufferLoan', () => {
  it('gives back everything that was taken, once', () => {
    const pool = new BufferPool(MiB)
    const loan = new BufferLoan(pool)
    const taken = loan.take(32 * KiB).length + loan.take(64 * KiB).length
    loan.giveBack()
    loan.giveBack()
    expect(pool.freeBytes).toBe(taken)
  })
})
