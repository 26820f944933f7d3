import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/cluster/connect.ts'
import { Connection } from '../../src/cluster/connection.ts'
import type { Environment } from '../../src/env/environment.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import {
  type Application,
  memoryEngine,
  type RunOptions,
  run,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topology,
  topic,
} from '../../src/index.ts'
import { CrashingDisk } from './crashing-disk.ts'
import { all, crashableDisk, type Entry, environmentOn, inMemory, put, table } from './readings.ts'

const readings = topic('readings', { key: serde.string, value: serde.json<number>() })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })
const sums = topic('sums', { key: serde.windowed(serde.string, { size: 100 }), value: serde.json<number>() })

/** A count behind a repartition topic, whose every update is an output unless updates wait in caches, and windows in front of one. */
function topology(caching = false): Topology {
  const builder = new StreamsBuilder()
  const stream = builder.stream(readings)
  const byDigit = stream.groupBy((value) => String(value % 10), { key: serde.string })
  byDigit.count({ store: 'counts', value: counts.value, caching }).toStream().to(counts)
  stream
    .groupByKey()
    .windowedBy(TimeWindows.of(100).grace(40))
    .aggregate(
      () => 0,
      (sum: number, value) => sum + value,
      { store: 'sums', value: serde.json<number>(), caching },
    )
    .toStream()
    .to(sums)
  return builder.build()
}

function options(connection: Connection | undefined, environment: Environment): RunOptions {
  return {
    applicationId: 'exact',
    cluster: connection ?? 'embedded:/data',
    environment,
    engine: memoryEngine,
    guarantee: 'exactly-once',
    commitInterval: 0,
    shutdownSignals: [],
  }
}

async function open(environment: Environment, readBufferBytes = 2_048): Promise<Connection> {
  const settings = { readBufferBytes }
  return new Connection(await connect('embedded:/data', { environment, settings }), environment.clock)
}

async function filledDisk(seed: number, count: number): Promise<MemoryDisk> {
  const disk = crashableDisk(seed)
  const random = new SeededRandom(seed)
  const records = Array.from({ length: count }, (_, i): Entry<string, number> => {
    return [`k${random.uint32() % 5}`, random.uint32() % 100, Math.max(0, i * 2 - (random.uint32() % 60))]
  })
  await using connection = await open(environmentOn(disk))
  await put(connection, readings, records, { batchBytes: 1_024 })
  return disk
}

interface Crash {
  readonly operations: number
  readonly readBufferBytes: number
  readonly keepUnsynced: 'none' | 'all' | 'random'
}

/** Runs until the power fails at the n-th operation of the disk, or to the end; returns the disk as it is found. */
async function runAndCrash(disk: MemoryDisk, crash: Crash, caching = false): Promise<MemoryDisk> {
  const crashing = new CrashingDisk(disk, crash.operations, crash.keepUnsynced)
  const environment = environmentOn(crashing)
  const connection = await open(environment, crash.readBufferBytes).catch(() => undefined)
  const app = await run(topology(caching), options(connection, environment)).catch(() => undefined)
  await app?.caughtUp().catch(() => {})
  const found = crashing.crash()
  await app?.close().catch(() => {})
  await connection?.close().catch(() => {})
  return found
}

/** Every output, in order, as readers of committed records see them. */
async function outputs(connection: Connection): Promise<unknown> {
  return { counts: await all(connection, counts), sums: await all(connection, sums) }
}

/** The last of them for each key. */
async function tables(connection: Connection): Promise<unknown> {
  return [[...(await table(connection, counts))].sort(), [...(await table(connection, sums))].sort()]
}

async function runToEnd(disk: MemoryDisk, caching = false, results = outputs): Promise<unknown> {
  const environment = environmentOn(disk)
  await using connection = await open(environment)
  await using app = await run(topology(caching), options(connection, environment))
  await app.caughtUp()
  return await results(connection)
}

const crash = fc.record({
  operations: fc.noBias(fc.integer({ min: 0, max: 300 })),
  readBufferBytes: fc.constantFrom(1_024, 4_096, 16_384),
  keepUnsynced: fc.constantFrom('none' as const, 'all' as const, 'random' as const),
})

describe("guarantee: 'exactly-once'", () => {
  it('writes each output once over power failures at any step, behind a repartition topic too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(crash, { minLength: 1, maxLength: 4 }), async (seed, crashes) => {
        const expected = await runToEnd(await filledDisk(seed, 600))
        let disk = await filledDisk(seed, 600)
        for (const crash of crashes) disk = await runAndCrash(disk, crash)
        expect(await runToEnd(disk)).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  it('loses no update that waited in a record cache', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(crash, { minLength: 1, maxLength: 3 }), async (seed, crashes) => {
        const expected = await runToEnd(await filledDisk(seed, 600), false, tables)
        let disk = await filledDisk(seed, 600)
        for (const crash of crashes) disk = await runAndCrash(disk, crash, true)
        expect(await runToEnd(disk, true, tables)).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  }, 120_000)

  it('shows results when they are committed, not before', async () => {
    await using connection = await inMemory()
    await put(connection, readings, [['k', 1, 1]])
    const environment = environmentOn(crashableDisk(1))
    const app = await run(topology(), { ...options(connection, environment), commitInterval: '1h' })
    await waitFor(app, 2)
    expect(await all(connection, counts)).toEqual([])
    await app.close()
    // What was written to the repartition topic can be read from the commit on: by the next run.
    await using again = await run(topology(), options(connection, environment))
    await again.caughtUp()
    expect(await all(connection, counts)).toEqual([['1', 1, 1]])
  })

  it('is ended where another run takes its place', async () => {
    await using connection = await inMemory()
    await put(connection, readings, [['k', 1, 1]])
    const environment = environmentOn(crashableDisk(1))
    const first = await run(topology(), options(connection, environment))
    await first.caughtUp()
    await using second = await run(topology(), options(connection, environment))
    await put(connection, readings, [['k', 2, 2]])
    await expect(first.closed).rejects.toMatchObject({ code: expect.stringMatching(/PRODUCER_FENCED|INVALID_/) })
    await second.caughtUp()
    expect((await all(connection, counts)).map(([key, value]) => [key, value])).toEqual([
      ['1', 1],
      ['2', 1],
    ])
  })

  it('can be asked for, and given up, from one run to the next', async () => {
    await using connection = await inMemory()
    const environment = environmentOn(crashableDisk(1))
    for (const [i, guarantee] of (['at-least-once', 'exactly-once', 'at-least-once'] as const).entries()) {
      await put(connection, readings, [['k', 1, i]])
      await using app = await run(topology(), { ...options(connection, environment), guarantee })
      await app.caughtUp()
    }
    expect((await all(connection, counts)).map(([, value]) => value)).toEqual([1, 2, 3])
  })

  it('is one of two', async () => {
    await using connection = await inMemory()
    const wrong = { ...options(connection, environmentOn(crashableDisk(1))), guarantee: 'twice' as 'exactly-once' }
    await expect(run(topology(), wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

/** Until the application has taken so many records. */
async function waitFor(app: Application, records: number): Promise<void> {
  while (app.metrics().recordsIn + app.metrics().recordsOut < records) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
