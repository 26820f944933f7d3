import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/env/virtual-clock.ts'

describe('a virtual clock', () => {
  it('stands still until it is advanced', () => {
    const clock = new VirtualClock(1_000)
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([0, 1_000])
    clock.advance(250)
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([250, 1_250])
  })

  it('runs each timer at exactly its time, those of one time in the order in which they were set', () => {
    const clock = new VirtualClock()
    const runs: string[] = []
    for (const [name, delayMs] of [
      ['a', 20],
      ['b', 10],
      ['c', 20],
      ['d', 21],
      ['e', 10],
    ] as const) {
      clock.after(delayMs, () => runs.push(`${name}@${clock.monotonicMs()}`))
    }
    clock.advance(20)
    expect(runs).toEqual(['b@10', 'e@10', 'a@20', 'c@20'])
    expect(clock.pendingTimers).toBe(1)
    clock.advance(1)
    expect(runs.at(-1)).toBe('d@21')
  })

  it('runs timers that timers set, as far as the advance reaches', () => {
    const clock = new VirtualClock()
    const ticks: number[] = []
    const tick = () => {
      ticks.push(clock.monotonicMs())
      clock.after(10, tick)
    }
    clock.after(10, tick)
    clock.advance(35)
    expect(ticks).toEqual([10, 20, 30])
    expect(clock.monotonicMs()).toBe(35)
  })

  it('forgets cancelled timers at once', () => {
    const clock = new VirtualClock()
    const cancels = Array.from({ length: 100 }, (_, i) => clock.after((i * 37) % 11, () => {}))
    for (const cancel of cancels) cancel()
    expect(clock.pendingTimers).toBe(0)
  })

  it('cancels a timer of the same time from the one before it', () => {
    const clock = new VirtualClock()
    const runs: string[] = []
    clock.after(5, () => {
      runs.push('first')
      cancelSecond()
    })
    const cancelSecond = clock.after(5, () => runs.push('second'))
    clock.advance(10)
    expect(runs).toEqual(['first'])
  })

  it('lets promises see the clock at the time of their timer when it advances asynchronously', async () => {
    const clock = new VirtualClock()
    const seen: number[] = []
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
    const work = async () => {
      for (let i = 0; i < 3; i++) {
        await sleep(10)
        seen.push(clock.monotonicMs())
      }
    }
    const done = work()
    await clock.advanceAsync(100)
    await done
    expect(seen).toEqual([10, 20, 30])
    expect(clock.monotonicMs()).toBe(100)
  })

  it('moves only the wall clock in a jump', () => {
    const clock = new VirtualClock(10_000)
    let runs = 0
    clock.after(5, () => {
      runs += 1
    })
    clock.jumpWall(-3_000)
    expect([clock.wallMs(), clock.monotonicMs(), runs]).toEqual([7_000, 0, 0])
  })

  it('does not go back', () => {
    expect(() => new VirtualClock().advance(-1)).toThrow('zero milliseconds or more')
  })
})
