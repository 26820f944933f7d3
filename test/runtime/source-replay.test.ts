import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { VirtualClock } from '../../src/env/virtual-clock.ts'
import { keyValueStore, run, serde, TopologyBuilder, topic } from '../../src/index.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { CacheBound } from '../../src/runtime/cache-bound.ts'
import { SourceReplay } from '../../src/runtime/source-replay.ts'
import { plannedInputs } from '../../src/runtime/task-assembly.ts'
import { planTopics } from '../../src/runtime/topic-plan.ts'
import { lmdbEngine } from '../../src/state/lmdb-engine.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import { MemoryLog } from '../../src/testing/memory-log.ts'
import { all, type Entry, inMemory, put } from './readings.ts'

const ofText = { key: serde.string, value: serde.string }
const events = topic('events', { ...ofText, partitions: 2 })
const namesTopic = topic('names', { ...ofText, partitions: 2 })
const out = topic('out', ofText)
const names = keyValueStore('names', ofText)

/** Events joined with names; `filled` is called for each name that is put. */
function lookingUp(filled: (name: string) => void = () => {}) {
  const builder = new TopologyBuilder()
  builder.addReadOnlyStateStore(
    names,
    namesTopic,
    () => ({
      process({ key, value }, context) {
        filled(value)
        context.store(names).put(key, value)
      },
    }),
    { source: 'names-source', processor: 'names-update' },
  )
  const looking = builder.addProcessor(
    'look',
    () => ({
      process: (record, context) =>
        context.forward(record.withValue(`${record.value}+${context.readOnlyStore(names).get(record.key)}`)),
    }),
    { parents: builder.addSource('events', events), stores: [names] },
  )
  builder.addSink('out', out, { parents: looking })
  return builder.build()
}

describe('a replay of a source topic', () => {
  const put3 = (log: MemoryLog) => {
    const builder = new BatchBuilder()
    for (const text of ['a', 'b', 'c']) {
      const bytes = Buffer.from(text)
      builder.append(1, bytes, 0, 1, bytes, 0, 1)
    }
    log.append({ topic: 'names', partition: 0 }, builder.finish())
  }

  it('goes from where the engine stands to the last commit, also in the middle of a batch', () => {
    const log = new MemoryLog()
    put3(log)
    const filled: string[] = []
    const topology = lookingUp((name) => filled.push(name))
    const [subTopology] = topology.subTopologies
    const plan = planTopics(topology, 'app', [])
    const [input] = plannedInputs(subTopology, 0, plan, 'app')
    const setting = {
      id: '0_0',
      subTopology,
      applicationId: 'app',
      plan,
      badRecords: 'fail' as const,
      globalStores: new Map(),
      clock: new VirtualClock(0),
      cacheBound: new CacheBound(0),
    }
    const engine = memoryEngine.open({ directory: undefined, store: 'names' })
    const replayed = (committed: number | undefined, start = 0) => {
      filled.length = 0
      const range = { start, end: 3 }
      const replay = new SourceReplay(setting, { declaration: names, engine, input, range, committed })
      while (!replay.isOver) {
        const fetched = log.fetch('names', replay.position)
        if (fetched !== undefined) replay.take(fetched)
      }
      replay.close()
      return [filled.join(''), [...names.openReadOnly(replay.store).all()].map(([key]) => key).join('')]
    }
    expect(replayed(undefined)).toEqual(['', ''])
    expect(replayed(2)).toEqual(['ab', 'ab'])
    expect(engine.position()).toBe(2)
    expect(replayed(3)).toEqual(['c', 'abc'])
    // An engine ahead of the commit, or behind what the topic still has, starts over.
    expect(replayed(1)).toEqual(['a', 'a'])
    expect(replayed(3, 2)).toEqual(['c', 'c'])
  })
})

describe('a read-only store of a running application', () => {
  const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`)
  const each = (value: string, timestamp: number) => ids.map((id): Entry<string, string> => [id, value, timestamp])

  it('is restored to the last commit, and not beyond, from each task’s own partition', async () => {
    await using connection = await inMemory()
    const options = { applicationId: 'look', cluster: connection }
    await put(connection, namesTopic, each('A', 1))
    await put(connection, events, each('1', 2))
    const topology = lookingUp()
    {
      await using app = await run(topology, options)
      await app.caughtUp()
    }
    // Nothing but event time says which of these comes first.
    await put(connection, namesTopic, each('B', 10))
    await put(connection, events, each('2', 5))
    await put(connection, events, each('3', 15))
    await using app = await run(topology, options)
    await app.caughtUp()
    const found = (await all(connection, out)).map(([, value]) => value)
    const expected = ['1+A', '2+A', '3+B'].flatMap((value) => ids.map(() => value))
    expect(found.toSorted()).toEqual(expected)
    expect(app.metrics().recordsIn).toBe(3 * ids.length)
    expect((await connection.describeTopics()).map(({ name }) => name)).not.toContain('look-names-changelog')
  })

  it('is not replayed where its engine has kept what was committed', async () => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-replay-'))
    onTestFinished(() => rmSync(stateDirectory, { recursive: true }))
    await using connection = await inMemory()
    const filled: string[] = []
    const topology = lookingUp((name) => filled.push(name))
    const one = { applicationId: 'look', cluster: connection, engine: lmdbEngine(), stateDirectory }
    await put(connection, namesTopic, each('A', 1))
    for (const value of ['1', '2']) {
      await put(connection, events, each(value, 2))
      await using app = await run(topology, one)
      await app.caughtUp()
    }
    expect(filled).toHaveLength(ids.length)
    const found = (await all(connection, out)).map(([, value]) => value)
    expect(found.toSorted()).toEqual(['1+A', '2+A'].flatMap((value) => ids.map(() => value)))
  })
})
