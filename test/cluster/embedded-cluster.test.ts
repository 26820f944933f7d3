import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts'
import { connect } from '../../src/cluster/connect.ts'
import { openEmbeddedCluster } from '../../src/cluster/embedded-cluster.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { batchOf, failureOf, recordsIn, worldOn } from '../broker/records.ts'
import { type ClusterUnderTest, describeCluster } from './cluster-conformance.ts'

const environment = nodeEnvironment()

async function inTemporaryDirectory(flush: 'fsync' | 'page-cache'): Promise<ClusterUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
  const cluster = await connect(`embedded:${directory}`, { environment, flush })
  const dispose = async () => {
    await cluster.close()
    rmSync(directory, { recursive: true })
  }
  return { cluster, dispose }
}

describeCluster('memory', async () => {
  const cluster = await connect('memory:', { environment })
  return { cluster, dispose: () => cluster.close() }
})
describeCluster('embedded, fsync', () => inTemporaryDirectory('fsync'))
describeCluster('embedded, page cache', () => inTemporaryDirectory('page-cache'))

const t0 = { topic: 't', partition: 0 }

describe('an embedded cluster', () => {
  it('sets one timer for a fetch that waits, and none once it has ended', async () => {
    const world = worldOn()
    const cluster = await openEmbeddedCluster({
      address: 'test',
      directory: 'data',
      environment: world,
      flush: 'page-cache',
      settings: { checkpointIntervalMs: 100 },
    })
    await cluster.createTopics([{ name: 't', partitions: 10 }])
    await world.clock.advanceAsync(100)
    const reader = cluster.reader()
    for (let partition = 0; partition < 10; partition++) reader.seek({ topic: 't', partition }, 0)
    const before = world.clock.pendingTimers
    const fetching = reader.fetch({ maxWaitMs: 1_000 })
    expect(world.clock.pendingTimers - before).toBe(1)
    await cluster.append({ topic: 't', partition: 7 }, batchOf('a'))
    expect(await fetching).toHaveLength(1)
    expect(world.clock.pendingTimers - before).toBe(0)
    const late = reader.fetch({ maxWaitMs: 1_000 })
    await world.clock.advanceAsync(1_000)
    expect(await late).toEqual([])
  })

  it('tells a fetch that waits when the disk fails', async () => {
    const world = worldOn()
    const cluster = await openEmbeddedCluster({ address: 't', directory: 'data', environment: world, flush: 'fsync' })
    await cluster.createTopics([{ name: 't', partitions: 1 }])
    const reader = cluster.reader()
    reader.seek(t0, 0)
    const fetching = failureOf(() => reader.fetch({ maxWaitMs: 1_000 }))
    world.disk.failNext('sync', 'EIO')
    expect((await failureOf(() => cluster.append(t0, batchOf('a')))).code).toBe('STORAGE_FAILED')
    expect((await fetching).code).toBe('STORAGE_FAILED')
    expect((await failureOf(() => cluster.commitOffsets('g', [{ ...t0, offset: 0, metadata: '' }]))).code).toBe(
      'STORAGE_FAILED',
    )
  })

  it('does not show a fetch that waits what is written but not flushed', async () => {
    const world = worldOn()
    const cluster = await openEmbeddedCluster({ address: 't', directory: 'data', environment: world, flush: 'fsync' })
    await cluster.createTopics([{ name: 't', partitions: 1 }])
    const reader = cluster.reader()
    reader.seek(t0, 0)
    const appended = cluster.append(t0, batchOf('a'))
    expect(await reader.fetch({ maxWaitMs: 0 })).toEqual([])
    await appended
    expect(await reader.fetch({ maxWaitMs: 0 })).toHaveLength(1)
  })

  it('gives way to other work while a caller fetches in a loop', async () => {
    const cluster = await connect('memory:', { environment })
    await cluster.createTopics([{ name: 't', partitions: 1 }])
    await cluster.append(t0, batchOf('a'))
    const reader = cluster.reader()
    let hasOtherWorkRun = false
    environment.timers.after(0, () => {
      hasOtherWorkRun = true
    })
    while (!hasOtherWorkRun) {
      reader.seek(t0, 0)
      await reader.fetch({ maxWaitMs: 0 })
    }
    expect(hasOtherWorkRun).toBe(true)
    await cluster.close()
  })
})

describe('an embedded cluster in a directory', () => {
  it('finds everything again when it is opened again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
    const first = await connect(`embedded:${directory}/deep/data/`, { environment })
    await first.createTopics([{ name: 't', partitions: 1 }])
    await first.append(t0, batchOf('a', 'b'))
    await first.commitOffsets('g', [{ ...t0, offset: 1, metadata: 'm' }])
    await first.close()
    const second = await connect(`embedded:${directory}/deep/data`, { environment })
    const [committed] = await second.committedOffsets('g', [t0])
    expect(committed).toEqual({ offset: 1, metadata: 'm' })
    const reader = second.reader()
    reader.seek(t0, 1)
    const [fetched] = await reader.fetch({ maxWaitMs: 0 })
    expect(recordsIn(fetched?.bytes as Buffer, 1)).toEqual([{ offset: 1, value: 'b' }])
    await second.close()
    rmSync(directory, { recursive: true })
  })

  it('is refused while another cluster holds the directory, with who does', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
    const first = await connect(`embedded:${directory}`, { environment })
    const error = await failureOf(() => connect(`embedded:${directory}`, { environment }))
    expect([error.code, error.at]).toEqual(['DIRECTORY_LOCKED', { path: directory }])
    expect(error.message).toContain(`the process ${process.pid}`)
    await first.close()
    rmSync(directory, { recursive: true })
  })

  it('tells of a torn end that was cut, of damage in quarantine and of a disk that failed; without a listener the host warns', async () => {
    const world = worldOn()
    const path = 'data/t-0/00000000000000000000.log'
    const options = {
      address: 'test',
      directory: 'data',
      flush: 'fsync' as const,
      settings: { checkpointIntervalMs: 100 },
    }
    const cluster = await openEmbeddedCluster({ ...options, environment: world })
    await cluster.createTopics([{ name: 't', partitions: 1 }])
    for (const value of ['a', 'b', 'c']) await cluster.append(t0, batchOf(value))
    await world.clock.advanceAsync(100)
    await world.clock.nextTurn()
    const disk = world.disk.crash({ keepUnsynced: 'all' })
    disk.flipBit(path, 50)
    const file = disk.open(path)
    const end = file.size()
    file.write(Buffer.from('torn'), end)

    const found = worldOn(disk)
    const events: ClusterEvent[] = []
    const again = await openEmbeddedCluster({ ...options, environment: found, onEvent: (event) => events.push(event) })
    disk.failNext('write', 'EIO')
    await failureOf(() => again.append(t0, batchOf('d')))
    expect(events).toMatchObject([
      { type: 'torn-tail-cut', topic: 't', partition: 0, offset: 3, path, position: end },
      {
        type: 'damage-quarantined',
        topic: 't',
        partition: 0,
        offset: 0,
        nextOffset: 1,
        path,
        position: 0,
        takesAppends: true,
      },
      { type: 'directory-offline', error: { code: 'STORAGE_FAILED' } },
    ])
    expect(found.host.warnings).toEqual([])
    await failureOf(() => again.close())

    const unheard = worldOn(disk)
    await openEmbeddedCluster({ ...options, environment: unheard })
    // The failed write may have left a torn end of its own.
    expect(unheard.host.warnings.at(-1)).toBe(events[1]?.message)
    expect(unheard.host.warnings.at(-1)).toContain('quarantined at offsets 0 to 0, bytes 0 to')
  })
})

describe('an address', () => {
  it.each(['', 'memory', 'memory:x', 'embedded:', 'file:/tmp', 'localhost:9092'])('%j is refused', async (address) => {
    const error = await failureOf(() => connect(address, { environment }))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toContain("'memory:' or 'embedded:DIR'")
  })

  it('of Kafka is refused as not possible yet', async () => {
    const error = await failureOf(() => connect('kafka://localhost:9092', { environment }))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toContain('Kafka is not possible yet')
  })
})
