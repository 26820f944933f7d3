import { describe, expect, it } from 'vitest'
import {
  JoinWindows,
  type Logging,
  memoryEngine,
  type StreamJoinOptions,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topology,
  topic,
  untilTimeLimit,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const rows = topic('rows', { key: serde.string, value: serde.string })
const out = topic('out', { key: serde.string, value: serde.string })
const day = 24 * 60 * 60 * 1000

function storesOf(topology: Topology) {
  return topology.subTopologies.flatMap(({ stores }) => stores)
}

describe('logging', () => {
  it('adds to the settings of the changelog topic, and replaces them', () => {
    const builder = new StreamsBuilder()
    const grouped = builder.stream(words).groupByKey()
    grouped.count({ store: 'counts', logging: { 'segment.bytes': '1000' } })
    grouped.windowedBy(TimeWindows.of(10)).count({ store: 'windows', logging: { 'retention.ms': '5' } })
    builder.table(rows, { store: 'rows', logging: { 'cleanup.policy': 'compact,delete' } })
    const configs = Object.fromEntries(storesOf(builder.build()).map((store) => [store.name, store.changelogConfig]))
    expect(configs).toEqual({
      counts: { 'cleanup.policy': 'compact', 'segment.bytes': '1000' },
      windows: { 'cleanup.policy': 'compact,delete', 'retention.ms': '5' },
      rows: { 'cleanup.policy': 'compact,delete' },
    })
  })

  it('can be left out: then there is no changelog, and a restart forgets', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).groupByKey().count({ store: 'counts', logging: false })
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: 'a', value: 'x' })
    expect(driver.store('counts').get('a')?.value).toBe(1)
    expect(driver.producedTopics()).toEqual([])
    driver.restart()
    expect(driver.store('counts').get('a')).toBeUndefined()
  })
})

describe('the buffer of suppress', () => {
  function waiting(logging: Logging) {
    const builder = new StreamsBuilder()
    const table = builder.table(rows)
    table.suppress(untilTimeLimit(10, 'unbounded'), { name: 'held', logging }).toStream().to(out)
    return builder.build()
  }

  it('is logged with settings of the user', () => {
    const held = storesOf(waiting({ 'segment.bytes': '1000' })).find(({ name }) => name === 'held-store')
    expect(held).toMatchObject({
      logged: true,
      changelogConfig: { 'cleanup.policy': 'compact', 'segment.bytes': '1000' },
    })
  })

  it('is not logged where it must not be: a restart loses what waits', () => {
    const handedOn = (logging: Logging) => {
      using driver = new TopologyTestDriver(waiting(logging))
      driver.input(rows).pipe({ key: 'a', value: 'x', timestamp: 1 })
      driver.restart()
      driver.input(rows).pipe({ key: 'b', value: 'y', timestamp: 20 })
      const changelogs = driver.producedTopics().filter((name) => name.endsWith('held-store-changelog'))
      return [driver.output(out).readAll().length, changelogs.length]
    }
    expect(handedOn(false)).toEqual([0, 0])
    expect(handedOn(true)).toEqual([1, 1])
  })
})

describe('the stores of a join of streams', () => {
  function joined(options: Partial<StreamJoinOptions<string, string, string>>) {
    const builder = new StreamsBuilder()
    const within = JoinWindows.of(10)
    const joiner = (left: string, right: string | null) => `${left}${right}`
    builder
      .stream(words)
      .leftJoin(builder.stream(rows), joiner, { within, ...options })
      .to(out)
    return builder.build()
  }

  it('are logged with settings of the user, or not at all', () => {
    const logged = storesOf(joined({ logging: { 'segment.bytes': '1000' } }))
    expect(logged.map(({ changelogConfig }) => changelogConfig['segment.bytes'])).toEqual(['1000', '1000', '1000'])
    expect(storesOf(joined({ logging: false })).map((store) => store.logged)).toEqual([false, false, false])
  })

  it('have the names and engines of the two sides; what waits is named after this one', () => {
    const engine = memoryEngine
    const stores = storesOf(joined({ thisStore: { name: 'mine', engine }, otherStore: { name: 'theirs' } }))
    expect(stores.map((store) => [store.name, store.engine]).sort()).toEqual([
      ['mine', engine],
      ['mine-left-shared-join-store', engine],
      ['theirs', undefined],
    ])
  })

  it('must have names of their own', () => {
    const same = { thisStore: { name: 'one' }, otherStore: { name: 'one' } }
    expect(() => joined(same)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
    expect(() => joined({ otherStore: { name: 'a b' } })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('retention', () => {
  it('keeps results of windows longer than they can change', () => {
    const builder = new StreamsBuilder()
    const windowed = builder.stream(words).groupByKey().windowedBy(TimeWindows.of(10))
    windowed.count({ store: 'short' })
    windowed.count({ store: 'long', retention: 30 })
    const topology = builder.build()
    const long = storesOf(topology).find(({ name }) => name === 'long')
    expect(long?.changelogConfig['retention.ms']).toBe(String(day + 30))
    using driver = new TopologyTestDriver(topology)
    for (const timestamp of [0, 20]) driver.input(words).pipe({ key: 'a', value: 'x', timestamp })
    expect(driver.store('short').get('a', 0)).toBeUndefined()
    expect(driver.store('long').get('a', 0)?.value).toBe(1)
    driver.input(words).pipe({ key: 'a', value: 'x', timestamp: 30 })
    expect(driver.store('long').get('a', 0)).toBeUndefined()
  })

  it('is refused where results can change for longer', () => {
    const windowed = new StreamsBuilder().stream(words).groupByKey().windowedBy(TimeWindows.of(10).grace(5))
    expect(() => windowed.count({ retention: 14 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    windowed.count({ retention: 15 })
  })
})

it('a grace period needs a table whose versions go back so far', () => {
  const joined = (versioned: number | undefined) => {
    const builder = new StreamsBuilder()
    const table = builder.table(rows, { store: 'rows', ...(versioned === undefined ? {} : { versioned }) })
    builder.stream(words).join(table, (left, right) => left + right, { name: 'graced', grace: 10 })
    return builder.build()
  }
  expect(() => joined(undefined)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  expect(() => joined(9)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  // As Kafka Streams described the same join.
  expect(joined(10).describe()).toContain('Processor: graced (stores: [rows, graced-Buffer])')
})

it('records that waited for late updates keep their headers, also over a restart', () => {
  const builder = new StreamsBuilder()
  const out = topic('out', { key: serde.string, value: serde.string })
  const table = builder.table(rows, { versioned: 100 })
  builder
    .stream(words)
    .join(table, (left, right) => left + right, { grace: 10 })
    .to(out)
  using driver = new TopologyTestDriver(builder.build())
  const headers = [{ key: 'trace', value: Buffer.from('7') }]
  driver.input(words).pipe({ key: 'k', value: 'a', timestamp: 5, headers })
  driver.input(rows).pipe({ key: 'k', value: 'late', timestamp: 4 })
  driver.restart()
  expect(driver.output(out).readAll()).toEqual([])
  driver.input(words).pipe({ key: 'k', value: 'b', timestamp: 15 })
  expect(driver.output(out).readAll()).toEqual([{ key: 'k', value: 'alate', timestamp: 5, headers }])
})
