import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defaultLogSettings } from '../../../src/broker/log/log-settings.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { worldOn } from '../records.ts'
import { type BatchView, openLogsAt, viewOf } from './segment-view.ts'

const vectors = fileURLToPath(new URL('../../vectors/kafka-logs', import.meta.url))

interface Expected {
  readonly files: readonly { readonly name: string; readonly contents: readonly BatchView[] }[]
}

const directory = 'data/t-0'

/** A world whose disk holds the directory that Apache Kafka wrote. */
function worldWith(partition: string): VirtualEnvironment {
  const world = worldOn()
  world.disk.makeDirectory(directory)
  world.disk.open('data/.kafka_cleanshutdown', { create: true })
  for (const name of readdirSync(`${vectors}/${partition}`).filter((name) => name !== 'expected.json')) {
    world.disk.open(`${directory}/${name}`, { create: true }).write(readFileSync(`${vectors}/${partition}/${name}`), 0)
  }
  return world
}

async function open(
  partition: string,
  world: VirtualEnvironment,
  indexIntervalBytes: number = defaultLogSettings.indexIntervalBytes,
): Promise<PartitionLog> {
  const cleanupPolicy = partition.startsWith('compacted') ? 'compact' : 'delete'
  const logs = await openLogsAt('data', world)
  await logs.open('t', 1, { ...defaultLogSettings, indexIntervalBytes, cleanupPolicy })
  return logs.ofTopic('t')[0] as PartitionLog
}

function expectedOf(partition: string): Map<string, readonly BatchView[]> {
  const { files } = JSON.parse(readFileSync(`${vectors}/${partition}/expected.json`, 'utf8')) as Expected
  return new Map(files.filter(({ name }) => name.endsWith('.log')).map(({ name, contents }) => [name, contents]))
}

/** Directories of a real Apache Kafka broker, and what its own tool reads in them (`npm run interop:log -- --record`). */
describe('logs written by Apache Kafka', () => {
  const partitions = readdirSync(vectors)

  it.each(partitions)('are read as Apache reads them: %s', async (partition) => {
    const log = await open(partition, worldWith(partition))
    expect(viewOf(log)).toEqual(expectedOf(partition))
  })

  it.each(partitions)('are read the same when their indexes are gone: %s', async (partition) => {
    const world = worldWith(partition)
    for (const name of world.disk.list(directory)) if (name.endsWith('index')) world.disk.remove(`${directory}/${name}`)
    expect(viewOf(await open(partition, world))).toEqual(expectedOf(partition))
  })

  it.each(partitions)('get the same offset index from us: %s', async (partition) => {
    const world = worldWith(partition)
    const names = world.disk.list(directory).filter((name) => name.endsWith('.index'))
    const before = names.map((name) => contentOf(world, name))
    for (const name of names) world.disk.remove(`${directory}/${name}`)
    const log = await open(partition, world, 1_000)
    log.close()
    expect(names.map((name) => contentOf(world, name))).toEqual(before)
  })
})

function contentOf({ disk }: VirtualEnvironment, name: string): string {
  const file = disk.open(`${directory}/${name}`)
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  return bytes.toString('hex')
}
