import fc from 'fast-check'
import { expect, it } from 'vitest'
import { connect } from '../../src/cluster/connect.ts'
import { Connection } from '../../src/cluster/connection.ts'
import type { Environment } from '../../src/env/environment.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { JoinWindows, memoryEngine, type RunOptions, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { CrashingDisk } from './crashing-disk.ts'
import { all, crashableDisk, type Entry, environmentOn, put } from './readings.ts'

const [lefts, rights] = ['lefts', 'rights'].map((name) => topic(name, { key: serde.string, value: serde.string }))
const pairs = topic('pairs', { key: serde.string, value: serde.string })
const window = { beforeMs: 6, afterMs: 9 }

function topology(): Topology {
  const builder = new StreamsBuilder()
  const within = JoinWindows.of(0).before(window.beforeMs).after(window.afterMs).grace(1)
  builder
    .stream(lefts)
    .outerJoin(builder.stream(rights), (left, right) => `${left}+${right}`, { within })
    .to(pairs)
  return builder.build()
}

/** In order of time, so that what belongs together does not depend on when unmatched records are looked for. */
function entries(seed: number, name: string): Entry<string, string>[] {
  const random = new SeededRandom(seed)
  let time = 0
  const found = Array.from({ length: 400 }, (_, i): Entry<string, string> => {
    time += random.uint32() % 4
    return [`k${random.uint32() % 6}`, `${name}${i}`, time]
  })
  return [...found, ['end', 'end', time + 1_000]]
}

/** Which values the join hands on, by its definition. */
function expectedOf(seed: number): string[] {
  const [left, right] = [entries(seed, 'l'), entries(seed + 1, 'r')]
  const isMatch = (a: Entry<string, string>, b: Entry<string, string>): boolean =>
    a[0] === b[0] && b[2] >= a[2] - window.beforeMs && b[2] <= a[2] + window.afterMs
  return [
    ...left.flatMap((a) => right.filter((b) => isMatch(a, b)).map((b) => `${a[1]}+${b[1]}`)),
    ...left.filter((a) => !right.some((b) => isMatch(a, b))).map((a) => `${a[1]}+null`),
    ...right.filter((b) => !left.some((a) => isMatch(a, b))).map((b) => `null+${b[1]}`),
  ]
}

async function open(environment: Environment, readBufferBytes = 2_048): Promise<Connection> {
  return new Connection(
    await connect('embedded:/data', { environment, settings: { readBufferBytes } }),
    environment.clock,
  )
}

function options(connection: Connection | undefined, environment: Environment): RunOptions {
  const cluster = connection ?? 'embedded:/data'
  const applicationId = 'crashing'
  return { applicationId, cluster, environment, engine: memoryEngine, commitInterval: 0, shutdownSignals: [] }
}

/** Runs until the power fails at the n-th operation of the disk, or to the end; returns the disk as it is found. */
async function runAndCrash(disk: MemoryDisk, operations: number, readBufferBytes: number): Promise<MemoryDisk> {
  const crashing = new CrashingDisk(disk, operations, 'random')
  const environment = environmentOn(crashing)
  const connection = await open(environment, readBufferBytes).catch(() => undefined)
  const app = await run(topology(), options(connection, environment)).catch(() => undefined)
  await app?.caughtUp().catch(() => {})
  const found = crashing.crash()
  await app?.close().catch(() => {})
  await connection?.close().catch(() => {})
  return found
}

it('a join of streams gives each pair, and alone what is in none, after power failures', async () => {
  const crashes = fc.array(
    fc.tuple(fc.noBias(fc.integer({ min: 0, max: 150 })), fc.constantFrom(1_024, 4_096, 16_384)),
    { minLength: 1, maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), crashes, async (seed, failures) => {
      let disk = crashableDisk(seed)
      {
        await using connection = await open(environmentOn(disk))
        await put(connection, lefts, entries(seed, 'l'), { batchBytes: 1_024 })
        await put(connection, rights, entries(seed + 1, 'r'), { batchBytes: 1_024 })
      }
      for (const [operations, readBufferBytes] of failures) {
        disk = await runAndCrash(disk, operations, readBufferBytes)
      }
      const environment = environmentOn(disk)
      await using connection = await open(environment)
      await using app = await run(topology(), options(connection, environment))
      await app.caughtUp()
      const found = (await all(connection, pairs)).map(([, value]) => value as string)
      const isOfEnd = (value: string): boolean => value.includes('end')
      // Outputs are at least once; what they say is exact.
      expect([...new Set(found)].filter((value) => !isOfEnd(value)).toSorted()).toEqual(
        expectedOf(seed)
          .filter((value) => !isOfEnd(value))
          .toSorted(),
      )
    }),
    { numRuns: 20 },
  )
})
