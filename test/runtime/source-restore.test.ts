import { describe, expect, it } from 'vitest'
import { type BuildOptions, run, StreamsBuilder, serde, type Topology, topic } from '../../src/index.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import type { StoreEngine, StoreEngineFactory } from '../../src/state/store-engine.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import { all, inMemory, put } from './readings.ts'

const types = { key: serde.string, value: serde.json<string>(), partitions: 2 }
const rows = topic('rows', types)
const orders = topic('orders', types)
const answers = topic('answers', types)
/** Writes to the same topic what may be no JSON. */
const anyRows = topic('rows', { ...types, value: serde.string })
const one = topic('rows', { ...types, partitions: 1 })
const oneOrders = topic('orders', { ...types, partitions: 1 })
const optimised: BuildOptions = { optimize: ['reuse-source-topics'] }

function joining(options = optimised, table = rows, stream = orders): Topology {
  const builder = new StreamsBuilder()
  const names = builder.table(table, { store: 'names' })
  builder
    .stream(stream)
    .leftJoin(names, (order, name) => `${order} of ${name}`)
    .to(answers)
  return builder.build(options)
}

type Setting = Omit<Parameters<typeof run>[1], 'applicationId'>

/** Runs until all is read; how many records were. */
async function once(topology: Topology, setting: Setting): Promise<number> {
  await using app = await run(topology, { applicationId: 'app', ...setting })
  await app.caughtUp()
  return app.metrics().recordsIn
}

/** Engines that outlive the application that opened them, as those on a disk do. */
function keptEngines(): { factory: StoreEngineFactory; engines: Map<string, StoreEngine> } {
  const engines = new Map<string, StoreEngine>()
  const open: StoreEngineFactory['open'] = (location) => {
    const name = `${location.directory}/${location.store}`
    const engine = engines.get(name) ?? memoryEngine.open(location)
    engines.set(name, engine)
    engine.close = () => {}
    return engine
  }
  return { factory: { name: 'kept', durable: true, open }, engines }
}

async function answered(connection: Awaited<ReturnType<typeof inMemory>>): Promise<(string | null)[]> {
  return (await all(connection, answers)).map(([, value]) => value).toSorted()
}

describe('a table that is restored from its topic', () => {
  it('has its rows after a restart, without a changelog', async () => {
    await using cluster = await inMemory()
    await put(cluster, rows, [
      ['a', 'Ada', 1],
      ['b', 'Bob', 1],
      ['c', 'Cyd', 1],
      ['b', null, 2],
      ['a', 'Countess', 3],
      [null, 'nobody', 4],
    ])
    expect(await once(joining(), { cluster })).toBe(6)
    const names = (await cluster.describeTopics()).map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('app-'))).toEqual([])

    await put(cluster, orders, [
      ['a', '1', 10],
      ['b', '2', 10],
      ['c', '3', 10],
    ])
    expect(await once(joining(), { cluster })).toBe(3)
    expect(await answered(cluster)).toEqual(['1 of Countess', '2 of null', '3 of Cyd'])
  })

  it('holds what was committed and not what came later: that is processed', async () => {
    await using cluster = await inMemory()
    await put(cluster, rows, [['a', 'Ada', 1]])
    await once(joining(), { cluster })
    await put(cluster, orders, [['a', '1', 2]])
    await put(cluster, rows, [['a', 'Countess', 3]])
    expect(await once(joining(), { cluster })).toBe(2)
    expect(await answered(cluster)).toEqual(['1 of Ada'])
  })

  it('takes a value that is read as null for the deletion that it was', async () => {
    await using cluster = await inMemory()
    await put(cluster, anyRows, [
      ['a', '"Ada"', 1],
      ['a', 'null', 2],
    ])
    await once(joining(), { cluster })
    await put(cluster, orders, [['a', '1', 3]])
    await once(joining(), { cluster })
    expect(await answered(cluster)).toEqual(['1 of null'])
  })

  it('leaves out what was skipped as undecodable, and counts it once', async () => {
    await using cluster = await inMemory()
    await put(cluster, anyRows, [
      ['a', '"Ada"', 1],
      ['a', '{no json', 2],
    ])
    await once(joining(), { cluster, badRecords: 'skip' })
    await put(cluster, orders, [['a', '1', 3]])
    await using app = await run(joining(), { applicationId: 'app', cluster, badRecords: 'skip' })
    await app.caughtUp()
    expect(await answered(cluster)).toEqual(['1 of Ada'])
    expect(app.metrics().drops).toMatchObject([{ reason: 'undecodable', count: 1 }])
  })

  it('does not start where a value cannot be read, and says which', async () => {
    await using cluster = await inMemory()
    await put(cluster, anyRows, [['a', 'no json', 1]])
    await once(joining(optimised, anyRows as unknown as typeof rows), { cluster })
    await expect(run(joining(), { applicationId: 'app', cluster })).rejects.toMatchObject({
      code: 'SERDE_FAILED',
      at: { topic: 'rows', offset: 0, operator: 'KSTREAM-SOURCE-0000000000' },
    })
  })

  it('is restored anew where its engine is ahead of the commit', async () => {
    await using cluster = await inMemory()
    const { factory, engines } = keptEngines()
    await put(cluster, rows, [['a', 'Ada', 1]])
    await once(joining(), { cluster, engine: factory, stateDirectory: '/state' })
    expect([...engines.values()].map((engine) => engine.position()).toSorted()).toEqual([0, 1])

    for (const engine of engines.values()) {
      if (engine.position() > 0) engine.write({ operations: [], position: 7 })
    }
    await put(cluster, orders, [['a', '1', 2]])
    await once(joining(), { cluster, engine: factory, stateDirectory: '/state' })
    expect(await answered(cluster)).toEqual(['1 of Ada'])
    expect(Math.max(...[...engines.values()].map((engine) => engine.position()))).toBe(1)
  })

  it('does not take an engine that a changelog filled for its own', async () => {
    await using cluster = await inMemory()
    const { factory } = keptEngines()
    // In the changelog a transaction's marker has an offset, too: the engine stands at 3, behind Bob in the topic.
    const exactly = { cluster, guarantee: 'exactly-once' } as const
    await put(cluster, oneOrders, [])
    const build = (options: BuildOptions) => joining(options, one, oneOrders)
    for (const name of ['Augusta', 'Ada']) {
      await put(cluster, one, [['a', name, 1]])
      await once(build({}), { ...exactly, engine: factory, stateDirectory: '/state' })
    }
    await put(cluster, one, [['b', 'Bob', 2]])
    await once(build({}), exactly)
    await put(cluster, oneOrders, [['b', '1', 3]])
    await once(build(optimised), { ...exactly, engine: factory, stateDirectory: '/state' })
    expect(await answered(cluster)).toEqual(['1 of Bob'])
  })

  it('is refused without the optimisation once it has run with it: there is no changelog', async () => {
    await using cluster = await inMemory()
    await put(cluster, rows, [['a', 'Ada', 1]])
    await once(joining(), { cluster })
    await expect(run(joining({}), { applicationId: 'app', cluster })).rejects.toMatchObject({
      code: 'INVALID_TOPOLOGY',
      at: { store: 'names' },
    })
  })

  it('may have a topic of fewer partitions than the sub-topology has tasks', async () => {
    await using cluster = await inMemory()
    const wide = topic('wide', { ...types, partitions: 3 })
    const build = (): Topology => {
      const builder = new StreamsBuilder()
      const table = builder.table(rows, { store: 'names' }).toStream()
      table.merge(builder.stream(wide)).to(answers)
      return builder.build(optimised)
    }
    await put(cluster, rows, [['a', 'Ada', 1]])
    await put(
      cluster,
      wide,
      Array.from({ length: 9 }, (_, i) => [`key-${i}`, 'x', 1] as const),
    )
    expect(await once(build(), { cluster })).toBe(10)
    expect(await once(build(), { cluster })).toBe(0)
  })

  it('is refused where its topic forgets records, and not where it is compacted', async () => {
    const start = async (config: Parameters<typeof topic>[1]['config']) => {
      await using cluster = await inMemory()
      await once(joining(optimised, topic('rows', { ...types, ...(config === undefined ? {} : { config }) })), {
        cluster,
      })
    }
    await expect(start({ 'retention.ms': '7d' })).rejects.toMatchObject({ code: 'INVALID_TOPOLOGY' })
    await expect(start({ 'cleanup.policy': 'compact,delete', 'retention.bytes': 10 })).rejects.toThrow(
      'retention.bytes',
    )
    await start({ 'cleanup.policy': 'compact', 'retention.ms': '7d' })
    await start({ 'retention.ms': '-1' })
  })

  it('is restored in the test driver, too, as far as the driver came', () => {
    using driver = new TopologyTestDriver(joining(), { badRecords: 'skip' })
    const input = driver.input(rows)
    input.pipe({ key: 'a', value: 'Ada', timestamp: 1 })
    input.pipe({ key: 'b', value: 'Bob', timestamp: 1 })
    driver.input(anyRows).pipe({ key: 'b', value: '{no json', timestamp: 2 })
    input.pipe({ key: 'c', value: 'Cyd', timestamp: 1 })
    driver.input(anyRows).pipe({ key: 'c', value: 'null', timestamp: 2 })
    input.pipe({ key: null, value: 'nobody', timestamp: 2 })
    driver.restart()
    expect(driver.store('names').get('a')).toEqual({ value: 'Ada', timestamp: 1 })
    expect(driver.store('names').get('b')).toEqual({ value: 'Bob', timestamp: 1 })
    expect(driver.store('names').get('c')).toBeUndefined()
    expect(driver.store('names').get('')).toBeUndefined()
    expect(driver.producedTopics()).not.toContain('app-names-changelog')
  })
})
