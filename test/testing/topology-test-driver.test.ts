import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionWindows, StreamsBuilder, serde, TimeWindows, topic, untilWindowCloses } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
const windows = topic('windows', { key: serde.windowed(serde.string, { size: 10 }), value: serde.json<number>() })
const sessions = topic('sessions', { key: serde.sessionWindowed(serde.string), value: serde.json<number>() })
const asNumber = { value: serde.json<number>() }

function counting() {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .groupByKey()
    .count({ store: 'by-key', ...asNumber })
    .toStream()
    .to(counts)
  return builder.build()
}

function shouting() {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .mapValues((value) => value.toUpperCase())
    .to(topic('shouted', { key: serde.string, value: serde.string }))
  return builder.build()
}

function countingWords() {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .flatMapValues((line) => line.split(' '))
    .groupBy((word) => word, { key: serde.string, value: serde.string })
    .count({ store: 'by-word', ...asNumber })
    .toStream()
    .to(counts)
  return builder.build()
}

function countingWindows(graceMs = 0) {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .groupByKey()
    .windowedBy(TimeWindows.of(10).grace(graceMs))
    .count({ store: 'by-window', ...asNumber })
    .toStream()
    .to(windows)
  return builder.build()
}

describe('input and output', () => {
  it('give each record its results when pipe returns', () => {
    using driver = new TopologyTestDriver(counting())
    const input = driver.input(words)
    const output = driver.output(counts)
    expect(output.isEmpty).toBe(true)
    expect(output.read()).toBeUndefined()
    input.pipe({ key: 'a', value: 'x', timestamp: 7 })
    expect(output.isEmpty).toBe(false)
    expect(output.read()).toEqual({ key: 'a', value: 1, timestamp: 7 })
    expect(output.isEmpty).toBe(true)
    input.pipe({ key: 'a', value: 'y', timestamp: 5 })
    expect(output.read()).toEqual({ key: 'a', value: 2, timestamp: 7 })
    expect(output.read()).toBeUndefined()
  })

  it('read each record once, with whichever output of the topic', () => {
    using driver = new TopologyTestDriver(counting())
    driver.input(words).pipeAll(['a', 'b', 'c', 'd'].map((key) => ({ key, value: '', timestamp: 1 })))
    expect(driver.output(counts).read()?.key).toBe('a')
    expect(driver.output(counts).read()?.key).toBe('b')
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['c', 'd'])
    expect(driver.output(counts).readAll()).toEqual([])
  })

  it('pass absent keys and values on as null', () => {
    const copies = topic('copies', { key: serde.string, value: serde.string })
    const builder = new StreamsBuilder()
    builder.stream(words).to(copies)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: null, value: null, timestamp: 3 })
    expect(driver.output(copies).readAll()).toEqual([{ key: null, value: null, timestamp: 3 }])
  })

  it('read a table as the last value of each key, without deleted keys, also where keys are objects', () => {
    using driver = new TopologyTestDriver(countingWindows(100))
    driver.input(words).pipeAll([
      { key: 'b', value: '', timestamp: 1 },
      { key: 'a', value: '', timestamp: 2 },
      { key: 'b', value: '', timestamp: 3 },
      { key: 'b', value: '', timestamp: 14 },
    ])
    expect([...driver.output(windows).readTable()]).toEqual([
      [{ key: 'b', window: { start: 0, end: 10 } }, 2],
      [{ key: 'a', window: { start: 0, end: 10 } }, 1],
      [{ key: 'b', window: { start: 10, end: 20 } }, 1],
    ])
    expect(driver.output(windows).isEmpty).toBe(true)
  })

  it('leave keys out of a table that were deleted last', () => {
    const copies = topic('copies', { key: serde.string, value: serde.string })
    const builder = new StreamsBuilder()
    builder.stream(words).to(copies)
    using driver = new TopologyTestDriver(builder.build())
    const input = driver.input(words)
    input.pipeAll([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
      { key: 'a', value: null },
    ])
    expect(driver.output(copies).readTable()).toEqual(new Map([['b', '2']]))
    input.pipe({ key: null, value: 'no row' })
    expect(() => driver.output(copies).readTable()).toThrow('has no key')
    expect(driver.output(copies).readAll()).toEqual([{ key: null, value: 'no row', timestamp: 0 }])
  })

  it('are of the topics that the topology reads and writes', () => {
    using driver = new TopologyTestDriver(countingWords(), { applicationId: 'app' })
    expect(() => driver.input(counts)).toThrow("does not read the topic 'counts'. There are: words.")
    expect(() => driver.output(words)).toThrow(
      "does not write the topic 'words'. There are: app-by-word-changelog, app-by-word-repartition, counts.",
    )
  })
})

describe('time', () => {
  it('is that of the record, of the topic, or of the clock, which moves by hand only', () => {
    const timed = topic('timed', { key: serde.string, value: serde.json<{ at: number }>(), timestamp: (v) => v.at })
    const copies = topic('copies', { key: serde.string, value: serde.json<{ at: number }>() })
    const copied = topic('copied', { key: serde.string, value: serde.string })
    const builder = new StreamsBuilder()
    builder.stream(timed).to(copies)
    builder.stream(words).to(copied)
    using driver = new TopologyTestDriver(builder.build(), { startMs: 1_000 })
    driver.input(timed).pipe({ key: 'a', value: { at: 5 }, timestamp: 77 })
    expect(driver.output(copies).read()?.timestamp).toBe(5)
    const input = driver.input(words)
    input.pipe({ key: 'a', value: 'x', timestamp: 77 })
    input.pipe({ key: 'a', value: 'x' })
    driver.advanceWallClockTime(250)
    driver.advanceWallClockTime('2s')
    input.pipe({ key: 'a', value: 'x' })
    expect(
      driver
        .output(copied)
        .readAll()
        .map(({ timestamp }) => timestamp),
    ).toEqual([77, 1_000, 3_250])
  })
})

describe('repartition topics', () => {
  it('are processed at once, in the sub-topology that reads them', () => {
    using driver = new TopologyTestDriver(countingWords(), { applicationId: 'app' })
    driver.input(words).pipe({ key: 'line', value: 'a b a', timestamp: 4 })
    expect(driver.output(counts).readAll()).toEqual([
      { key: 'a', value: 1, timestamp: 4 },
      { key: 'b', value: 1, timestamp: 4 },
      { key: 'a', value: 2, timestamp: 4 },
    ])
    expect(driver.producedTopics()).toEqual(['app-by-word-changelog', 'app-by-word-repartition', 'counts'])
    const between = topic('app-by-word-repartition', { key: serde.string, value: serde.string })
    expect(
      driver
        .output(between)
        .readAll()
        .map(({ key }) => key),
    ).toEqual(['a', 'b', 'a'])
  })

  it('can follow one another, and topics of the user that are read again as well', () => {
    const lengths = topic('lengths', { key: serde.string, value: serde.json<number>() })
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .selectKey((value) => value)
      .groupByKey({ key: serde.string })
      .count({ store: 'first', ...asNumber })
      .toStream()
      .selectKey((_, key) => `${key}`.length)
      .groupByKey({ key: serde.float64, value: serde.json<number>() })
      .reduce((a, b) => a + b, { store: 'second' })
      .toStream()
      .selectKey(String)
      .to(lengths)
    builder.stream(lengths).to(counts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipeAll(['aa', 'bb', 'aa'].map((value) => ({ key: null, value, timestamp: 1 })))
    expect(driver.output(counts).readAll()).toEqual(driver.output(lengths).readAll())
    expect(driver.store('second').get(2)).toEqual({ value: 1 + 1 + 2, timestamp: 1 })
  })

  it('have one partition in the driver, but are refused where the application would refuse their numbers', () => {
    const joining = (partitions: number) => {
      const places = topic('places', { key: serde.string, value: serde.string, partitions: 3 })
      const builder = new StreamsBuilder()
      const table = builder.table(places)
      const spread = builder.stream(words).repartition({ name: 'spread', partitions })
      spread
        .join(table, (word, place) => `${word} in ${place}`)
        .to(topic('joined', { key: serde.string, value: serde.string }))
      return { places, topology: builder.build() }
    }
    expect(() => new TopologyTestDriver(joining(4).topology)).toThrow('different numbers of partitions')
    const { places, topology } = joining(3)
    using driver = new TopologyTestDriver(topology)
    const keys = ['a', 'b', 'c', 'd', 'e']
    driver.input(places).pipeAll(keys.map((key) => ({ key, value: `place ${key}`, timestamp: 1 })))
    driver.input(words).pipeAll(keys.map((key) => ({ key, value: 'word', timestamp: 2 })))
    const joined = driver.output(topic('joined', { key: serde.string, value: serde.string })).readAll()
    expect(joined.map(({ value }) => value)).toEqual(keys.map((key) => `word in place ${key}`))
  })

  it('do not count as produced where nothing was written', () => {
    using driver = new TopologyTestDriver(counting())
    expect(driver.producedTopics()).toEqual([])
    driver.input(words).pipe({ key: null, value: 'dropped', timestamp: 1 })
    expect(driver.producedTopics()).toEqual([])
  })
})

describe('store', () => {
  it('shows values by key, and follows the topology', () => {
    using driver = new TopologyTestDriver(counting())
    const store = driver.store('by-key')
    expect(store.get('a')).toBeUndefined()
    driver.input(words).pipe({ key: 'a', value: 'x', timestamp: 3 })
    expect(store.get('a')).toEqual({ value: 1, timestamp: 3 })
    driver.input(words).pipe({ key: 'a', value: 'x', timestamp: 4 })
    expect(store.get('a')).toEqual({ value: 2, timestamp: 4 })
    expect(store.get('b')).toBeUndefined()
    expect(store.name).toBe('by-key')
  })

  it('shows values by key and window, until the window is dropped', () => {
    using driver = new TopologyTestDriver(countingWindows(5))
    const input = driver.input(words)
    const store = driver.store('by-window')
    input.pipe({ key: 'a', value: 'x', timestamp: 3 })
    expect(store.get('a', 0)).toEqual({ value: 1, timestamp: 3 })
    expect(store.get('a', 10)).toBeUndefined()
    expect(store.get('a', 5)).toBeUndefined()
    input.pipe({ key: 'a', value: 'x', timestamp: 14 })
    expect(store.get('a', 0)).toEqual({ value: 1, timestamp: 3 })
    expect(store.get('a', 10)).toEqual({ value: 1, timestamp: 14 })
    input.pipe({ key: 'a', value: 'x', timestamp: 10_000_000 })
    expect(store.get('a', 0)).toBeUndefined()
  })

  it('shows the sessions of a key', () => {
    using driver = new TopologyTestDriver(countingSessions())
    const input = driver.input(words)
    const store = driver.store('by-session')
    for (const timestamp of [3, 40, 7]) input.pipe({ key: 'a', value: 'x', timestamp })
    input.pipe({ key: 'b', value: 'x', timestamp: 5 })
    expect(store.find('a')).toEqual([
      { window: { start: 3, end: 7 }, value: 2, timestamp: 7 },
      { window: { start: 40, end: 40 }, value: 1, timestamp: 40 },
    ])
    expect(store.find('c')).toEqual([])
  })

  it('says how it is to be read where it is read otherwise', () => {
    using byKey = new TopologyTestDriver(counting())
    using byWindow = new TopologyTestDriver(countingWindows())
    using bySession = new TopologyTestDriver(countingSessions())
    expect(() => byKey.store('by-key').get('a', 0)).toThrow('get(key).')
    expect(() => byKey.store('by-key').find('a')).toThrow('get(key).')
    expect(() => byWindow.store('by-window').get('a')).toThrow('get(key, windowStart)')
    expect(() => byWindow.store('by-window').get('a', Number.NaN)).toThrow('get(key, windowStart)')
    expect(() => bySession.store('by-session').get('a')).toThrow('find(key)')
    expect(() => byKey.store('by-ky')).toThrow("no store 'by-ky'. There are: by-key.")
  })
})

function countingSessions() {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .groupByKey()
    .windowedBy(SessionWindows.withGap(10).grace(1_000))
    .count({ store: 'by-session', ...asNumber })
    .toStream()
    .to(sessions)
  return builder.build()
}

describe('drops', () => {
  it('counts records that operators left out, by operator and reason', () => {
    using driver = new TopologyTestDriver(countingWindows())
    driver.input(words).pipeAll([
      { key: 'a', value: 'x', timestamp: 25 },
      { key: 'a', value: 'late', timestamp: 3 },
      { key: null, value: 'x', timestamp: 25 },
      { key: 'b', value: 'late', timestamp: 4 },
    ])
    const operator = expect.stringMatching(/^KSTREAM-AGGREGATE-/)
    expect(driver.drops()).toEqual([
      { operator, reason: 'late', count: 2 },
      { operator, reason: 'null-key', count: 1 },
    ])
  })

  it('counts records without a valid event time where they are skipped', () => {
    const timed = topic('timed', { key: serde.string, value: serde.json<number>(), timestamp: (value) => value })
    const copies = topic('copies', { key: serde.string, value: serde.json<number>() })
    const builder = new StreamsBuilder()
    builder.stream(timed).to(copies)
    using driver = new TopologyTestDriver(builder.build(), { badRecords: 'skip' })
    driver.input(timed).pipeAll([5, -1, 6].map((value) => ({ key: 'a', value })))
    expect(driver.drops()).toEqual([{ operator: 'KSTREAM-SOURCE-0000000000', reason: 'negative-timestamp', count: 1 }])
    expect(driver.output(copies).readAll()).toHaveLength(2)
  })
})

describe('errors', () => {
  const fragile = () => {
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .peek(() => {}, { name: 'before' })
      .groupBy((value) => value, { key: serde.string })
      .reduce(
        (before, value) => {
          if (value === 'bad') throw new Error('cannot do this')
          return before + value
        },
        { store: 'joined', name: 'join' },
      )
      .toStream()
      .to(topic('joined', { key: serde.string, value: serde.string }))
    return builder.build()
  }

  it('of functions come out of pipe as the application would fail with, and nothing of the record remains', () => {
    using driver = new TopologyTestDriver(fragile(), { applicationId: 'app' })
    const input = driver.input(words)
    input.pipeAll(['good', 'bad', 'good'].map((value) => ({ key: null, value, timestamp: 1 })))
    const produced = driver.output(topic('joined', { key: serde.string, value: serde.string }))
    produced.readAll()
    const pipeBad = () => input.pipe({ key: null, value: 'bad', timestamp: 9 })
    for (const attempt of [pipeBad, pipeBad]) {
      expect(attempt).toThrow(
        expect.objectContaining({
          name: 'MillraceError',
          code: 'OPERATOR_FAILED',
          at: { topic: 'app-joined-repartition', partition: 0, offset: 3, operator: 'join' },
          message: expect.stringContaining('cannot do this'),
        }),
      )
    }
    expect(produced.isEmpty).toBe(true)
    expect(driver.store('joined').get('bad')).toEqual({ value: 'bad', timestamp: 1 })
    input.pipe({ key: null, value: 'good', timestamp: 2 })
    expect(produced.readAll()).toEqual([{ key: 'good', value: 'goodgoodgood', timestamp: 2 }])
    const between = topic('app-joined-repartition', { key: serde.string, value: serde.string })
    expect(
      driver
        .output(between)
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['good', 'bad', 'good', 'good'])
  })

  it('of a topic without a topology that can take it say what is wrong with the record', () => {
    const timed = topic('timed', { key: serde.string, value: serde.json<number>(), timestamp: (value) => value })
    const builder = new StreamsBuilder()
    builder.stream(timed).foreach(() => {})
    using driver = new TopologyTestDriver(builder.build())
    const input = driver.input(timed)
    input.pipe({ key: 'a', value: 1 })
    expect(() => input.pipe({ key: 'a', value: -1 })).toThrow(
      expect.objectContaining({
        code: 'INVALID_TIMESTAMP',
        at: { topic: 'timed', partition: 0, offset: 1, operator: 'KSTREAM-SOURCE-0000000000' },
      }),
    )
    expect(() => input.pipe({ key: 7 as never, value: 1 })).toThrow(expect.objectContaining({ code: 'SERDE_FAILED' }))
    expect(() => input.pipe({ key: 'a', value: 1, timestamp: 1.5 })).toThrow(
      expect.objectContaining({ code: 'NUMBER_OUT_OF_RANGE' }),
    )
    input.pipe({ key: 'a', value: 2 })
    expect(driver.drops()).toEqual([])
  })

  it('leave the records before the one that failed, in a list', () => {
    using driver = new TopologyTestDriver(shouting())
    const records = ['a', null, 'c'].map((value) => ({ key: 'k', value, timestamp: 1 }))
    expect(() => driver.input(words).pipeAll(records)).toThrow(expect.objectContaining({ code: 'OPERATOR_FAILED' }))
    const shouted = driver.output(topic('shouted', { key: serde.string, value: serde.string }))
    expect(shouted.readAll()).toEqual([{ key: 'k', value: 'A', timestamp: 1 }])
  })

  it('tell of a function that pipes, and of a driver that is closed', () => {
    const pipes: (() => void)[] = []
    const builder = new StreamsBuilder()
    builder.stream(words).foreach(() => pipes.pop()?.())
    const driver = new TopologyTestDriver(builder.build())
    const input = driver.input(words)
    pipes.push(() => input.pipe({ key: 'a', value: 'again' }))
    expect(() => input.pipe({ key: 'a', value: 'x' })).toThrow('Do it in the test')
    pipes.push(() => driver.advanceWallClockTime(1))
    expect(() => input.pipe({ key: 'a', value: 'x' })).toThrow('Do it in the test')
    driver.close()
    driver.close()
    const closed = expect.objectContaining({ code: 'CLOSED' })
    expect(() => input.pipe({ key: 'a', value: 'x' })).toThrow(closed)
    expect(() => driver.restart()).toThrow(closed)
  })

  it.each([
    [{ applicationId: 'has spaces' }, "'has spaces' is not an application id"],
    [{ startMs: -1 }, "'-1' is not a time since 1970"],
  ])('refuse the options %j', (options, message) => {
    expect(() => new TopologyTestDriver(counting(), options)).toThrow(message)
  })
})

describe('restart', () => {
  it('rebuilds stores from their changelogs, and goes on', () => {
    using driver = new TopologyTestDriver(counting(), { applicationId: 'app' })
    const input = driver.input(words)
    const store = driver.store('by-key')
    for (const key of ['a', 'b', 'a']) input.pipe({ key, value: 'x', timestamp: 2 })
    driver.output(counts).readAll()
    driver.restart()
    expect(driver.output(counts).isEmpty).toBe(true)
    expect(store.get('a')).toEqual({ value: 2, timestamp: 2 })
    input.pipe({ key: 'a', value: 'x', timestamp: 3 })
    expect(driver.output(counts).readAll()).toEqual([{ key: 'a', value: 3, timestamp: 3 }])
    const changelog = topic('app-by-key-changelog', { key: serde.string, value: serde.json<number>() })
    expect(driver.output(changelog).readTable()).toEqual(
      new Map([
        ['a', 3],
        ['b', 1],
      ]),
    )
  })

  it('keeps stream times and counts of dropped records, so that what was late stays late', () => {
    using driver = new TopologyTestDriver(countingWindows())
    const input = driver.input(words)
    input.pipe({ key: 'a', value: 'x', timestamp: 25 })
    input.pipe({ key: 'a', value: 'late', timestamp: 3 })
    driver.restart()
    input.pipe({ key: 'b', value: 'late', timestamp: 4 })
    expect(driver.drops()).toMatchObject([{ reason: 'late', count: 2 }])
    expect(driver.output(windows).readAll()).toHaveLength(1)
  })

  it('makes no difference to any result, whenever it happens', () => {
    const record = fc.record({
      key: fc.constantFrom('a', 'b', 'c', null),
      value: fc.constantFrom('x', 'y z', null),
      timestamp: fc.nat(80),
      restarts: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const undisturbed = resultsOf(records, false)
        expect(resultsOf(records, true)).toEqual(undisturbed)
        expect(undisturbed.counts).toHaveLength(
          records.filter(({ key, value }) => key !== null && value !== null).length,
        )
      }),
      { numRuns: 60 },
    )
  })
})

interface Step {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly restarts: boolean
}

/** What comes out of counts by key, window, session and word, and of windows' final results, with restarts or without. */
function resultsOf(records: readonly Step[], hasRestarts: boolean) {
  const finals = topic('finals', { key: windows.key, value: windows.value })
  const byWord = topic('by-word', { key: serde.string, value: serde.json<number>() })
  const builder = new StreamsBuilder()
  const stream = builder.stream(words)
  const grouped = stream.groupByKey()
  grouped.count(asNumber).toStream().to(counts)
  const counted = grouped.windowedBy(TimeWindows.of(10).advanceBy(5).grace(7)).count(asNumber)
  counted.toStream().to(windows)
  counted.suppress(untilWindowCloses()).toStream().to(finals)
  grouped.windowedBy(SessionWindows.withGap(6).grace(9)).count(asNumber).toStream().to(sessions)
  stream
    .flatMapValues((value) => (value as string | null)?.split(' ') ?? [])
    .groupBy((word) => word, { key: serde.string, value: serde.string })
    .count(asNumber)
    .toStream()
    .to(byWord)
  using driver = new TopologyTestDriver(builder.build())
  for (const { restarts, ...record } of records) {
    driver.input(words).pipe(record)
    if (restarts && hasRestarts) driver.restart()
  }
  return {
    counts: driver.output(counts).readAll(),
    windows: driver.output(windows).readAll(),
    finals: driver.output(finals).readAll(),
    sessions: driver.output(sessions).readAll(),
    words: driver.output(byWord).readAll(),
    drops: driver.drops().toSorted((a, b) => `${a.operator} ${a.reason}`.localeCompare(`${b.operator} ${b.reason}`)),
  }
}
