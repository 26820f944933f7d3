import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

interface Step {
  readonly topic: 'T' | 'U' | 'S'
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
  readonly outputs: Readonly<Record<string, readonly (readonly [string, string | number | null, number])[]>>
}

/** Random steps, and what Kafka Streams 4.1.1 wrote at each of them; the topology is that of `versionedTopology`. */
const steps = JSON.parse(
  readFileSync(new URL('../vectors/versioned-tables.json', import.meta.url), 'utf8'),
) as readonly Step[]

const text = (name: string) => topic(name, { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.int64 })
const outputs = ['updates', 'filtered', 'mapped', 'kept-updates', 'outer', 'joined', 'joined-derived', 'graced']

function versionedTopology() {
  const builder = new StreamsBuilder()
  const table = builder.table(text('T'), { store: 'rows', versioned: 100 })
  table.toStream().to(text('updates'))
  table
    .filter((value) => !value.startsWith('x'))
    .toStream()
    .to(text('filtered'))
  table
    .mapValues((value) => `${value}!`)
    .toStream()
    .to(text('mapped'))
  table
    .filter((value) => !value.startsWith('x'), { store: 'kept' })
    .toStream()
    .to(text('kept-updates'))
  table
    .groupBy((value) => [value.slice(0, 1), value], { key: serde.string, value: serde.string })
    .count()
    .mapValues(BigInt)
    .toStream()
    .to(counts)
  const other = builder.table(text('U'))
  table
    .outerJoin(other, (left, right) => `${left}|${right}`)
    .toStream()
    .to(text('outer'))
  const stream = builder.stream(text('S'))
  stream.leftJoin(table, (left, right) => `${left}+${right}`).to(text('joined'))
  const derived = table.mapValues((value) => `${value}!`).filter((value) => !value.startsWith('x'))
  stream.join(derived, (left, right) => `${left}+${right}`).to(text('joined-derived'))
  const graced = { name: 'graced', grace: 15 } as const
  stream.leftJoin(table, (left, right) => `${left}+${right}`, graced).to(text('graced'))
  return builder.build()
}

describe('a table that keeps versions', () => {
  it('does not bring a row back that was deleted at the time of its version, which Kafka Streams does', () => {
    using driver = new TopologyTestDriver(versionedTopology())
    const rows = driver.input(text('T'))
    rows.pipe({ key: 'a', value: 'v', timestamp: 3 })
    rows.pipe({ key: 'a', value: null, timestamp: 3 })
    rows.pipe({ key: 'a', value: 'w', timestamp: 0 })
    expect(
      driver
        .output(counts)
        .readAll()
        .map(({ key, value }) => [key, value]),
    ).toEqual([
      ['v', 1n],
      ['v', 0n],
    ])
    driver.input(text('S')).pipe({ key: 'a', value: 's', timestamp: 5 })
    driver.input(text('S')).pipe({ key: 'a', value: 's', timestamp: 1 })
    expect(
      driver
        .output(text('joined'))
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['s+null', 's+w'])
  })

  it.each([false, true])('does what Kafka Streams did, step by step (restarts between them: %s)', (isRestarted) => {
    using driver = new TopologyTestDriver(versionedTopology())
    for (const [at, step] of steps.entries()) {
      driver.input(text(step.topic)).pipe({ key: step.key, value: step.value, timestamp: step.timestamp })
      const written: Record<string, unknown[]> = {}
      const keep = (name: string, records: readonly { key: unknown; value: unknown; timestamp: number }[]) => {
        if (records.length === 0) return
        written[name] = records.map(({ key, value, timestamp }) => [key, plain(value), timestamp])
      }
      for (const name of outputs) keep(name, driver.output(text(name)).readAll())
      keep('counts', driver.output(counts).readAll())
      expect(written, `step ${at}: ${JSON.stringify(step)}`).toEqual(step.outputs)
      if (isRestarted && at % 7 === 0) driver.restart()
    }
  })

  it('counts what is too old for its history, and what is not the latest where only that counts', () => {
    using driver = new TopologyTestDriver(versionedTopology())
    const input = driver.input(text('T'))
    for (const timestamp of [500, 450, 399]) input.pipe({ key: 'k', value: 'v', timestamp })
    const drops = driver.drops().map(({ operator, reason, count }) => `${operator}: ${count} ${reason}`)
    expect(drops.sort()).toEqual([
      'KTABLE-JOINTHIS-0000000025: 1 not-latest',
      'KTABLE-SELECT-0000000013: 1 not-latest',
      'KTABLE-SOURCE-0000000001: 1 late',
    ])
  })

  it('is made of a stream too', () => {
    const builder = new StreamsBuilder()
    const table = builder.stream(text('T')).toTable({ versioned: '1s' })
    builder
      .stream(text('S'))
      .join(table, (left, right) => `${left}+${right}`)
      .to(text('joined'))
    using driver = new TopologyTestDriver(builder.build())
    for (const timestamp of [10, 30, 20]) {
      driver.input(text('T')).pipe({ key: 'k', value: `at ${timestamp}`, timestamp })
    }
    const store = driver.store('KSTREAM-TOTABLE-STATE-STORE-0000000002')
    expect(store.get('k')).toEqual({ value: 'at 30', timestamp: 30 })
    for (const timestamp of [25, 30, 5]) driver.input(text('S')).pipe({ key: 'k', value: 's', timestamp })
    expect(
      driver
        .output(text('joined'))
        .readAll()
        .map(({ value }) => value),
    ).toEqual(['s+at 20', 's+at 30'])
  })
})

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
