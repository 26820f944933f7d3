/** What every clock, its timers and every source of randomness have to do; disks and networks have files of their own. */
import { describe, expect, it } from 'vitest'
import type { Clock, Random, Timers } from '../../src/env/environment.ts'

export interface ClockUnderTest {
  readonly clock: Clock
  readonly timers: Timers
  /** Lets at least so much time go by, and everything that is due have its turn. */
  pass(ms: number): Promise<void>
}

export function describeClock(name: string, makeClock: () => ClockUnderTest): void {
  describe(`clock and timers: ${name}`, () => {
    it('never goes back, and goes on as time passes', async () => {
      const { clock, pass } = makeClock()
      const before = clock.monotonicMs()
      const wallBefore = clock.wallMs()
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before)
      await pass(5)
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before + 5)
      expect(clock.wallMs()).toBeGreaterThan(wallBefore)
    })

    it('runs timers in the order of their times, not that in which they were set', async () => {
      const { timers, pass } = makeClock()
      const order: string[] = []
      timers.after(30, () => order.push('30'))
      timers.after(1, () => order.push('1'))
      timers.after(15, () => order.push('15'))
      expect(order).toEqual([])
      await pass(60)
      expect(order).toEqual(['1', '15', '30'])
    })

    it('never runs a timer before its time', async () => {
      const { clock, timers, pass } = makeClock()
      const early: number[] = []
      for (const delayMs of [0, 0.3, 1, 1.7, 2, 3, 5]) {
        const dueMs = clock.monotonicMs() + delayMs
        timers.after(delayMs, () => early.push(Math.max(0, dueMs - clock.monotonicMs())))
      }
      await pass(30)
      expect(early).toEqual([0, 0, 0, 0, 0, 0, 0])
    })

    it('runs a timer that a timer sets', async () => {
      const { timers, pass } = makeClock()
      let runs = 0
      timers.after(1, () => timers.after(1, () => (runs += 1)))
      await pass(30)
      expect(runs).toBe(1)
    })

    it('does not run a timer in the call that sets it, and takes a delay in the past for none', async () => {
      const { timers, pass } = makeClock()
      let runs = 0
      timers.after(-5, () => (runs += 1))
      expect(runs).toBe(0)
      await pass(5)
      expect(runs).toBe(1)
    })

    it('takes a timer back, also twice and after it ran', async () => {
      const { timers, pass } = makeClock()
      const runs: string[] = []
      const cancelled = timers.after(2, () => runs.push('cancelled'))
      const kept = timers.after(2, () => runs.push('kept'))
      cancelled()
      cancelled()
      await pass(20)
      kept()
      expect(runs).toEqual(['kept'])
    })

    it.each([2 ** 31, 2 ** 32 + 5, 2 ** 53, Number.POSITIVE_INFINITY])(
      'does not run a delay of %d ms at once',
      async (delayMs) => {
        const { timers, pass } = makeClock()
        let isRun = false
        const cancel = timers.after(delayMs, () => {
          isRun = true
        })
        await pass(20)
        cancel()
        expect(isRun).toBe(false)
      },
    )

    it('refuses a delay that is not a number', () => {
      const { timers } = makeClock()
      expect(() => timers.after(Number.NaN, () => {})).toThrow('number')
    })

    it('gives promises that can settle their turn first', async () => {
      const { timers } = makeClock()
      const order: string[] = []
      const chain = Promise.resolve()
        .then(() => order.push('first'))
        .then(() => order.push('second'))
      await timers.nextTurn()
      order.push('turn')
      await chain
      expect(order).toEqual(['first', 'second', 'turn'])
    })
  })
}

export function describeRandom(name: string, makeRandom: () => Random): void {
  describe(`random: ${name}`, () => {
    it('gives integers of 32 bits, in which every bit is as often set as not', () => {
      const random = makeRandom()
      const set = new Array<number>(32).fill(0)
      const draws = 4000
      for (let i = 0; i < draws; i++) {
        const word = random.uint32()
        expect(word >>> 0).toBe(word)
        for (let bit = 0; bit < 32; bit++) set[bit]! += (word >>> bit) & 1
      }
      // Seven standard deviations: a fair source fails this once in ten thousand million runs.
      const slack = 7 * Math.sqrt(draws / 4)
      for (const count of set) expect(Math.abs(count - draws / 2)).toBeLessThan(slack)
    })

    it('gives version 4 UUIDs that differ', () => {
      const random = makeRandom()
      const uuids = Array.from({ length: 200 }, () => random.uuid())
      for (const uuid of uuids) {
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
      expect(new Set(uuids).size).toBe(200)
    })
  })
}
