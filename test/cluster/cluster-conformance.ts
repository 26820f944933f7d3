import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cluster, FetchedBatches, LogReader, TopicPartition } from '../../src/cluster/cluster.ts'
import { batchSize } from '../../src/record/batch-format.ts'
import { batchOf, batchOfRecords, failureOf, recordsIn } from '../broker/records.ts'

export interface ClusterUnderTest {
  readonly cluster: Cluster
  /** Closes it where that did not happen yet, and removes what it left. */
  dispose(): Promise<void>
}

const t0: TopicPartition = { topic: 't', partition: 0 }
const t1: TopicPartition = { topic: 't', partition: 1 }

function valuesIn(fetched: readonly FetchedBatches[]): string[] {
  return fetched.flatMap(({ bytes, fromOffset }) => recordsIn(bytes, fromOffset).map((record) => record.value))
}

/** Fetches until the partitions have nothing more at once. */
async function drain(reader: LogReader): Promise<string[]> {
  const values: string[] = []
  for (;;) {
    const fetched = await reader.fetch({ maxWaitMs: 0 })
    if (fetched.length === 0) return values
    values.push(...valuesIn(fetched))
  }
}

/** What every implementation of the cluster port does. */
export function describeCluster(name: string, open: () => Promise<ClusterUnderTest>): void {
  describe(`the cluster port: ${name}`, () => {
    let underTest: ClusterUnderTest
    let cluster: Cluster
    const readers: LogReader[] = []

    beforeEach(async () => {
      underTest = await open()
      cluster = underTest.cluster
      await cluster.createTopics([{ name: 't', partitions: 2 }])
    })
    afterEach(async () => {
      for (const reader of readers.splice(0)) reader.close()
      await underTest.dispose()
    })

    function readerAt(...positions: [TopicPartition, number][]): LogReader {
      const reader = cluster.reader()
      for (const [partition, offset] of positions) reader.seek(partition, offset)
      readers.push(reader)
      return reader
    }

    describeTopicsOf(() => cluster)
    describeAppendsTo(() => cluster, readerAt)
    describeFetchesFrom(() => cluster, readerAt)
    describeCommitsTo(() => cluster)
    describeTimesOf(() => cluster)
    describeDeletionsFrom(() => cluster, readerAt)
    describeTransactionsOf(() => cluster)

    it('closes once, and refuses everything afterwards', async () => {
      const reader = readerAt([t0, 0])
      const waiting = failureOf(() => reader.fetch({ maxWaitMs: 60_000 }))
      await cluster.close()
      await cluster.close()
      expect((await waiting).code).toBe('CLOSED')
      const calls = [
        () => cluster.append(t0, batchOf('a')),
        () => cluster.createTopics([{ name: 'u', partitions: 1 }]),
        () => cluster.describeTopics(),
        () => cluster.offsets([t0]),
        () => cluster.deleteRecords([{ ...t0, offset: 0 }]),
        () => cluster.offsetsForTimes([{ ...t0, timestamp: 0 }]),
        () => cluster.committedOffsets('g', [t0]),
        () => cluster.commitOffsets('g', [{ ...t0, offset: 1, metadata: '' }]),
        () => cluster.reader(),
        () => reader.fetch({ maxWaitMs: 0 }),
      ]
      for (const call of calls) expect((await failureOf(call)).code).toBe('CLOSED')
    })
  })
}

function describeTopicsOf(clusterOf: () => Cluster): void {
  it('makes topics once and describes them by name, with their settings', async () => {
    const cluster = clusterOf()
    const config = { 'cleanup.policy': 'compact' }
    await cluster.createTopics([{ name: 'b', partitions: 1, config }])
    await cluster.createTopics([{ name: 'b', partitions: 1 }])
    const b = { name: 'b', partitions: 1, config }
    const t = { name: 't', partitions: 2, config: {} }
    expect(await cluster.describeTopics()).toEqual([b, t])
    expect(await cluster.describeTopics(['t', 'missing'])).toEqual([t])
    expect((await failureOf(() => cluster.createTopics([{ name: 't', partitions: 3 }]))).code).toBe('TOPIC_MISMATCH')
    expect((await failureOf(() => cluster.createTopics([{ name: 'a b', partitions: 3 }]))).code).toBe(
      'INVALID_ARGUMENT',
    )
  })

  it('refuses what is asked of a partition that does not exist', async () => {
    const cluster = clusterOf()
    const missing = { topic: 't', partition: 2 }
    const reader = cluster.reader()
    reader.seek(missing, 0)
    const calls = [
      () => cluster.append(missing, batchOf('a')),
      () => cluster.offsets([missing]),
      () => cluster.commitOffsets('g', [{ ...missing, offset: 1, metadata: '' }]),
      () => reader.fetch({ maxWaitMs: 0 }),
    ]
    for (const call of calls) {
      const error = await failureOf(call)
      expect([error.code, error.at]).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', missing])
    }
    reader.close()
  })
}

type ReaderAt = (...positions: [TopicPartition, number][]) => LogReader

function describeTimesOf(clusterOf: () => Cluster): void {
  it('finds offsets by time, partition by partition', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOfRecords([{ timestamp: 10 }, { timestamp: 30 }, { timestamp: 20 }]))
    await cluster.append(t1, batchOfRecords([{ timestamp: 5 }]))
    const lookups = [
      { ...t0, timestamp: 0 },
      { ...t0, timestamp: 11 },
      { ...t0, timestamp: 31 },
      { ...t1, timestamp: 5 },
      { ...t0, timestamp: 'max-timestamp' as const },
    ]
    expect(await cluster.offsetsForTimes(lookups)).toEqual([
      { offset: 0, timestamp: 10 },
      { offset: 1, timestamp: 30 },
      undefined,
      { offset: 0, timestamp: 5 },
      { offset: 1, timestamp: 30 },
    ])
    const unknown = await failureOf(() => cluster.offsetsForTimes([{ topic: 'u', partition: 0, timestamp: 0 }]))
    expect(unknown.code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
}

function describeDeletionsFrom(clusterOf: () => Cluster, readerAt: ReaderAt): void {
  it('deletes records below an offset, and tells readers that stand there', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a', 'b', 'c'))
    await cluster.append(t1, batchOf('x'))
    const targets = [
      { ...t0, offset: 2 },
      { ...t1, offset: -1 },
    ]
    expect(await cluster.deleteRecords(targets)).toEqual([2, 1])
    expect(await cluster.offsets([t0, t1])).toEqual([
      { start: 2, end: 3 },
      { start: 1, end: 1 },
    ])
    expect(await drain(readerAt([t0, 2], [t1, 1]))).toEqual(['c'])
    const behind = await failureOf(() => readerAt([t0, 1]).fetch({ maxWaitMs: 0 }))
    expect([behind.code, behind.at]).toEqual(['OFFSET_OUT_OF_RANGE', { ...t0, offset: 1 }])
    const beyond = await failureOf(() => cluster.deleteRecords([{ ...t0, offset: 4 }]))
    expect([beyond.code, beyond.at]).toEqual(['OFFSET_OUT_OF_RANGE', { ...t0, offset: 4 }])
  })
}

function describeAppendsTo(clusterOf: () => Cluster, readerAt: ReaderAt): void {
  it('appends in the order of the calls and gives back the bytes when the call returns', async () => {
    const cluster = clusterOf()
    const bytes = Buffer.alloc(200)
    const results = ['a', 'b', 'c'].map((value) => {
      const batch = batchOf(value, value)
      batch.copy(bytes)
      const appended = cluster.append(t0, bytes.subarray(0, batch.length))
      bytes.fill(0xff)
      return appended
    })
    expect(await Promise.all(results)).toEqual([{ baseOffset: 0 }, { baseOffset: 2 }, { baseOffset: 4 }])
    expect(await cluster.offsets([t0, t1])).toEqual([
      { start: 0, end: 6 },
      { start: 0, end: 0 },
    ])
    expect(await drain(readerAt([t0, 0]))).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
  })

  it('shows an appended record to readers when it is acknowledged', async () => {
    const cluster = clusterOf()
    const reader = readerAt([t0, 0])
    for (let i = 0; i < 20; i++) {
      await cluster.append(t0, batchOf(`${i}`))
      expect(valuesIn(await reader.fetch({ maxWaitMs: 0 }))).toEqual([`${i}`])
    }
  })

  it('rejects, and keeps nothing of, batches that are damaged or too large', async () => {
    const cluster = clusterOf()
    const damaged = batchOf('a', 'b')
    damaged[damaged.length - 2] = (damaged[damaged.length - 2] as number) ^ 4
    const bad = [
      [Buffer.concat([batchOf('good'), damaged]), 'CORRUPT_BATCH'],
      [batchOf('a').subarray(1), 'CORRUPT_BATCH'],
      [Buffer.alloc(0), 'CORRUPT_BATCH'],
      [batchOf('x'.repeat(1_100_000)), 'RECORD_TOO_LARGE'],
    ] as const
    for (const [bytes, code] of bad) expect((await failureOf(() => cluster.append(t0, bytes))).code).toBe(code)
    expect(await cluster.offsets([t0])).toEqual([{ start: 0, end: 0 }])
  })
}

function describeFetchesFrom(clusterOf: () => Cluster, readerAt: ReaderAt): void {
  it('reads several partitions, each from its position on, and moves the positions', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a', 'b', 'c'))
    await cluster.append(t1, batchOf('d'))
    const reader = readerAt([t0, 1], [t1, 0])
    const fetched = await reader.fetch({ maxWaitMs: 1_000 })
    const places = fetched.map(({ topic, partition, fromOffset, nextOffset, highWatermark }) => {
      return { topic, partition, fromOffset, nextOffset, highWatermark }
    })
    expect(places).toEqual([
      { ...t0, fromOffset: 1, nextOffset: 3, highWatermark: 3 },
      { ...t1, fromOffset: 0, nextOffset: 1, highWatermark: 1 },
    ])
    expect(valuesIn(fetched)).toEqual(['b', 'c', 'd'])
    expect(await reader.fetch({ maxWaitMs: 0 })).toEqual([])
  })

  it('gives only whole batches, and a batch larger than its buffer in one piece', async () => {
    const cluster = clusterOf()
    const large = 'x'.repeat(900_000)
    for (let i = 0; i < 100; i++) await cluster.append(t0, batchOf('y'.repeat(9_000), `${i}`))
    await cluster.append(t0, batchOf(large))
    const reader = readerAt([t0, 0])
    let last = ''
    let records = 0
    for (;;) {
      const [fetched] = await reader.fetch({ maxWaitMs: 0 })
      if (fetched === undefined) break
      let at = 0
      while (at < fetched.bytes.length) at += batchSize(fetched.bytes, at)
      expect(at).toBe(fetched.bytes.length)
      const values = valuesIn([fetched])
      records += values.length
      last = values.at(-1) as string
    }
    expect([records, last === large]).toEqual([201, true])
  })

  it('fetches the wanted partitions only', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a'))
    await cluster.append(t1, batchOf('b'))
    const reader = readerAt([t0, 0], [t1, 0])
    expect(valuesIn(await reader.fetch({ maxWaitMs: 0, partitions: [t1] }))).toEqual(['b'])
    expect(await reader.fetch({ maxWaitMs: 0, partitions: [t1] })).toEqual([])
    expect(valuesIn(await reader.fetch({ maxWaitMs: 0 }))).toEqual(['a'])
  })

  it('reads again from where it is told to, and no more of what it was told to leave', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a'))
    await cluster.append(t0, batchOf('b'))
    const reader = readerAt([t0, 0])
    expect(await drain(reader)).toEqual(['a', 'b'])
    reader.seek(t0, 1)
    expect(await drain(reader)).toEqual(['b'])
    reader.seek(t0, 0)
    reader.unassign(t0)
    expect(await drain(reader)).toEqual([])
  })

  it('waits for the first record', async () => {
    const cluster = clusterOf()
    const reader = readerAt([t0, 0], [t1, 0])
    const fetching = reader.fetch({ maxWaitMs: 60_000 })
    await cluster.append(t1, batchOf('a'))
    expect(valuesIn(await fetching)).toEqual(['a'])
  })

  it('does not end the wait for a partition that is not wanted', async () => {
    const cluster = clusterOf()
    const reader = readerAt([t0, 0], [t1, 0])
    const fetching = reader.fetch({ maxWaitMs: 60_000, partitions: [t1] })
    await cluster.append(t0, batchOf('a'))
    await cluster.append(t1, batchOf('b'))
    expect(valuesIn(await fetching)).toEqual(['b'])
  })

  it('ends the wait when its time is over, the signal aborts, or it is told to read elsewhere', async () => {
    const cluster = clusterOf()
    const reader = readerAt([t0, 0])
    expect(await reader.fetch({ maxWaitMs: 5 })).toEqual([])
    const controller = new AbortController()
    const { signal } = controller
    const aborted = reader.fetch({ maxWaitMs: 60_000, signal })
    controller.abort()
    expect(await aborted).toEqual([])
    await cluster.append(t1, batchOf('a'))
    expect(await reader.fetch({ maxWaitMs: 60_000, signal })).toEqual([])
    const moved = reader.fetch({ maxWaitMs: 60_000 })
    await Promise.resolve()
    reader.seek(t1, 0)
    expect(valuesIn(await moved)).toEqual(['a'])
  })

  it('refuses an offset that the log does not hold, and loses nothing of the other partitions by it', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a'))
    const reader = readerAt([t0, 0], [t1, 7])
    const error = await failureOf(() => reader.fetch({ maxWaitMs: 0 }))
    expect([error.code, error.at]).toEqual(['OFFSET_OUT_OF_RANGE', { ...t1, offset: 7 }])
    reader.unassign(t1)
    expect(await drain(reader)).toEqual(['a'])
  })

  it('lets readers read on their own', async () => {
    const cluster = clusterOf()
    await cluster.append(t0, batchOf('a'))
    const [one, other] = [readerAt([t0, 0]), readerAt([t0, 0])]
    expect(await drain(one)).toEqual(['a'])
    one.close()
    expect(await drain(other)).toEqual(['a'])
    expect((await failureOf(() => one.fetch({ maxWaitMs: 0 }))).code).toBe('CLOSED')
  })
}

function describeCommitsTo(clusterOf: () => Cluster): void {
  it('keeps what groups commit', async () => {
    const cluster = clusterOf()
    expect(await cluster.committedOffsets('g', [t0])).toEqual([undefined])
    await cluster.commitOffsets('g', [
      { ...t0, offset: 3, metadata: 'm' },
      { ...t1, offset: 4, metadata: '' },
    ])
    await cluster.commitOffsets('g', [{ ...t1, offset: 5, metadata: '{"a":1}' }])
    await cluster.commitOffsets('other', [{ ...t0, offset: 9, metadata: '' }])
    expect(await cluster.committedOffsets('g', [t1, t0])).toEqual([
      { offset: 5, metadata: '{"a":1}' },
      { offset: 3, metadata: 'm' },
    ])
    expect((await cluster.describeTopics()).map((topic) => topic.name)).toEqual(['t'])
  })
}

function describeTransactionsOf(cluster: () => Cluster): void {
  const group = 'g'
  const start = (transactionalId = 'a') => cluster().transactions(transactionalId, { timeoutMs: 60_000 })
  const offsetOf = async () => (await cluster().committedOffsets(group, [t0]))[0]?.offset

  /** What a reader of committed records sees of all partitions. */
  async function committed(): Promise<string[]> {
    const reader = cluster().reader({ isolation: 'read-committed' })
    for (const partition of [t0, t1]) reader.seek(partition, 0)
    const values = await drain(reader)
    reader.close()
    return values
  }

  it('shows what was appended and committed in a transaction at once, in all partitions', async () => {
    const producer = await start()
    const appended = ['a', 'b'].map((value) => producer.append(t0, batchOf(value)))
    expect((await Promise.all([...appended, producer.append(t1, batchOf('c'))])).map((it) => it.baseOffset)).toEqual([
      0, 1, 0,
    ])
    await producer.addOffsets(group, [{ ...t0, offset: 7, metadata: 'm' }])
    expect(await committed()).toEqual([])
    expect(await offsetOf()).toBeUndefined()
    await producer.commit()
    expect(await committed()).toEqual(['a', 'b', 'c'])
    expect(await cluster().committedOffsets(group, [t0])).toEqual([{ offset: 7, metadata: 'm' }])
    const [range] = await cluster().offsets([t0], 'read-committed')
    expect(range).toEqual({ start: 0, end: 3 })
  })

  it('shows nothing of what was aborted, and goes on with the next', async () => {
    const producer = await start()
    await producer.append(t0, batchOf('aborted'))
    await producer.addOffsets(group, [{ ...t0, offset: 7, metadata: '' }])
    await producer.abort()
    await producer.append(t0, batchOf('committed'))
    await producer.commit()
    expect(await committed()).toEqual(['committed'])
    expect(await offsetOf()).toBeUndefined()
  })

  it('has nothing to commit where nothing was appended', async () => {
    const producer = await start()
    await producer.commit()
    await producer.abort()
    expect(await cluster().offsets([t0])).toEqual([{ start: 0, end: 0 }])
  })

  it('shuts out a producer whose id another one takes, and aborts what it had open', async () => {
    const first = await start()
    await first.append(t0, batchOf('lost'))
    const second = await start()
    await second.append(t0, batchOf('kept'))
    const late = await failureOf(() => first.append(t0, batchOf('late')))
    expect(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']).toContain(late.code)
    expect((await failureOf(() => first.commit())).retriable).toBe(false)
    await second.commit()
    expect(await committed()).toEqual(['kept'])
  })

  it('keeps the order of appends to a partition, also of those that begin the transaction', async () => {
    const producer = await start()
    const values = Array.from({ length: 20 }, (_, i) => String(i))
    for (let round = 0; round < 3; round++) {
      const bytes = batchOf('')
      const appends = values.map((value) => {
        const batch = batchOf(`${round}/${value}`)
        const append = producer.append(t0, batch)
        // The bytes are the caller's again.
        bytes.copy(batch)
        return append
      })
      await Promise.all(appends)
      await producer.commit()
    }
    expect(await committed()).toEqual([0, 1, 2].flatMap((round) => values.map((value) => `${round}/${value}`)))
  })

  it('refuses partitions that do not exist and timeouts that are not allowed', async () => {
    const producer = await start()
    const nowhere = await failureOf(() => producer.append({ topic: 't', partition: 9 }, batchOf('a')))
    expect(nowhere.code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    const endless = await failureOf(() => cluster().transactions('b', { timeoutMs: 86_400_000 }))
    expect(endless.code).toBe('INVALID_TRANSACTION_TIMEOUT')
  })
}
