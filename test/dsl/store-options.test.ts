import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, TimeWindows, type Topology, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const rows = topic('rows', { key: serde.string, value: serde.string })
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
