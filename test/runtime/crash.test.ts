import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/cluster/connect.ts'
import { Connection } from '../../src/cluster/connection.ts'
import type { Environment } from '../../src/env/environment.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import {
  memoryEngine,
  type RunOptions,
  run,
  SessionWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topology,
  topic,
} from '../../src/index.ts'
import { CrashingDisk } from './crashing-disk.ts'
import { crashableDisk, type Entry, environmentOn, put, table } from './readings.ts'

const readings = topic('readings', { key: serde.string, value: serde.json<number>() })
const sums = topic('sums', { key: serde.windowed(serde.string, { size: 100 }), value: serde.json<number>() })
const sessions = topic('sessions', { key: serde.sessionWindowed(serde.string), value: serde.json<number>() })

function topology(): Topology {
  const builder = new StreamsBuilder()
  const byKey = builder.stream(readings).groupByKey()
  const add = (sum: number, value: number) => sum + value
  byKey
    .windowedBy(TimeWindows.of(100).advanceBy(50).grace(40))
    .aggregate(() => 0, add, { store: 'sums', value: serde.json<number>() })
    .toStream()
    .to(sums)
  byKey
    .windowedBy(SessionWindows.withGap(20).grace(40))
    .aggregate(() => 0, add, add, { store: 'sessions', value: serde.json<number>() })
    .toStream()
    .to(sessions)
  return builder.build()
}

function randomReadings(random: () => number, count: number): Entry<string, number>[] {
  return Array.from({ length: count }, (_, i) => [
    `k${random() % 9}`,
    1 + (random() % 100),
    Math.max(0, i * 2 - (random() % 60)),
  ])
}

/** Runs until the power fails at the n-th operation of the disk, or to the end; returns the disk as it is found. */
async function runAndCrash(
  disk: MemoryDisk,
  operations: number,
  readBufferBytes: number,
  keepUnsynced: 'none' | 'all' | 'random',
): Promise<MemoryDisk> {
  const crashing = new CrashingDisk(disk, operations, keepUnsynced)
  const environment = environmentOn(crashing)
  const connection = await open(environment, readBufferBytes).catch(() => undefined)
  const app = await run(topology(), options(connection, environment)).catch(() => undefined)
  await app?.caughtUp().catch(() => {})
  const found = crashing.crash()
  await app?.close().catch(() => {})
  await connection?.close().catch(() => {})
  return found
}

async function runToEnd(disk: MemoryDisk): Promise<Record<'sums' | 'sessions', Map<string, number>>> {
  const environment = environmentOn(disk)
  await using connection = await open(environment)
  await using app = await run(topology(), options(connection, environment))
  await app.caughtUp()
  return { sums: await table(connection, sums), sessions: await table(connection, sessions) }
}

/** With small fetches, and a commit after each, so that many commits can be cut short; of changing size, so that the commit after
 * a crash may hold less than what the crash cut off. */
async function open(environment: Environment, readBufferBytes = 2_048): Promise<Connection> {
  const settings = { readBufferBytes }
  return new Connection(await connect('embedded:/data', { environment, settings }), environment.clock)
}

function options(connection: Connection | undefined, environment: Environment): RunOptions {
  const cluster = connection ?? 'embedded:/data'
  return {
    applicationId: 'crashing',
    cluster,
    environment,
    engine: memoryEngine,
    commitInterval: 0,
    shutdownSignals: [],
  }
}

async function filledDisk(seed: number, count: number): Promise<MemoryDisk> {
  const disk = crashableDisk(seed)
  const random = new SeededRandom(seed)
  await using connection = await open(environmentOn(disk))
  await put(
    connection,
    readings,
    randomReadings(() => random.uint32(), count),
    { batchBytes: 1_024 },
  )
  return disk
}

describe('after power failures', () => {
  it('stores hold each committed record exactly once: the final table is that of an undisturbed run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.tuple(
            fc.noBias(fc.integer({ min: 0, max: 150 })),
            fc.constantFrom(1_024, 4_096, 16_384),
            fc.constantFrom('none' as const, 'all' as const, 'random' as const),
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (seed, crashes) => {
          const expected = await runToEnd(await filledDisk(seed, 3_000))
          let disk = await filledDisk(seed, 3_000)
          for (const [operations, readBufferBytes, keepUnsynced] of crashes)
            disk = await runAndCrash(disk, operations, readBufferBytes, keepUnsynced)
          const found = await runToEnd(disk)
          expect(found).toEqual(expected)
        },
      ),
      { numRuns: 40 },
    )
  })
})
