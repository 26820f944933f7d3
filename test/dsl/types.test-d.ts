/** What the compiler must infer and refuse. Checked by `tsc`; never run. */
import { expectTypeOf } from 'vitest'
import { JoinWindows } from '../../src/dsl/join-windows.ts'
import { SlidingWindows } from '../../src/dsl/sliding-windows.ts'
import type { GlobalKTable, KStream, KTable } from '../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { untilTimeLimit, untilWindowCloses } from '../../src/dsl/suppressed.ts'
import { UnlimitedWindows } from '../../src/dsl/unlimited-windows.ts'
import { SessionWindows, TimeWindows } from '../../src/dsl/windows.ts'
import { serde } from '../../src/serde/serdes.ts'
import { keyValueStore, timestampedKeyValueStore } from '../../src/stores/key-value-store.ts'
import { sessionStore } from '../../src/stores/session-store.ts'
import { timestampedWindowStore } from '../../src/stores/window-store.ts'
import { type Topic, topic } from '../../src/topic.ts'
import type { Windowed } from '../../src/windowed.ts'

interface Reading {
  readonly site: string
  readonly celsius: number
  readonly battery: number | null
}

interface Stats {
  readonly count: number
  readonly sum: number
}

const readings = topic('readings', { key: serde.string, value: serde.json<Reading>(), timestamp: (r) => r.celsius })
const stats = topic('stats', { key: serde.windowed(serde.string), value: serde.json<Stats>() })
const numbers = topic('numbers', { key: serde.string, value: serde.float64 })
const sites = topic('sites', { key: serde.string, value: serde.string })

const stream = new StreamsBuilder().stream(readings)
const statsSerde = serde.json<Stats>()
const emptyStats = (): Stats => ({ count: 0, sum: 0 })
const addReading = (s: Stats, r: Reading): Stats => ({ count: s.count + 1, sum: s.sum + r.celsius })

export function infersTheWholeChain(): void {
  expectTypeOf(stream).toEqualTypeOf<KStream<string, Reading>>()
  const table = stream
    .filter((r) => r.celsius > -90)
    .groupByKey()
    .windowedBy(TimeWindows.of('1m').grace('30s'))
    .aggregate(emptyStats, addReading, { store: 'per-minute', value: statsSerde })
    .suppress(untilWindowCloses())
  expectTypeOf(table).toEqualTypeOf<KTable<Windowed<string>, Stats>>()
  expectTypeOf(table.toStream()).toEqualTypeOf<KStream<Windowed<string>, Stats>>()
  table.toStream().to(stats)
}

export function infersFromCallbacks(): void {
  expectTypeOf(stream.mapValues((r) => r.celsius)).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(stream.mapValues((r, key) => [key, r.site])).toEqualTypeOf<KStream<string, string[]>>()
  expectTypeOf(stream.map((r, key) => [r.celsius, { key }])).toEqualTypeOf<KStream<number, { key: string }>>()
  expectTypeOf(stream.flatMap((r) => [[r.site, r.celsius]])).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(stream.flatMapValues((r) => r.site.split('/'))).toEqualTypeOf<KStream<string, string>>()
  expectTypeOf(stream.selectKey((r) => r.celsius)).toEqualTypeOf<KStream<number, Reading>>()
  expectTypeOf(stream.peek((r) => r.celsius)).toEqualTypeOf<KStream<string, Reading>>()
  expectTypeOf(new StreamsBuilder().stream([sites, sites])).toEqualTypeOf<KStream<string, string>>()
  // A predicate that tells types apart, written or inferred, narrows the stream.
  expectTypeOf(stream.mapValues((r) => r.battery).filter((b) => b !== null)).toEqualTypeOf<KStream<string, number>>()
}

export function infersGroupsAndAggregates(): void {
  const bySite = stream.groupBy((r) => r.site, { key: serde.string })
  expectTypeOf(bySite.count()).toEqualTypeOf<KTable<string, number>>()
  expectTypeOf(bySite.reduce((a, b) => (a.celsius > b.celsius ? a : b))).toEqualTypeOf<KTable<string, Reading>>()
  expectTypeOf(
    bySite.aggregate(
      () => ({ count: 0, sum: 0 }),
      (s, r, site) => ({ count: s.count + site.length, sum: s.sum + r.celsius }),
      { value: statsSerde },
    ),
  ).toEqualTypeOf<KTable<string, Stats>>()
  expectTypeOf(
    bySite.aggregate(
      () => [],
      (list, r) => [...list, r.celsius],
      { value: serde.json<number[]>() },
    ),
  ).toEqualTypeOf<KTable<string, number[]>>()
  expectTypeOf(bySite.windowedBy(SlidingWindows.of('10s').grace('1m')).count()).toEqualTypeOf<
    KTable<Windowed<string>, number>
  >()
  expectTypeOf(bySite.windowedBy(TimeWindows.of('1m')).emit('window-close').count()).toEqualTypeOf<
    KTable<Windowed<string>, number>
  >()
  expectTypeOf(bySite.windowedBy(UnlimitedWindows.of()).count()).toEqualTypeOf<KTable<Windowed<string>, number>>()
  const sessions = bySite.windowedBy(SessionWindows.withGap('30m'))
  expectTypeOf(
    sessions.aggregate(
      () => ({ count: 0, sum: 0 }),
      addReading,
      (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
      { value: statsSerde },
    ),
  ).toEqualTypeOf<KTable<Windowed<string>, Stats>>()
  // The serde says what the key is: a key the selector might not find is dropped.
  expectTypeOf(stream.groupBy((r) => (r.site === '' ? null : r.site), { key: serde.string }).count()).toEqualTypeOf<
    KTable<string, number>
  >()
  expectTypeOf(
    stream
      .selectKey((r) => (r.site === '' ? null : r.site))
      .groupByKey({ key: serde.string })
      .count(),
  ).toEqualTypeOf<KTable<string, number>>()
  // null deletes the aggregate.
  bySite.aggregate(emptyStats, (s, r) => (r.celsius > 50 ? null : s), { value: statsSerde })
  bySite.reduce((a, b) => (b.celsius > 50 ? null : a))
}

export function infersTablesAndJoins(): void {
  const builder = new StreamsBuilder()
  const siteNames = builder.table(sites)
  expectTypeOf(siteNames).toEqualTypeOf<KTable<string, string>>()
  expectTypeOf(stream.toTable()).toEqualTypeOf<KTable<string, Reading>>()
  expectTypeOf(stream.mapValues((r) => r.battery).toTable()).toEqualTypeOf<KTable<string, number>>()
  expectTypeOf(siteNames.filter((name) => name !== '')).toEqualTypeOf<KTable<string, string>>()
  expectTypeOf(siteNames.filter((name) => name === 'attic')).toEqualTypeOf<KTable<string, 'attic'>>()
  expectTypeOf(siteNames.filterNot((name) => name === 'attic')).toEqualTypeOf<KTable<string, string>>()
  // null deletes a row, and so is no value of one.
  expectTypeOf(siteNames.mapValues((name) => (name === '' ? null : name.length))).toEqualTypeOf<
    KTable<string, number>
  >()
  expectTypeOf(siteNames.toStream()).toEqualTypeOf<KStream<string, string>>()

  const named = stream.join(siteNames, (r, name, key) => {
    expectTypeOf({ r, name, key }).toEqualTypeOf<{ r: Reading; name: string; key: string }>()
    return { ...r, name }
  })
  expectTypeOf(named).toEqualTypeOf<
    KStream<string, { name: string; site: string; celsius: number; battery: number | null }>
  >()
  const perhapsNamed = stream.leftJoin(siteNames, (r, name) => {
    expectTypeOf(name).toEqualTypeOf<string | null>()
    return name ?? r.site
  })
  expectTypeOf(perhapsNamed).toEqualTypeOf<KStream<string, string>>()
  // Records without a key find nothing: an inner join leaves them out, a left join keeps them.
  const keyed = stream.selectKey((r) => (r.site === '' ? null : r.site))
  expectTypeOf(keyed.join(siteNames, (_, name) => name)).toEqualTypeOf<KStream<string, string>>()
  expectTypeOf(keyed.leftJoin(siteNames, (_, name, key) => name ?? key)).toEqualTypeOf<
    KStream<string | null, string | null>
  >()
  expectTypeOf(stream.repartition({ name: 'again' })).toEqualTypeOf<KStream<string, Reading>>()

  // @ts-expect-error keys of the stream are strings, those of the table are numbers
  stream.join(builder.table(topic('by-number', { key: serde.float64, value: serde.string })), (_, name) => name)
  // @ts-expect-error there is no such property
  stream.join(siteNames, (r) => r.fahrenheit)
  // @ts-expect-error a left join may find nothing
  stream.leftJoin(siteNames, (_, name) => name.length)
  // @ts-expect-error the mapper makes numbers
  siteNames.mapValues((name) => name.length, { value: serde.string })
  // @ts-expect-error keys are strings
  stream.join(siteNames, (_, name) => name, { key: serde.float64 })
  // @ts-expect-error a table is no stream
  stream.join(stream, (r) => r)
}

export function infersGroupedTables(): void {
  const latest = stream.toTable()
  const bySite = latest.groupBy((r, device) => [r.site, { device, celsius: r.celsius }], {
    key: serde.string,
    value: serde.json<{ device: string; celsius: number }>(),
  })
  expectTypeOf(bySite.count()).toEqualTypeOf<KTable<string, number>>()
  const sums = bySite.aggregate(
    () => ({ count: 0, sum: 0 }),
    (s, r) => ({ count: s.count + 1, sum: s.sum + r.celsius }),
    (s, r, site) => ({ count: s.count - site.length, sum: s.sum - r.celsius }),
    { value: statsSerde },
  )
  expectTypeOf(sums).toEqualTypeOf<KTable<string, Stats>>()
  const batteries = latest.groupBy((r) => [r.site, r.battery], { key: serde.string, value: serde.float64 })
  expectTypeOf(
    batteries.reduce(
      (a, b) => a + b,
      (a, b) => a - b,
    ),
  ).toEqualTypeOf<KTable<string, number>>()

  // @ts-expect-error the serdes of the new key and value must be given
  latest.groupBy((r) => [r.site, r.celsius])
  // @ts-expect-error the new value is a number, the serde is for strings
  latest.groupBy((r) => [r.site, r.celsius], { key: serde.string, value: serde.string })
  // @ts-expect-error rows that leave must be taken out
  batteries.reduce((a: number, b: number) => a + b)
}

interface Opened {
  readonly kind: 'opened'
  readonly by: string
}
interface Closed {
  readonly kind: 'closed'
  readonly after: number
}

export function namesAndNarrowsBranches(doors: KStream<string, Opened | Closed>): void {
  const { opened, rest } = doors
    .split()
    .branch((door) => door.kind === 'opened', { name: 'opened' })
    .defaultBranch({ name: 'rest' })
  expectTypeOf(opened).toEqualTypeOf<KStream<string, Opened>>()
  // What a branch took does not come to those after it.
  expectTypeOf(rest).toEqualTypeOf<KStream<string, Closed>>()

  const numbered = doors
    .split({ name: 'doors-' })
    .branch((door) => door.kind === 'closed')
    .branch((door, key) => key === door.by, { name: 'own' })
    .branch((door) => door.by === 'me')
    .defaultBranch()
  expectTypeOf(numbered[1]).toEqualTypeOf<KStream<string, Closed>>()
  expectTypeOf(numbered.own).toEqualTypeOf<KStream<string, Opened>>()
  expectTypeOf(numbered[3]).toEqualTypeOf<KStream<string, Opened>>()
  expectTypeOf(numbered[0]).toEqualTypeOf<KStream<string, Opened>>()
  // @ts-expect-error the second branch has a name
  numbered[2]
  const open = doors.split().branch((door) => door.kind === 'opened', { name: 'opened' })
  // @ts-expect-error closed doors have nobody who opened them
  open.branch((door) => door.by === 'me')
  // @ts-expect-error there is no default branch
  open.noDefaultBranch()[0]
}

export function keepsResultsInDeclaredStores(): void {
  const stats = timestampedKeyValueStore('stats', { key: serde.string, value: statsSerde })
  const counts = timestampedKeyValueStore('counts', { key: serde.string, value: serde.float64 })
  const perMinute = timestampedWindowStore('minutes', {
    key: serde.string,
    value: statsSerde,
    size: '1m',
    retention: '1h',
  })
  const sessions = sessionStore('sessions', { key: serde.string, value: serde.float64, retention: '1h' })
  const grouped = stream.groupByKey()
  // The store says the type of the aggregates.
  expectTypeOf(grouped.aggregate(emptyStats, addReading, { store: stats })).toEqualTypeOf<KTable<string, Stats>>()
  const inMinutes = grouped.windowedBy(TimeWindows.of('1m'))
  expectTypeOf(inMinutes.aggregate(emptyStats, addReading, { store: perMinute })).toEqualTypeOf<
    KTable<Windowed<string>, Stats>
  >()
  grouped.windowedBy(SessionWindows.withGap('1m')).count({ store: sessions })
  grouped.count({ store: counts })
  // @ts-expect-error a count is a number
  grouped.count({ store: stats })
  // @ts-expect-error a store of rows has no windows
  inMinutes.count({ store: counts })
  // @ts-expect-error a store of sessions is not one of time windows
  inMinutes.count({ store: sessions })
  // @ts-expect-error a store without times of its values is none for rows
  grouped.count({ store: keyValueStore('plain', { key: serde.string, value: serde.float64 }) })
  // @ts-expect-error other keys
  stream.groupBy((r) => r.celsius, { key: serde.float64 }).count({ store: counts })
  // @ts-expect-error unlimited windows have no size to declare
  grouped.windowedBy(UnlimitedWindows.of()).aggregate(emptyStats, addReading, { store: perMinute })
}

export function goesOnWithBranchesAtOnce(doors: KStream<string, Opened | Closed>): void {
  const branches = doors
    .split()
    .branch((door) => door.kind === 'closed', {
      name: 'delays',
      with: (closed) => closed.mapValues((door) => door.after),
    })
    .branch((door) => door.by === 'me', {
      with: (mine) => {
        expectTypeOf(mine).toEqualTypeOf<KStream<string, Opened>>()
      },
    })
    .branch((door, key) => key === door.by, { with: (own) => own.selectKey((door) => door.by.length) })
    .defaultBranch({ name: 'rest', with: (rest) => rest.mapValues((door) => door.by) })
  expectTypeOf(branches.delays).toEqualTypeOf<KStream<string, number>>()
  expectTypeOf(branches[3]).toEqualTypeOf<KStream<number, Opened>>()
  expectTypeOf(branches.rest).toEqualTypeOf<KStream<string, string>>()
  // @ts-expect-error the second branch was consumed
  branches[2]
  const consumed = doors
    .split()
    .branch((door) => door.kind === 'closed', {
      name: 'closed',
      with: (closed) => closed.foreach((door) => door.after),
    })
    .defaultBranch({ with: (rest) => rest.foreach((door) => door.by) })
  // @ts-expect-error all branches were consumed
  consumed[0]
  // @ts-expect-error all branches were consumed
  consumed.closed
  const isClosed = (door: Opened | Closed): door is Closed => door.kind === 'closed'
  const { waits, rest } = doors
    .split()
    .branch(isClosed, { name: 'waits', with: (closed) => closed.filter((door) => door.after > 0) })
    .defaultBranch({ name: 'rest' })
  expectTypeOf(waits).toEqualTypeOf<KStream<string, Closed>>()
  expectTypeOf(rest).toEqualTypeOf<KStream<string, Opened>>()
}

export function writesOnlyWhatTheTopicTakes(): void {
  stream.mapValues((r) => r.celsius).to(numbers)
  // null is an absent value, for every topic.
  stream.mapValues((r) => r.battery).to(numbers)
  // What the topic takes may be wider than what the stream has.
  stream.mapValues((r) => ({ ...r, extra: true })).to(readings)
  stream.filter((r): r is Reading & { battery: number } => r.battery !== null).to(readings)

  // @ts-expect-error values are readings, the topic takes numbers
  stream.to(numbers)
  // @ts-expect-error keys are numbers, the topic takes strings
  stream.map((r) => [r.celsius, r.celsius]).to(numbers)
  // @ts-expect-error keys are windowed, the topic takes plain ones
  stream.groupByKey().windowedBy(TimeWindows.of('1m')).count().toStream().to(numbers)
  // @ts-expect-error a property is missing
  stream.mapValues(() => ({ count: 1 })).to(topic('partial', { key: serde.string, value: statsSerde }))
  // @ts-expect-error undefined is no value
  stream.mapValues((r) => [r.site][1] as string | undefined).to(sites)
}

export function keepsStreamsOfDifferentTypesApart(table: KTable<string, number>): void {
  const wider: KStream<string | number, object> = stream
  const widerTable: KTable<string | number, unknown> = table
  // @ts-expect-error keys differ
  const otherKeys: KStream<number, Reading> = stream
  // @ts-expect-error values differ
  const otherValues: KStream<string, number> = stream
  // @ts-expect-error keys differ
  const otherTable: KTable<Windowed<string>, number> = table
  expectTypeOf([wider, widerTable, otherKeys, otherValues, otherTable]).toBeArray()
}

export function worksInGenericCode<K, V>(from: Topic<K, V>, to: Topic<K, V>, late: Topic<NonNullable<K>, V>): void {
  const generic = new StreamsBuilder().stream(from)
  generic.filter(() => true).to(to)
  generic.groupByKey().windowedBy(TimeWindows.of('1m'), { late }).count().suppress(untilWindowCloses())
}

/** What is joined is a type of its own, and what follows from it must be known where keys and values are not. */
export function joinsInGenericCode<K, A extends { id: number }, B>(parts: {
  readonly stream: KStream<K, A>
  readonly named: KStream<string, A>
  readonly other: KStream<string, B>
  readonly table: KTable<NonNullable<K>, B>
  readonly numbered: KTable<number, B>
  readonly global: GlobalKTable<number, B>
}): void {
  const { stream: from, named, other, table, numbered, global } = parts
  const pair = <X, Y>(x: X, y: Y) => [x, y] as const
  type Pair<X, Y> = readonly [X, Y]
  const joined: KStream<NonNullable<K>, Pair<NonNullable<A>, B>> = from.join(table, pair)
  const perhaps: KStream<K, Pair<NonNullable<A>, B | null>> = from.leftJoin(table, pair)
  const byNumber: KStream<K, Pair<NonNullable<A>, B>> = from.join(global, pair, { keySelector: (a) => a.id })
  const within = { within: JoinWindows.of('1m') }
  const both: KStream<string, Pair<NonNullable<A>, NonNullable<B>>> = named.join(other, pair, within)
  const twice: KTable<NonNullable<K>, Pair<B, B>> = table.join(table, pair)
  const stored: KTable<NonNullable<K>, Pair<B, B>> = table.join(table, pair, { store: 'pairs' })
  const rows = named.toTable()
  const foreign: KTable<string, Pair<NonNullable<A>, B | null>> = rows.leftJoin(numbered, pair, {
    foreignKey: (a) => a.id,
  })
  expectTypeOf([joined, perhaps, byNumber, both, twice, stored, foreign]).toBeArray()
  // The serde says the type of the rows, of which the joiner makes some.
  const level = rows.join(rows, (a) => (a.id > 9 ? null : 'low'), { value: serde.json<'low' | 'high'>() })
  expectTypeOf(level).toEqualTypeOf<KTable<string, 'low' | 'high'>>()
}

export function refusesWrongSerdes(): void {
  const grouped = stream.groupByKey()
  // @ts-expect-error the initializer makes stats, the serde is for strings
  grouped.aggregate(emptyStats, addReading, { value: serde.string })
  // @ts-expect-error an aggregate cannot be stored without a serde
  grouped.aggregate(emptyStats, addReading, { store: 'stats' })
  // @ts-expect-error counts are numbers
  grouped.count({ value: serde.string })
  // @ts-expect-error keys are strings
  grouped.count({ key: serde.float64 })
  // @ts-expect-error reduced values are readings
  grouped.reduce((a) => a, { value: serde.string })
  // @ts-expect-error keys are strings
  stream.groupByKey({ key: serde.float64 })
  // @ts-expect-error the serde of a new key must be given
  stream.groupBy((r) => r.site)
  // @ts-expect-error the serde of a new key must be given
  stream.groupBy((r) => r.site, { name: 'by-site' })
  // @ts-expect-error the new key is a string, the serde is for numbers
  stream.groupBy((r) => r.site, { key: serde.float64 })
}

export function infersCogroups(): void {
  const bySite = stream.groupBy((r) => r.site, { key: serde.string })
  const others = new StreamsBuilder().stream(sites).groupByKey()
  const both = bySite.cogroup(addReading).cogroup(others, (s, name) => ({ ...s, count: s.count + name.length }))
  expectTypeOf(both.aggregate(emptyStats, { value: statsSerde })).toEqualTypeOf<KTable<string, Stats>>()
  const windows = both.windowedBy(TimeWindows.of('1m'), {
    late: topic('late', { key: serde.string, value: serde.json<Reading | string>() }),
  })
  expectTypeOf(windows.aggregate(emptyStats, { value: statsSerde })).toEqualTypeOf<KTable<Windowed<string>, Stats>>()
  // @ts-expect-error the second stream's aggregator makes no stats
  bySite.cogroup(addReading).cogroup(others, (_stats, name) => name)
  // @ts-expect-error the initializer makes no stats
  both.aggregate(() => 0, { value: statsSerde })
  // @ts-expect-error sessions that join need a merger
  both.windowedBy(SessionWindows.withGap('1m')).aggregate(emptyStats, { value: statsSerde })
}

export function refusesWrongFunctions(): void {
  const sessions = stream.groupByKey().windowedBy(SessionWindows.withGap('30m'))
  // @ts-expect-error sessions that join need a merger
  sessions.aggregate(emptyStats, addReading, { value: statsSerde })
  // @ts-expect-error the merger takes and makes aggregates
  sessions.aggregate(emptyStats, addReading, (a: string, b: string) => a + b, { value: statsSerde })
  // @ts-expect-error the merger makes no number
  sessions.aggregate(emptyStats, addReading, (a, b) => a.count + b.count, { value: statsSerde })
  // @ts-expect-error the aggregator makes stats
  stream.groupByKey().aggregate(emptyStats, (s, r) => s.sum + r.celsius, { value: statsSerde })
  // @ts-expect-error a record is a pair
  stream.map((r) => r.site)
  // @ts-expect-error flatMap makes pairs
  stream.flatMap((r) => [r.site])
  // @ts-expect-error there is no such property
  stream.filter((r) => r.fahrenheit > 0)
  // @ts-expect-error values of merged streams are of one type
  stream.merge(stream.mapValues((r) => r.celsius))
  // @ts-expect-error only results of windows can wait for their windows
  stream.groupByKey().count().suppress(untilWindowCloses())
  // @ts-expect-error late records are readings
  stream.groupByKey().windowedBy(TimeWindows.of('1m'), { late: numbers })
  stream.groupByKey().count().suppress(untilTimeLimit('10s', 'unbounded'))
  stream
    .groupByKey()
    .count()
    .suppress(untilTimeLimit('10s', { maxRecords: 10, whenFull: 'emit-early' }))
  // @ts-expect-error a buffer is bounded, or says that it is not
  untilTimeLimit('10s')
  // @ts-expect-error what happens when the buffer is full must be said
  untilTimeLimit('10s', { maxRecords: 10 })
  // @ts-expect-error a final result cannot go early
  untilWindowCloses({ maxRecords: 10, whenFull: 'emit-early' })
  // @ts-expect-error unlimited windows never close
  stream.groupByKey().windowedBy(UnlimitedWindows.of()).emit('window-close')
  // @ts-expect-error late records are readings
  stream.groupByKey().windowedBy(SlidingWindows.of('1m'), { late: numbers })
}

export function refusesWrongDurations(): void {
  TimeWindows.of('1.5h').advanceBy(90_000)
  // @ts-expect-error no such unit
  TimeWindows.of('1 minute')
  // @ts-expect-error no number
  TimeWindows.of('m')
  // @ts-expect-error no unit
  SessionWindows.withGap('30')
  // @ts-expect-error no unit
  TimeWindows.of('1m').grace('30')
}

// Only results of windows are kept for a time of their own.
{
  const grouped = new StreamsBuilder().stream(topic('kept', { key: serde.string, value: serde.string })).groupByKey()
  grouped.windowedBy(TimeWindows.of('1m')).count({ retention: '1h', logging: false })
  // @ts-expect-error one result for each key does not expire
  grouped.count({ retention: '1h' })
}

// Updates of a table wait in a record cache where it has a store without versions.
{
  const builder = new StreamsBuilder()
  const texts = topic('texts', { key: serde.string, value: serde.string })
  const table = builder.table(texts, { store: 'rows', caching: true })
  table.filter((text) => text !== '', { store: 'filled', value: serde.string, caching: false })
  builder.stream(texts).toTable({ caching: true })
  builder.stream(texts).groupByKey().windowedBy(TimeWindows.of('1m')).count({ store: 'counts', caching: true })
  // @ts-expect-error whether, not how much
  builder.stream(texts).groupByKey().count({ caching: 1_000 })
  // @ts-expect-error versions are handed on one by one
  builder.table(texts, { versioned: '1h', caching: true })
  // @ts-expect-error versions are handed on one by one
  builder.stream(texts).toTable({ versioned: '1h', caching: true })
}
