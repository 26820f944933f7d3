import { describe, expect, it } from 'vitest'
import { windowAggregate } from '../../../src/dsl/operators/window-aggregate.ts'
import { TimeWindows } from '../../../src/dsl/windows.ts'
import { jsonSerde } from '../../../src/serde/json-serde.ts'
import { stringSerde } from '../../../src/serde/string-serde.ts'
import { memoryEngine } from '../../../src/state/memory-engine.ts'
import { windowStore } from '../../../src/state/window-store.ts'
import { count, type Pipeline, reduce, sessionCount, suppressed, windowedCount } from './aggregate-fixtures.ts'
import { type Input, OperatorRun } from './operator-run.ts'

const engine = () => memoryEngine.open({ directory: undefined, store: '' })

function start({ operators, stores }: Pipeline): OperatorRun {
  return new OperatorRun(
    operators,
    stores.map((create) => create(engine())),
  )
}

function at(timestamp: number, key: string | null = 'k', value: string | null = 'v'): Input {
  return { key, value, timestamp }
}

describe('keyValueAggregate', () => {
  it('drops records without key or value, and counts them', () => {
    const run = start(count())
    expect(run.process(at(1))).toEqual(['(k, 1, ts=1)'])
    expect(run.process(at(2, 'k', null))).toEqual([])
    expect(run.process(at(3, null))).toEqual([])
    expect(run.process(at(0))).toEqual(['(k, 2, ts=1)'])
    expect(run.drops).toEqual({ 'null-key': 1, 'null-value': 1 })
  })

  it('begins anew after a reducer deleted', () => {
    const run = start(reduce((before, value) => (value === 'x' ? null : before + value)))
    const outputs = ['a', 'b', 'x', 'c'].flatMap((value, i) => run.process(at(i, 'k', value)))
    expect(outputs).toEqual(['(k, a, ts=0)', '(k, ab, ts=1)', '(k, null, ts=2)', '(k, c, ts=3)'])
  })
})

describe('windowAggregate', () => {
  it('takes late records until the grace period after the end of their window is over', () => {
    const run = start(windowedCount({ size: 10, grace: 5 }))
    const outputs = [3, 14, 2, 15, 2].map((timestamp) => run.process(at(timestamp)).join(' '))
    expect(outputs).toEqual([
      '(k@[0,10], 1, ts=3)',
      '(k@[10,20], 1, ts=14)',
      '(k@[0,10], 2, ts=3)',
      '(k@[10,20], 2, ts=15)',
      '',
    ])
    expect(run.late).toEqual(['(k, v, ts=2)'])
    expect(run.drops).toEqual({ late: 1 })
  })

  it('counts a record as late for some of its windows once, where others take it', () => {
    const run = start(windowedCount({ size: 10, advance: 2 }))
    run.process(at(20))
    expect(run.process(at(15, 'j'))).toEqual(['(j@[12,22], 1, ts=15)', '(j@[14,24], 1, ts=15)'])
    expect(run.drops).toEqual({ 'late-for-some': 1 })
    expect(run.late).toEqual([])
  })

  it('begins no window before 1970', () => {
    const run = start(windowedCount({ size: 10, advance: 3 }))
    expect(run.process(at(4))).toEqual(['(k@[0,10], 1, ts=4)', '(k@[3,13], 1, ts=4)'])
  })

  it('counts records without a value, as Kafka Streams does', () => {
    const run = start(windowedCount({ size: 10 }))
    expect(run.process(at(1, 'k', null))).toEqual(['(k@[0,10], 1, ts=1)'])
  })

  it('hands the decoded key to the aggregator, and the old value to the children', () => {
    const seen: unknown[] = []
    const serdes = { key: stringSerde, value: jsonSerde<unknown>() }
    const create = windowAggregate({
      store: 'windows',
      windows: TimeWindows.of(10),
      initializer: () => [],
      aggregator: (aggregate, value, key) => [...(aggregate as string[]), `${key}:${value}`],
      skipsNullValues: true,
      isFinal: false,
    })
    const spy = {
      process: (record: { oldValue: unknown; value(): unknown }) => seen.push([record.oldValue, record.value()]),
    }
    const spied = () => ({ init: () => {}, process: spy.process })
    const store = windowStore({ name: 'windows', ...serdes, sizeMs: 10, retentionMs: 10 })(engine())
    const run = new OperatorRun([create, spied], [store])
    run.process(at(1, 'k', 'a'))
    run.process(at(2, 'k', 'b'))
    expect(seen).toEqual([
      [undefined, ['k:a']],
      [['k:a'], ['k:a', 'k:b']],
    ])
  })

  it('does not start with a store that forgets windows before they close', () => {
    const { operators } = windowedCount({ size: 10, grace: 5 })
    const serdes = { key: stringSerde, value: jsonSerde<unknown>() }
    const store = windowStore({ name: 'windows', ...serdes, sizeMs: 10, retentionMs: 14 })
    expect(() => start({ operators, stores: [store] })).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })
})

describe('sessionAggregate', () => {
  it('takes back each session that a record joins, then hands on what they became', () => {
    const run = start(sessionCount({ gap: 10, grace: 100 }))
    const outputs = [0, 30, 15, 10, 22].map((timestamp) => run.process(at(timestamp)).join(' '))
    expect(outputs).toEqual([
      '(k@[0,0], 1, ts=0)',
      '(k@[30,30], 1, ts=30)',
      '(k@[15,15], 1, ts=15)',
      '(k@[0,0], null, ts=0) (k@[15,15], null, ts=15) (k@[0,15], 3, ts=15)',
      '(k@[0,15], null, ts=15) (k@[30,30], null, ts=30) (k@[0,30], 5, ts=30)',
    ])
  })

  it('replaces the row of a session of one time without a deletion', () => {
    const run = start(sessionCount({ gap: 10 }))
    expect([...run.process(at(5)), ...run.process(at(5))]).toEqual(['(k@[5,5], 1, ts=5)', '(k@[5,5], 2, ts=5)'])
  })

  it('drops what would end up in a closed session, but lets a late record join an open one', () => {
    const run = start(sessionCount({ gap: 10 }))
    run.process(at(20))
    run.process(at(31, 'other'))
    expect(run.process(at(20, 'new'))).toEqual([])
    expect(run.process(at(21, 'new'))).toEqual(['(new@[21,21], 1, ts=21)'])
    run.process(at(25, 'open'))
    expect(run.process(at(16, 'open'))).toEqual(['(open@[25,25], null, ts=25)', '(open@[16,25], 2, ts=25)'])
    expect(run.drops).toEqual({ late: 1 })
    expect(run.late).toEqual(['(new, v, ts=20)'])
  })

  it('joins no session that is closed, even where a record would join it to an open one', () => {
    const run = start(sessionCount({ gap: 10 }))
    for (const timestamp of [10, 22, 30]) run.process(at(timestamp))
    expect(run.process(at(16))).toEqual(['(k@[22,30], null, ts=30)', '(k@[16,30], 3, ts=30)'])
  })
})

describe('suppressUntilWindowCloses', () => {
  it('hands on the last result of each window in the order of end and key, with its own timestamp', () => {
    const run = start(suppressed(windowedCount({ size: 10 }), 'time', { waitMs: 0 }, 10))
    for (const [timestamp, key] of [
      [3, 'k'],
      [5, 'j'],
      [9, 'k'],
      [4, 'a'],
    ] as const) {
      expect(run.process(at(timestamp, key))).toEqual([])
    }
    expect(run.process(at(31))).toEqual(['(a@[0,10], 1, ts=4)', '(j@[0,10], 1, ts=5)', '(k@[0,10], 2, ts=9)'])
    expect(run.process(at(40))).toEqual(['(k@[30,40], 1, ts=31)'])
  })

  it('holds back the deletions of sessions that were joined', () => {
    const run = start(suppressed(sessionCount({ gap: 10 }), 'session', { waitMs: 10 }))
    expect([0, 8, 12].flatMap((timestamp) => run.process(at(timestamp)))).toEqual([])
    expect(run.process(at(60, 'other'))).toEqual(['(k@[0,12], 3, ts=12)'])
  })
})
