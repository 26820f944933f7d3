import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AppendResult, Cluster, TopicPartition } from '../../src/cluster/cluster.ts'
import { connect } from '../../src/cluster/connect.ts'
import { type ConsumedRecord, consume } from '../../src/cluster/consumer.ts'
import { Producer, type ProducerOptions } from '../../src/cluster/producer.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { VirtualClock } from '../../src/env/virtual-clock.ts'
import { MillraceError } from '../../src/errors.ts'
import { recordCountOf } from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { partitionFor } from '../../src/record/partitioner.ts'
import { serde } from '../../src/serde/serdes.ts'
import { topic } from '../../src/topic.ts'
import { failureOf } from '../broker/records.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const clock = new VirtualClock(5_000)

/** Takes appends and settles them when the test says so. */
class FakeCluster {
  readonly appends: { readonly partition: number; readonly records: number; readonly bytes: number }[] = []
  readonly #waiting: PromiseWithResolvers<AppendResult>[] = []

  append(to: TopicPartition, batches: Buffer): Promise<AppendResult> {
    this.appends.push({ partition: to.partition, records: recordCountOf(batches, 0), bytes: batches.length })
    const waiting = Promise.withResolvers<AppendResult>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  acknowledge(): void {
    this.#waiting.shift()?.resolve({ baseOffset: 0 })
  }

  reject(code: 'DISK_FULL' | 'STORAGE_FAILED'): void {
    this.#waiting.shift()?.reject(new MillraceError(code, code))
  }
}

function producerOn(
  fake: FakeCluster,
  partitions = 1,
  options: Partial<ProducerOptions> = {},
): Producer<string, string> {
  return new Producer(fake as unknown as Cluster, words, partitions, { clock, ...options })
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol()
  for (let i = 0; i < 10; i++) await undefined
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

describe('a producer', () => {
  it('sends a batch when it is full, and the rest when it is flushed', async () => {
    const fake = new FakeCluster()
    const producer = producerOn(fake, 1, { batchBytes: 500 })
    for (let i = 0; i < 25; i++) producer.send({ key: 'k', value: 'v'.repeat(30) })
    expect(fake.appends.map(({ records }) => records)).toEqual([11, 11])
    expect(fake.appends.every(({ bytes }) => bytes <= 500)).toBe(true)
    const flushed = producer.flush()
    expect(fake.appends.map(({ records }) => records)).toEqual([11, 11, 3])
    for (let i = 0; i < 3; i++) {
      expect(await isPending(flushed)).toBe(true)
      fake.acknowledge()
    }
    await flushed
  })

  it('sends nothing when there is nothing to flush', async () => {
    const fake = new FakeCluster()
    await producerOn(fake).flush()
    expect(fake.appends).toEqual([])
  })

  it('sends a large record in a batch of its own', async () => {
    const fake = new FakeCluster()
    const producer = producerOn(fake, 1, { batchBytes: 500 })
    producer.send({ key: 'k', value: 'small' })
    producer.send({ key: 'k', value: 'x'.repeat(2_000) })
    expect(fake.appends.map(({ records }) => records)).toEqual([1, 1])
  })

  it('puts a key where every Kafka client does, and records without one in turn, a batch to each partition', () => {
    const fake = new FakeCluster()
    const producer = producerOn(fake, 3, { batchBytes: 100 })
    for (const key of ['a', 'b', 'c', 'd']) {
      producer.send({ key, value: 'v'.repeat(100) })
      expect(fake.appends.at(-1)?.partition).toBe(partitionFor(Buffer.from(key), 0, 1, 3))
    }
    const keyless = [0, 1, 2, 3, 4, 5].map(() => {
      producer.send({ key: null, value: 'v'.repeat(100) })
      return fake.appends.at(-1)?.partition as number
    })
    expect(new Set(keyless.slice(0, 3))).toEqual(new Set([0, 1, 2]))
    expect(keyless.slice(3)).toEqual(keyless.slice(0, 3))
  })

  it('asks to wait while too much is not acknowledged, and stops who does not', async () => {
    const fake = new FakeCluster()
    const producer = producerOn(fake, 1, { batchBytes: 100, maxUnacknowledgedBytes: 400 })
    const send = () => producer.send({ key: 'k', value: 'v'.repeat(100) })
    expect([send(), send(), send()]).toEqual([true, true, false])
    const ready = producer.ready()
    expect(await isPending(ready)).toBe(true)
    fake.acknowledge()
    await ready
    expect(send()).toBe(false)
    expect([send(), send()]).toEqual([false, false])
    const error = await failureOf(send)
    expect([error.code, error.retriable]).toEqual(['QUEUE_FULL', true])
    expect(fake.appends).toHaveLength(6)
  })

  it('tells what an append failed with at the next wait, once, and then goes on', async () => {
    const fake = new FakeCluster()
    const producer = producerOn(fake, 1, { batchBytes: 100 })
    const send = () => producer.send({ key: 'k', value: 'v'.repeat(100) })
    send()
    fake.reject('DISK_FULL')
    await undefined
    await undefined
    expect(send).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(fake.appends).toHaveLength(1)
    expect((await failureOf(() => producer.ready())).code).toBe('DISK_FULL')
    send()
    fake.acknowledge()
    await producer.flush()
    expect(fake.appends).toHaveLength(2)

    send()
    const flushed = failureOf(() => producer.flush())
    fake.reject('STORAGE_FAILED')
    expect((await flushed).code).toBe('STORAGE_FAILED')
  })

  it('leaves no hole where the disk fills up under batches that follow each other', async () => {
    const disk = new MemoryDisk({ capacityBytes: 60_000 })
    const cluster = await connect('embedded:data', { environment: { ...nodeEnvironment(), disk } })
    await cluster.createTopics([words])
    const producer = new Producer(cluster, words, 1, { clock, batchBytes: 1_000 })
    // A large batch that does not fit, then small ones that would.
    for (let i = 0; i < 3; i++) producer.send({ key: `before-${i}`, value: 'v'.repeat(900) })
    producer.send({ key: 'too much', value: 'v'.repeat(70_000) })
    for (let i = 0; i < 3; i++) producer.send({ key: `after-${i}`, value: 'v'.repeat(900) })
    expect((await failureOf(() => producer.flush())).code).toBe('DISK_FULL')
    const keys: (string | null)[] = []
    for await (const records of consume(cluster, words, { from: 'earliest', until: 'end' })) {
      for (const { key } of records) keys.push(key)
    }
    expect(keys).toEqual(['before-0', 'before-1', 'before-2'])
    await cluster.close()
  })

  it('takes nothing of a record that cannot be written, and keeps the others', async () => {
    const fake = new FakeCluster()
    const numbers = topic('numbers', { key: serde.string, value: serde.int32 })
    const producer = new Producer(fake as unknown as Cluster, numbers, 1, { clock })
    producer.send({ key: 'k', value: 1 })
    const error = await failureOf(() => producer.send({ key: 'k', value: 1.5 }))
    expect([error.code, error.at]).toEqual(['SERDE_FAILED', { topic: 'numbers' }])
    expect(error.message).toContain('The value cannot be written')
    producer.send({ key: 'k', value: 2 })
    void producer.flush()
    expect(fake.appends).toMatchObject([{ records: 2 }])
  })
})

describe('a producer and a consumer', () => {
  let cluster: Cluster
  beforeEach(async () => {
    cluster = await connect('memory:', { environment: nodeEnvironment() })
    await cluster.createTopics([{ name: 'words', partitions: 3 }])
  })
  afterEach(() => cluster.close())

  async function collect(from: AsyncIterable<ConsumedRecord<string, string>[]>) {
    const records: ConsumedRecord<string, string>[] = []
    for await (const some of from) records.push(...some)
    return records
  }

  function produce(...keys: string[]): Promise<void> {
    const producer = new Producer(cluster, words, 3, { clock })
    for (const key of keys) producer.send({ key, value: `value of ${key}` })
    return producer.flush()
  }

  it('begin at a time, and behind the last record where none is that young', async () => {
    const producer = new Producer(cluster, words, 3, { clock })
    for (let timestamp = 0; timestamp < 60; timestamp++) producer.send({ key: `k${timestamp}`, value: '', timestamp })
    await producer.flush()
    const since = (timestamp: number) => collect(consume(cluster, words, { from: { timestamp }, until: 'end' }))
    const times = (await since(45)).map((record) => record.timestamp)
    expect(times.toSorted()).toEqual(Array.from({ length: 15 }, (_, i) => 45 + i))
    expect(await since(60)).toEqual([])
  })

  it('carry keys, values, their absence, timestamps and headers', async () => {
    const producer = new Producer(cluster, words, 3, { clock })
    const headers = [{ key: 'h', value: Buffer.from('x') }]
    producer.send({ key: 'k', value: 'v', timestamp: 42, headers })
    producer.send({ key: 'k', value: null })
    producer.send({ key: null, value: '' })
    await producer.flush()
    const records = await collect(consume(cluster, words, { from: 'earliest', until: 'end' }))
    const found = records.map(({ key, value, timestamp }) => ({ key, value, timestamp }))
    expect(found).toHaveLength(3)
    expect(found).toContainEqual({ key: 'k', value: 'v', timestamp: 42 })
    expect(found).toContainEqual({ key: 'k', value: null, timestamp: 5_000 })
    expect(found).toContainEqual({ key: null, value: '', timestamp: 5_000 })
    const place = records.find((record) => record.value === 'v') as ConsumedRecord<string, string>
    const reader = cluster.reader()
    reader.seek({ topic: 'words', partition: place.partition }, 0)
    const [fetched] = await reader.fetch({ maxWaitMs: 0 })
    const batches = new BatchReader()
    batches.reset(fetched?.bytes as Buffer)
    expect([batches.nextBatch(), batches.next(), batches.headers()]).toEqual([true, true, headers])
  })

  it('take the time of a record from the topic', async () => {
    const events = topic('words', { key: serde.string, value: serde.string, timestamp: (value) => Number(value) })
    const producer = new Producer(cluster, events, 3, { clock })
    producer.send({ key: 'a', value: '1000' })
    producer.send({ key: 'a', value: '2000', timestamp: 7 })
    producer.send({ key: 'a', value: null })
    await producer.flush()
    const timesIn = async (of: typeof words) => {
      const records = await collect(consume(cluster, of, { from: 'earliest', until: 'end' }))
      return records.map((record) => record.timestamp)
    }
    expect(await timesIn(words)).toEqual([1_000, 7, 5_000])
    expect(await timesIn(events)).toEqual([1_000, 2_000, 5_000])
  })

  it('keep the order of a key, over many batches', async () => {
    const producer = new Producer(cluster, words, 3, { clock, batchBytes: 1_000, maxUnacknowledgedBytes: 5_000 })
    for (let i = 0; i < 3_000; i++) {
      if (!producer.send({ key: `k${i % 7}`, value: String(i) })) await producer.ready()
    }
    await producer.flush()
    const records = await collect(consume(cluster, words, { from: 'earliest', until: 'end' }))
    expect(records).toHaveLength(3_000)
    for (let k = 0; k < 7; k++) {
      const values = records.filter((record) => record.key === `k${k}`).map((record) => Number(record.value))
      expect(values).toEqual(Array.from({ length: values.length }, (_, i) => k + 7 * i))
    }
  })

  it('end at what was there when the reading began', async () => {
    await produce('a', 'b', 'c')
    const records: string[] = []
    for await (const some of consume(cluster, words, { from: 'earliest', until: 'end' })) {
      records.push(...some.map((record) => record.key as string))
      await produce('d', 'e', 'f')
    }
    expect(records.toSorted()).toEqual(['a', 'b', 'c'])
    expect(await collect(consume(cluster, words, { from: 'latest', until: 'end' }))).toEqual([])
  })

  it('go on with what comes until they are told to stop', async () => {
    await produce('a')
    const controller = new AbortController()
    const found: (string | null)[] = []
    const consuming = (async () => {
      for await (const some of consume(cluster, words, { from: 'latest', signal: controller.signal })) {
        found.push(...some.map((record) => record.key))
        if (found.length === 3) controller.abort()
      }
    })()
    await nodeEnvironment().timers.nextTurn()
    await produce('b')
    await produce('c', 'd')
    await consuming
    expect(found.toSorted()).toEqual(['b', 'c', 'd'])
  })

  it('name the record that cannot be read', async () => {
    await produce('a', 'a')
    const numbers = topic('words', { key: serde.string, value: serde.int32 })
    const error = await failureOf(async () => {
      for await (const _ of consume(cluster, numbers, { from: 'earliest', until: 'end' }));
    })
    const partition = partitionFor(Buffer.from('a'), 0, 1, 3)
    expect([error.code, error.at]).toEqual(['SERDE_FAILED', { topic: 'words', partition, offset: 0 }])
  })

  it('name a topic that does not exist', async () => {
    const missing = topic('missing', { key: serde.string, value: serde.string })
    const error = await failureOf(() => consume(cluster, missing, { from: 'earliest' }).next())
    expect([error.code, error.at]).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', { topic: 'missing' }])
  })
})
