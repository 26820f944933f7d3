import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import {
  connect,
  memoryEngine,
  run,
  SessionWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topology,
  topic,
} from '../../src/index.ts'
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

/** Runs until the disk has done a number of writes and syncs, then cuts the power; returns the disk as it is found. */
async function runAndCrash(
  disk: MemoryDisk,
  afterMs: number,
  keepUnsynced: 'none' | 'all' | 'random',
): Promise<MemoryDisk> {
  const environment = environmentOn(disk)
  const connection = await connect('embedded:/data', { environment })
  const app = await run(topology(), {
    applicationId: 'crashing',
    cluster: connection,
    environment,
    engine: memoryEngine,
    commitInterval: 1,
  })
  const ended = app.closed.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  const found = disk.crash({ keepUnsynced })
  // The files of before the crash now fail: the application ends by itself, or with this.
  await Promise.all([app.close().catch(() => {}), ended])
  await connection.close().catch(() => {})
  return found
}

async function runToEnd(disk: MemoryDisk): Promise<{ sums: Map<string, number>; sessions: Map<string, number> }> {
  const environment = environmentOn(disk)
  await using connection = await connect('embedded:/data', { environment })
  await using app = await run(topology(), {
    applicationId: 'crashing',
    cluster: connection,
    environment,
    engine: memoryEngine,
  })
  await app.caughtUp()
  return { sums: await table(connection, sums), sessions: await table(connection, sessions) }
}

async function filledDisk(seed: number, count: number): Promise<MemoryDisk> {
  const disk = crashableDisk(seed)
  let state = seed >>> 0
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
  await using connection = await connect('embedded:/data', { environment: environmentOn(disk) })
  await put(connection, readings, randomReadings(random, count))
  return disk
}

describe('after power failures', () => {
  it('stores hold each committed record exactly once: the final table is that of an undisturbed run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.tuple(
            fc.integer({ min: 0, max: 12 }),
            fc.constantFrom('none' as const, 'all' as const, 'random' as const),
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (seed, crashes) => {
          const expected = await runToEnd(await filledDisk(seed, 4_000))
          let disk = await filledDisk(seed, 4_000)
          for (const [afterMs, keepUnsynced] of crashes) disk = await runAndCrash(disk, afterMs, keepUnsynced)
          const found = await runToEnd(disk)
          expect(found).toEqual(expected)
        },
      ),
      { numRuns: 25 },
    )
  })
})
