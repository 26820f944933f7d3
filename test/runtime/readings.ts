import type { Disk, Environment } from '../../src/env/environment.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { VirtualHost } from '../../src/env/virtual-environment.ts'
import { type Connection, connect } from '../../src/index.ts'
import type { Topic } from '../../src/topic.ts'

/** A real clock and timers around a disk and a process that a test controls. */
export function environmentOn(disk: Disk): Environment & { readonly host: VirtualHost } {
  return { ...nodeEnvironment(), disk, host: new VirtualHost() }
}

export function crashableDisk(seed: number): MemoryDisk {
  return new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) })
}

export type Entry<K, V> = readonly [key: K | null, value: V | null, timestamp: number]

/** Writes the records, in order, and waits until they are acknowledged. */
export async function put<K, V>(
  connection: Connection,
  topic: Topic<K, V>,
  records: readonly Entry<K, V>[],
  options: { batchBytes?: number } = {},
): Promise<void> {
  await connection.createTopics([topic])
  const producer = connection.producer(topic, options)
  for (const [key, value, timestamp] of records) {
    if (!producer.send({ key, value, timestamp })) await producer.ready()
  }
  await producer.flush()
}

/** Everything that is in the topic. */
export async function all<K, V>(connection: Connection, topic: Topic<K, V>): Promise<Entry<K, V>[]> {
  const found: Entry<K, V>[] = []
  for await (const records of connection.consume(topic, { from: 'earliest', until: 'end' })) {
    for (const { key, value, timestamp } of records) found.push([key, value, timestamp])
  }
  return found
}

/** The last value of each key, as a reader of a table sees the topic. */
export async function table<K, V>(connection: Connection, topic: Topic<K, V>): Promise<Map<string, V>> {
  const latest = new Map<string, V>()
  for (const [key, value] of await all(connection, topic)) {
    if (value === null) latest.delete(JSON.stringify(key))
    else latest.set(JSON.stringify(key), value)
  }
  return latest
}

export function inMemory(environment?: Environment): Promise<Connection> {
  return connect('memory:', environment === undefined ? {} : { environment })
}
