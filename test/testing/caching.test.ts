import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KTable } from '../../src/index.ts'
import {
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  untilTimeLimit,
  type Windowed,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const others = topic('others', { key: serde.string, value: serde.string })
const results = topic('results', { key: serde.string, value: serde.json<unknown>() })
const inWindows = topic('in-windows', {
  key: serde.windowed(serde.string, { size: 10 }),
  value: serde.json<unknown>(),
})
const inSessions = topic('in-sessions', { key: serde.sessionWindowed(serde.string), value: serde.json<unknown>() })

interface Input {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
}

const at = (timestamp: number, key: string, value: string | null): Input => ({ key, value, timestamp })

/** `key=value@timestamp` of what came out. */
function lines(driver: TopologyTestDriver): string[] {
  return driver
    .output(results)
    .readAll()
    .map(({ key, value, timestamp }) => `${key}=${JSON.stringify(value)}@${timestamp}`)
}

function windowLines(driver: TopologyTestDriver, out: typeof inWindows): string[] {
  return driver
    .output(out)
    .readAll()
    .map(({ key, value, timestamp }) => {
      const { key: inner, window } = key as Windowed<string>
      return `${inner}[${window.start},${window.end}]=${JSON.stringify(value)}@${timestamp}`
    })
}

function counting(maxCacheBytes?: number): TopologyTestDriver {
  const builder = new StreamsBuilder()
  builder.stream(words).groupByKey().count({ store: 'counts', caching: true }).toStream().to(results)
  return new TopologyTestDriver(builder.build(), maxCacheBytes === undefined ? {} : { maxCacheBytes })
}

describe('updates that wait in a record cache', () => {
  it('are merged until the commit, and handed on by the last update of each row', () => {
    using driver = counting()
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'b', 'x'), at(3, 'a', 'x'), at(2, 'c', 'x')])
      expect(lines(driver)).toEqual([])
      expect(driver.store('counts').get('a')?.value).toBe(2)
    })
    expect(lines(driver)).toEqual(['b=1@2', 'a=2@3', 'c=1@2'])
  })

  it('are handed on at once by a driver that commits after each record, as by Kafka Streams’', () => {
    using driver = counting()
    driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'b', 'x'), at(3, 'a', 'x')])
    expect(lines(driver)).toEqual(['a=1@1', 'b=1@2', 'a=2@3'])
  })

  it('go all together when the bound is exceeded, the one that was updated longest ago first', () => {
    // Kafka Streams' measure: 45 bytes, the letters of the topic, the key, 8 of a timestamp and 8 of a count.
    const bytes = 45 + 'words'.length + 1 + 16
    using driver = counting(2 * bytes)
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'b', 'x'), at(3, 'a', 'x')])
      expect(lines(driver)).toEqual([])
      driver.input(words).pipe(at(4, 'c', 'x'))
      expect(lines(driver)).toEqual(['b=1@2', 'a=2@3', 'c=1@4'])
      driver.input(words).pipe(at(5, 'a', 'x'))
      expect(lines(driver)).toEqual([])
    })
    expect(lines(driver)).toEqual(['a=3@5'])
  })

  it('do not wait where the bound is 0', () => {
    using driver = counting(0)
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'x')])
      expect(lines(driver)).toEqual(['a=1@1', 'a=2@2'])
    })
  })

  it('are gone with what a batch did before one of its records failed', () => {
    const builder = new StreamsBuilder()
    const refuse = (count: number, value: string): number => {
      if (value === 'bad') throw new Error('refused')
      return count + 1
    }
    const counted = builder.stream(words).groupByKey()
    counted
      .aggregate(() => 0, refuse, { store: 'counts', value: serde.json<number>(), caching: true })
      .toStream()
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe(at(1, 'a', 'x'))
    expect(() =>
      driver.batch(() => driver.input(words).pipeAll([at(2, 'a', 'x'), at(3, 'b', 'x'), at(4, 'a', 'bad')])),
    ).toThrow('refused')
    driver.input(words).pipe(at(5, 'a', 'x'))
    expect(lines(driver)).toEqual(['a=1@1', 'a=2@5'])
  })

  it('say of an error further down from which record they came', () => {
    const builder = new StreamsBuilder()
    const table = builder.stream(words).groupByKey().count({ store: 'counts', caching: true })
    table
      .toStream()
      .peek((count) => {
        if (count === 2) throw new Error('two')
      })
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    const pipes = () => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'x'), at(3, 'b', 'x')])
    expect(() => driver.batch(pipes)).toThrow(
      expect.objectContaining({ code: 'OPERATOR_FAILED', at: expect.objectContaining({ topic: 'words', offset: 1 }) }),
    )
  })

  it('are in the store after a restart, and committed once', () => {
    using driver = counting()
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'x')]))
    driver.restart()
    driver.batch(() => driver.input(words).pipe(at(3, 'a', 'x')))
    expect(lines(driver)).toEqual(['a=2@2', 'a=3@3'])
  })

  it('carry the headers of the last record', () => {
    using driver = counting()
    const header = (value: string) => [{ key: 'h', value: Buffer.from(value) }]
    driver.batch(() => {
      driver.input(words).pipe({ ...at(1, 'a', 'x'), headers: header('first') })
      driver.input(words).pipe({ ...at(2, 'a', 'x'), headers: header('second') })
      driver.input(words).pipe(at(3, 'b', 'x'))
    })
    const [a, b] = driver.output(results).readAll()
    expect(a.headers?.map(({ value }) => String(value))).toEqual(['second'])
    expect(b.headers ?? []).toEqual([])
  })
})

describe('rows that come and go between two commits', () => {
  function table(): TopologyTestDriver {
    const builder = new StreamsBuilder()
    builder.table(words, { store: 'rows', caching: true }).toStream().to(results)
    return new TopologyTestDriver(builder.build())
  }

  it('are not handed on, but a deletion of what was handed on is', () => {
    using driver = table()
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', null), at(3, 'b', 'x')]))
    expect(lines(driver)).toEqual(['b="x"@3'])
    driver.batch(() => driver.input(words).pipeAll([at(4, 'b', 'y'), at(5, 'b', null)]))
    expect(lines(driver)).toEqual(['b=null@5'])
    driver.batch(() => driver.input(words).pipeAll([at(6, 'b', null), at(7, 'b', null)]))
    expect(lines(driver)).toEqual([])
  })

  it('are not known to a table whose operator does not keep the values before', () => {
    const builder = new StreamsBuilder()
    const rows = builder
      .table(words)
      .filter((value) => value !== 'no', { store: 'kept', value: serde.string, caching: true })
    rows.toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'no'), at(2, 'b', 'yes'), at(3, 'b', 'no')]))
    expect(lines(driver)).toEqual([])
    driver.batch(() => driver.input(words).pipeAll([at(4, 'b', 'yes'), at(5, 'a', 'no')]))
    expect(lines(driver)).toEqual(['b="yes"@4'])
  })
})

describe('the value before of a merged update', () => {
  it('is the one that was handed on before, so that a groupBy takes out what it put in', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(words, { store: 'rows', caching: true })
    const grouped = table.groupBy((value) => [value, value], { key: serde.string, value: serde.string })
    grouped.count({ store: 'by-value' }).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'b', 'x')]))
    driver.batch(() =>
      driver.input(words).pipeAll([at(3, 'a', 'y'), at(4, 'a', 'z'), at(5, 'b', 'y'), at(6, 'b', 'x')]),
    )
    expect(['x', 'y', 'z'].map((value) => driver.store('by-value').get(value)?.value)).toEqual([1, undefined, 1])
  })

  it('is as it was handed on where the aggregate was changed in place since', () => {
    const builder = new StreamsBuilder()
    const options = { store: 'lists', value: serde.json<string[]>(), caching: true }
    const add = (list: string[], value: string): string[] => {
      if (value === 'new') return ['new', 'new', 'new', 'new']
      list.push(value)
      return list
    }
    const lists = builder
      .stream(words)
      .groupByKey()
      .aggregate((): string[] => [], add, options)
    // The first list passes; it grows in place so that it would not, and then another one takes its place.
    lists
      .filter((list) => list.length < 3)
      .toStream()
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipe(at(1, 'a', 'x')))
    driver.batch(() => driver.input(words).pipeAll([at(2, 'a', 'y'), at(3, 'a', 'z'), at(4, 'a', 'new')]))
    expect(lines(driver)).toEqual(['a=["x"]@1', 'a=null@4'])
  })
})

describe('windows and sessions in a record cache', () => {
  it('wait each for itself, in the order in which they were updated last', () => {
    const builder = new StreamsBuilder()
    const windows = builder.stream(words).groupByKey().windowedBy(TimeWindows.of(10).grace(0))
    windows.count({ store: 'counts', caching: true }).toStream().to(inWindows)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() =>
      driver
        .input(words)
        .pipeAll([at(1, 'a', 'x'), at(2, 'b', 'x'), at(3, 'a', 'x'), at(12, 'a', 'x'), at(5, 'a', 'x')]),
    )
    expect(windowLines(driver, inWindows)).toEqual(['b[0,10]=1@2', 'a[0,10]=2@3', 'a[10,20]=1@12'])
    // A late record is counted when it comes.
    expect(driver.drops().map(({ reason, count }) => [reason, count])).toEqual([['late', 1]])
  })

  it('hand on the session that is left of those that were joined, and deletions of those alone that were handed on', () => {
    const builder = new StreamsBuilder()
    const sessions = builder.stream(words).groupByKey().windowedBy(SessionWindows.withGap(5).grace(100))
    sessions.count({ store: 'counts', caching: true }).toStream().to(inSessions)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(4, 'a', 'x'), at(20, 'a', 'x')]))
    expect(windowLines(driver, inSessions)).toEqual(['a[1,4]=2@4', 'a[20,20]=1@20'])
    driver.batch(() =>
      driver.input(words).pipeAll([at(8, 'a', 'x'), at(12, 'a', 'x'), at(20, 'a', 'x'), at(16, 'a', 'x')]),
    )
    expect(windowLines(driver, inSessions)).toEqual(['a[1,4]=null@4', 'a[20,20]=null@20', 'a[1,20]=7@20'])
  })

  it('replace a session of one moment by its new value, with the one before', () => {
    const builder = new StreamsBuilder()
    const sessions = builder.stream(words).groupByKey().windowedBy(SessionWindows.withGap(5).grace(100))
    const table = sessions.count({ store: 'counts', caching: true })
    const grouped = table.groupBy((count, { key }) => [key, String(count)], { key: serde.string, value: serde.string })
    grouped.count({ store: 'numbers' }).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipe(at(1, 'a', 'x')))
    driver.batch(() => driver.input(words).pipe(at(1, 'a', 'x')))
    expect(driver.store('numbers').get('a')?.value).toBe(1)
  })

  it('wait in sliding windows, which one record makes several of', () => {
    const builder = new StreamsBuilder()
    const windows = builder.stream(words).groupByKey().windowedBy(SlidingWindows.of(10).grace(100))
    windows.count({ store: 'counts', caching: true }).toStream().to(inSessions)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(10, 'a', 'x'), at(12, 'a', 'x'), at(12, 'a', 'x')]))
    expect(windowLines(driver, inSessions)).toEqual(['a[0,10]=1@10', 'a[11,21]=2@12', 'a[2,12]=3@12'])
  })

  it('have nothing to wait for where results are final', () => {
    const builder = new StreamsBuilder()
    const windows = builder.stream(words).groupByKey().windowedBy(TimeWindows.of(10).grace(0)).emit('window-close')
    windows.count({ store: 'counts', caching: true }).toStream().to(inWindows)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(12, 'a', 'x')])
      expect(windowLines(driver, inWindows)).toEqual(['a[0,10]=1@1'])
    })
  })
})

describe('operators behind a cached table', () => {
  it('are flushed after it, where they have caches too', () => {
    const builder = new StreamsBuilder()
    const counts = builder.stream(words).groupByKey().count({ store: 'counts', caching: true })
    const big = counts.mapValues((count) => count * 10, { store: 'tens', value: serde.json<number>(), caching: true })
    big.toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'x')]))
    expect(lines(driver)).toEqual(['a=20@2'])
    expect(driver.store('tens').get('a')?.value).toBe(20)
  })

  it('share the cache of the store that they share, as streams of a cogroup', () => {
    const builder = new StreamsBuilder()
    const left = builder.stream(words).groupByKey()
    const right = builder.stream(others).groupByKey()
    const both = left
      .cogroup((text: string, value) => `${text}${value}`)
      .cogroup(right, (text, value) => `${text}${value.toUpperCase()}`)
      .aggregate(() => '', { store: 'both', value: serde.string, caching: true })
    both.toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipe(at(1, 'a', 'x'))
      driver.input(others).pipe(at(2, 'a', 'y'))
      driver.input(words).pipe(at(3, 'b', 'z'))
    })
    expect(lines(driver)).toEqual(['a="xY"@2', 'b="z"@3'])
  })

  it('are given rows as they are where they are streams', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(words, { store: 'rows', caching: true })
    builder
      .stream(others)
      .join(table, (a, b) => a + b)
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'y')])
      driver.input(others).pipe(at(3, 'a', '1'))
    })
    expect(lines(driver)).toEqual(['a="1y"@3'])
  })

  it('are given rows as they were handed on last where they are tables', () => {
    const builder = new StreamsBuilder()
    const left = builder.table(words, { store: 'left', caching: true })
    const right = builder.table(others, { store: 'right' })
    left
      .join(right, (a, b) => a + b, { store: 'joined', value: serde.string, caching: true })
      .toStream()
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'y')])
      driver.input(others).pipe(at(3, 'a', '1'))
      expect(driver.store('joined').get('a')).toBeUndefined()
    })
    expect(lines(driver)).toEqual(['a="y1"@3'])
    driver.batch(() => {
      driver.input(words).pipe(at(9, 'a', 'z'))
      driver.input(others).pipe(at(4, 'a', '2'))
      // With the row, and its time, that the left table last handed on.
      expect(driver.store('joined').get('a')).toEqual({ value: 'y2', timestamp: 4 })
    })
    expect(lines(driver)).toEqual(['a="z2"@9'])
  })

  it('lose a joined row that lost both of its sides between two commits', () => {
    const builder = new StreamsBuilder()
    const left = builder.table(words, { store: 'left', caching: true })
    const right = builder.table(others, { store: 'right', caching: true })
    left
      .join(right, (a, b) => a + b)
      .toStream()
      .to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipe(at(1, 'a', 'x'))
      driver.input(others).pipe(at(2, 'a', '1'))
    })
    expect(lines(driver)).toEqual(['a="x1"@2'])
    driver.batch(() => {
      driver.input(words).pipe(at(3, 'a', null))
      driver.input(others).pipe(at(4, 'a', null))
    })
    expect(lines(driver)).toEqual(['a=null@3'])
  })

  it('get nothing of a table that has no store', () => {
    const builder = new StreamsBuilder()
    builder.table(words, { caching: true }).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'y')])
      expect(lines(driver)).toEqual(['a="x"@1', 'a="y"@2'])
    })
  })

  it('can be a suppression, which waits for event time', () => {
    const builder = new StreamsBuilder()
    const counts = builder.stream(words).groupByKey().count({ store: 'counts', caching: true })
    counts.suppress(untilTimeLimit(5, 'unbounded')).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => driver.input(words).pipeAll([at(1, 'a', 'x'), at(2, 'a', 'x'), at(8, 'b', 'x')]))
    expect(lines(driver)).toEqual(['a=2@2'])
  })
})

it('is refused for a table with versions', () => {
  const builder = new StreamsBuilder()
  expect(() => builder.table(words, { versioned: '1h', caching: true as false })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

describe('a batch of the test driver', () => {
  it('moves the clock without a commit', () => {
    const builder = new StreamsBuilder()
    const ticking = builder.stream(words).process<string, string>(
      () => ({
        init: (context) => {
          context.schedule(10, 'wall-clock', () => context.forward({ key: 'tick', value: 'x', timestamp: 7 }))
        },
        process: () => {},
      }),
      { key: serde.string, value: serde.string },
    )
    ticking.toTable({ store: 'ticks', caching: true }).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      for (let i = 0; i < 3; i++) driver.advanceWallClockTime(10)
      expect(driver.store('ticks').get('tick')?.value).toBe('x')
      expect(lines(driver)).toEqual([])
    })
    expect(lines(driver)).toEqual(['tick="x"@7'])
    driver.advanceWallClockTime(10)
    expect(lines(driver)).toEqual(['tick="x"@7'])
  })

  it('is taken back as far as it came where one of its records fails, and then goes on', () => {
    const builder = new StreamsBuilder()
    const counted = builder.stream(words).mapValues((value) => {
      if (value === 'bad') throw new Error('refused')
      return value
    })
    counted.groupByKey().count({ store: 'counts', caching: true }).toStream().to(results)
    using driver = new TopologyTestDriver(builder.build())
    driver.batch(() => {
      driver.input(words).pipe(at(1, 'a', 'x'))
      expect(() => driver.input(words).pipe(at(2, 'a', 'bad'))).toThrow('refused')
      driver.input(words).pipe(at(3, 'a', 'x'))
    })
    expect(lines(driver)).toEqual(['a=1@3'])
  })
})

it('a batch within a batch is refused', () => {
  using driver = counting()
  expect(() => driver.batch(() => driver.batch(() => {}))).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

/** What a table comes to must not depend on what waited for how long. */
describe('whatever the bound and the commits', () => {
  type Build = (builder: StreamsBuilder, caching: boolean) => KTable<never, unknown>
  const json = serde.json<number>()
  const shapes: Record<string, Build> = {
    counts: (builder, caching) => builder.stream(words).groupByKey().count({ store: 's', caching }) as never,
    'windows of a key': (builder, caching) => {
      const windows = builder.stream(words).groupByKey().windowedBy(TimeWindows.of(10).advanceBy(5).grace(10))
      return windows.count({ store: 's', caching }) as never
    },
    sessions: (builder, caching) => {
      const sessions = builder.stream(words).groupByKey().windowedBy(SessionWindows.withGap(4).grace(10))
      return sessions.reduce((a, b) => (a + b).slice(0, 9), { store: 's', caching }) as never
    },
    'sliding windows': (builder, caching) => {
      const windows = builder.stream(words).groupByKey().windowedBy(SlidingWindows.of(6).grace(10))
      return windows.reduce((a, b) => (a + b).slice(0, 9), { store: 's', caching }) as never
    },
    'a table, filtered, mapped and grouped': (builder, caching) => {
      const table = builder.table(words, { store: 's', caching })
      const kept = table.filter((value) => value !== 'x', { store: 'kept', value: serde.string, caching })
      const mapped = kept.mapValues((value) => `${value}!`, { store: 'mapped', value: serde.string, caching })
      const grouped = mapped.groupBy((value, key) => [value, key], { key: serde.string, value: serde.string })
      // A group that is left stays, with a count of 0; a cache may not have let it come at all.
      return grouped.count({ store: 'counts', caching }).filter((count) => count > 0) as never
    },
    'joins of two tables': (builder, caching) => {
      const left = builder.table(words, { store: 'left', caching })
      const right = builder.table(others, { store: 'right', caching })
      return left.outerJoin(right, (a, b) => `${a}${b}`, { store: 's', value: serde.string, caching }) as never
    },
    'joins of two tables, grouped': (builder, caching) => {
      const left = builder.table(words, { store: 'left', caching })
      const right = builder.table(others, { store: 'right', caching })
      const joined = left.join(right, (a, b) => `${a}${b}`)
      const grouped = joined.groupBy((value, key) => [value, key], { key: serde.string, value: serde.string })
      return grouped.count({ store: 'counts', caching }).filter((count) => count > 0) as never
    },
    'joins by foreign key': (builder, caching) => {
      const left = builder.table(words, { store: 'left', caching })
      const right = builder.table(others, { store: 'right', caching })
      const foreignKey = (value: string) => ({ x: 'a', y: 'b', zz: 'c' })[value]
      const options = { foreignKey, store: 's', value: serde.string, caching }
      return left.leftJoin(right, (a, b) => `${a}${b}`, options) as never
    },
    'sums of a filtered aggregate that is changed in place': (builder, caching) => {
      const add = (sum: { n: number }, value: string) => {
        sum.n += value.length
        return sum
      }
      const options = { store: 's', value: serde.json<{ n: number }>(), caching }
      const sums = builder
        .stream(words)
        .groupByKey()
        .aggregate(() => ({ n: 0 }), add, options)
      return sums.filter(({ n }) => n % 3 !== 0).mapValues(({ n }) => n, { store: 'n', value: json, caching }) as never
    },
  }
  const shapesOfBoth = Object.entries(shapes).flatMap(([name, build]) => (name.startsWith('joins') ? [build] : []))
  const event = fc.record({
    isOther: fc.boolean(),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.constantFrom('x', 'y', 'zz', null),
    timestamp: fc.integer({ min: 0, max: 40 }),
  })

  it.each(Object.keys(shapes))('%s come to the same', (name) => {
    const build = shapes[name] as Build
    const property = fc.property(
      fc.array(fc.array(event, { maxLength: 8 }), { maxLength: 6 }),
      fc.constantFrom(1, 100, 250, 1_000_000),
      (batches, maxCacheBytes) => {
        const [cached, plain] = [runOf(build, true, maxCacheBytes), runOf(build, false, 0)]
        for (const batch of batches) for (const run of [cached, plain]) run.pipe(batch)
        expect(cached.rows()).toEqual(plain.rows())
        expect(cached.drops()).toEqual(plain.drops())
        cached.close()
        plain.close()
      },
    )
    fc.assert(property, { numRuns: 60 })
  })

  function runOf(build: Build, caching: boolean, maxCacheBytes: number) {
    const builder = new StreamsBuilder()
    const table = build(builder, caching)
    // Events of the other topic have nowhere to go where the shape does not read it.
    if (!shapesOfBoth.includes(build)) builder.stream(others).foreach(() => {})
    const rows = new Map<string, unknown>()
    table.toStream().foreach((value: unknown, key: unknown) => {
      if (value === null) rows.delete(JSON.stringify(key))
      else rows.set(JSON.stringify(key), value)
    })
    const driver = new TopologyTestDriver(builder.build(), { maxCacheBytes })
    return {
      pipe: (batch: readonly (Input & { isOther: boolean })[]) =>
        driver.batch(() => {
          for (const { isOther, ...record } of batch) driver.input(isOther ? others : words).pipe(record)
        }),
      rows: () => [...rows].sort(([a], [b]) => (a < b ? -1 : 1)),
      // How many answers of a foreign-key join are overtaken depends on when they are asked for.
      drops: () => driver.drops().flatMap(({ reason, count }) => (reason === 'stale' ? [] : [`${reason} ${count}`])),
      close: () => driver.close(),
    }
  }
})
