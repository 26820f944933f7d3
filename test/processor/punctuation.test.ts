import { describe, expect, it } from 'vitest'
import { type KStream, type ProcessorContext, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })

type Schedule = (context: ProcessorContext<string, string>, called: (what: string) => void) => void

/** A driver on one processor that schedules in `init`, and what was called since it was last asked. */
function scheduled(schedule: Schedule, write = (_: KStream<string, string>) => {}) {
  let calls: string[] = []
  const builder = new StreamsBuilder()
  write(
    builder.stream(words).process(
      () => ({
        init: (context) => schedule(context, (what) => calls.push(what)),
        process: () => void calls.push('record'),
      }),
      { name: 'punctuated' },
    ),
  )
  const driver = new TopologyTestDriver(builder.build(), { startMs: 1_000 })
  const since = () => {
    const made = calls
    calls = []
    return made
  }
  return {
    driver,
    /** What is called for a record with that event time. */
    at: (timestamp: number) => {
      driver.input(words).pipe({ key: 'k', value: 'v', timestamp })
      return since()
    },
    /** What is called when the clock on the wall goes on. */
    later: (ms: number) => {
      driver.advanceWallClockTime(ms)
      return since()
    },
  }
}

const refused = (what: string) =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) })

describe('punctuation in stream time', () => {
  const everyTen: Schedule = (context, called) =>
    void context.schedule(10, 'stream-time', (timestamp) => called(`at ${timestamp}`))

  it('is called after the first record, and then when the time passes a multiple of the interval', () => {
    const { at } = scheduled(everyTen)
    expect(at(3)).toEqual(['record', 'at 3'])
    expect(at(9)).toEqual(['record'])
    expect(at(10)).toEqual(['record', 'at 10'])
    expect(at(19)).toEqual(['record'])
    expect(at(5)).toEqual(['record'])
    expect(at(21)).toEqual(['record', 'at 21'])
    expect(at(29)).toEqual(['record'])
  })

  it('is called once when the time passes several, with the time as it is', () => {
    const { at } = scheduled(everyTen)
    at(3)
    expect(at(57)).toEqual(['record', 'at 57'])
    expect(at(59)).toEqual(['record'])
    expect(at(60)).toEqual(['record', 'at 60'])
  })

  it('is not called when the clock on the wall goes on', () => {
    const { at, later } = scheduled(everyTen)
    at(3)
    expect(later(1_000)).toEqual([])
  })

  it('counts from a start', () => {
    const { at } = scheduled((context, called) =>
      context.schedule(10, 'stream-time', (timestamp) => called(`at ${timestamp}`), { startAt: 25 }),
    )
    expect(at(24)).toEqual(['record'])
    expect(at(26)).toEqual(['record', 'at 26'])
    expect(at(34)).toEqual(['record'])
    expect(at(35)).toEqual(['record', 'at 35'])
  })

  it('begins anew after a restart, when the first record comes', () => {
    const { driver, at } = scheduled(everyTen)
    at(12)
    driver.restart()
    expect(at(13)).toEqual(['record', 'at 13'])
    expect(at(14)).toEqual(['record'])
    driver.restart()
    // The time is that of the task, which was kept, not that of the record.
    expect(at(3)).toEqual(['record', 'at 14'])
  })

  it('of several is called in the order of their times', () => {
    const { at } = scheduled((context, called) => {
      context.schedule(10, 'stream-time', () => called('ten'))
      context.schedule(4, 'stream-time', () => called('four'))
    })
    expect(at(1)).toEqual(['record', 'ten', 'four'])
    expect(at(11)).toEqual(['record', 'four', 'ten'])
  })
})

describe('punctuation by the clock on the wall', () => {
  const everyHundred: Schedule = (context, called) =>
    void context.schedule('100ms', 'wall-clock', (timestamp) => called(`at ${timestamp}`))

  it('is called when an interval is over since it was scheduled, and then once each', () => {
    const { at, later } = scheduled(everyHundred)
    expect(at(5_000_000)).toEqual(['record'])
    expect(later(99)).toEqual([])
    expect(later(1)).toEqual(['at 1100'])
    expect(later(99)).toEqual([])
    expect(later(2)).toEqual(['at 1201'])
    expect(later(99)).toEqual(['at 1300'])
  })

  it('leaves out what it missed', () => {
    const { later } = scheduled(everyHundred)
    expect(later(350)).toEqual(['at 1350'])
    expect(later(49)).toEqual([])
    expect(later(1)).toEqual(['at 1400'])
  })

  it('keeps to a start, in the past or to come', () => {
    const every = (startAt: number) =>
      scheduled((context, called) =>
        context.schedule(100, 'wall-clock', (timestamp) => called(`at ${timestamp}`), { startAt }),
      )
    const past = every(30)
    expect(past.later(29)).toEqual([])
    expect(past.later(1)).toEqual(['at 1030'])
    const future = every(1_250)
    expect(future.later(249)).toEqual([])
    expect(future.later(1)).toEqual(['at 1250'])
    expect(future.later(100)).toEqual(['at 1350'])
    expect(every(1_000).later(99)).toEqual([])
  })

  it('counts from the restart on', () => {
    const { driver, later } = scheduled(everyHundred)
    later(50)
    driver.restart()
    expect(later(50)).toEqual([])
    expect(later(50)).toEqual(['at 1150'])
  })
})

describe('a punctuation', () => {
  it('hands on records, which come from nowhere, with the timestamps they are given', () => {
    const metadata: unknown[] = []
    const { driver, later } = scheduled(
      (context) =>
        context.schedule(100, 'wall-clock', (timestamp) => {
          metadata.push(context.recordMetadata)
          context.forward({ key: 'tick', value: String(timestamp), timestamp: 77 })
        }),
      (stream) =>
        stream
          .process(() => ({
            process(record, context) {
              metadata.push(context.recordMetadata)
              context.forward(record)
            },
          }))
          .to(texts),
    )
    later(100)
    expect(driver.output(texts).readAll()).toEqual([{ key: 'tick', value: '1100', timestamp: 77 }])
    expect(metadata).toEqual([undefined, undefined])
  })

  it('keeps nothing of the record before it', () => {
    const { driver, at } = scheduled(
      (context) =>
        context.schedule(10, 'stream-time', (timestamp) => context.forward({ key: 'k', value: 'v', timestamp })),
      (stream) => stream.to(texts),
    )
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 3, headers: [{ key: 'trace', value: null }] })
    expect(driver.output(texts).readAll()).toEqual([{ key: 'k', value: 'v', timestamp: 3 }])
    at(4)
    expect(driver.output(texts).isEmpty).toBe(true)
  })

  it('can end itself, and begin others', () => {
    const { at } = scheduled((context, called) => {
      const cancel = context.schedule(10, 'stream-time', () => {
        called('first')
        cancel()
        context.schedule(10, 'stream-time', () => called('second'), { startAt: 20 })
      })
    })
    expect(at(1)).toEqual(['record', 'first'])
    expect(at(15)).toEqual(['record'])
    expect(at(20)).toEqual(['record', 'second'])
  })

  it('that throws says which operator it was, and leaves nothing', () => {
    let isBroken = true
    const { driver, later } = scheduled(
      (context) =>
        context.schedule(100, 'wall-clock', (timestamp) => {
          context.forward({ key: 'tick', value: 'tock', timestamp })
          if (isBroken) throw new Error('no')
        }),
      (stream) => stream.to(texts),
    )
    expect(() => later(100)).toThrow(
      expect.objectContaining({ code: 'OPERATOR_FAILED', at: { operator: 'punctuated' } }),
    )
    expect(driver.output(texts).isEmpty).toBe(true)
    isBroken = false
    later(100)
    expect(driver.output(texts).readAll()).toHaveLength(1)
  })

  it('in stream time that throws says nothing of the next record', () => {
    const { driver, at } = scheduled((context) =>
      context.schedule(10, 'stream-time', () => {
        throw new Error('no')
      }),
    )
    expect(() => at(1)).toThrow(expect.objectContaining({ code: 'OPERATOR_FAILED', at: { operator: 'punctuated' } }))
    expect(driver.drops()).toEqual([])
  })

  it('needs an interval and a start that there are', () => {
    for (const interval of [0, -1, 0.5]) {
      const schedule: Schedule = (context) => void context.schedule(interval, 'stream-time', () => {})
      expect(() => scheduled(schedule)).toThrow(refused('interval'))
    }
    const schedule: Schedule = (context) => void context.schedule(1, 'wall-clock', () => {}, { startAt: Number.NaN })
    expect(() => scheduled(schedule)).toThrow(refused('start at NaN'))
  })
})
