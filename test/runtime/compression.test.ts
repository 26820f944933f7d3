import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import {
  type Compression,
  type Connection,
  connect,
  MillraceError,
  memoryEngine,
  run,
  StreamsBuilder,
  serde,
  topic,
} from '../../src/index.ts'
import * as format from '../../src/record/batch-format.ts'
import { all, crashableDisk, type Entry, environmentOn, inMemory, put, table } from './readings.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const types = { key: serde.string, value: serde.string }
const readings: Entry<string, string>[] = Array.from({ length: 3_000 }, (_, i) => [
  `device-${i % 11}`,
  `{"celsius":${20 + (i % 7)},"humidity":40}`,
  i,
])

interface Stored {
  readonly codecs: Set<Compression | undefined>
  readonly bytes: number
}

/** The codecs of the batches as they lie in the log, and how many bytes these have. */
async function stored({ cluster }: Connection, name: string, partitions = 1): Promise<Stored> {
  const found: Stored = { codecs: new Set(), bytes: 0 }
  let bytes = 0
  const reader = cluster.reader()
  for (let partition = 0; partition < partitions; partition++) {
    const [range] = await cluster.offsets([{ topic: name, partition }])
    reader.seek({ topic: name, partition }, 0)
    for (let position = 0; position < range!.end; ) {
      const [fetched] = await reader.fetch({ maxWaitMs: 1_000, partitions: [{ topic: name, partition }] })
      if (fetched === undefined) continue
      for (let at = 0; at < fetched.bytes.length; at += format.batchSize(fetched.bytes, at)) {
        found.codecs.add(codecs[format.attributesOf(fetched.bytes, at) & format.compressionMask])
      }
      bytes += fetched.bytes.length
      position = fetched.nextOffset
    }
  }
  reader.close()
  return { codecs: found.codecs, bytes }
}

describe.each(codecs)('topics compressed with %s', (compression) => {
  const input = topic('readings', { ...types, partitions: 2, compression })
  const loud = topic('loud', { ...types, compression })
  const counts = topic('counts', { key: serde.string, value: serde.json<number>(), compression })

  function build() {
    const builder = new StreamsBuilder()
    const stream = builder.stream(input)
    stream.mapValues((value) => value.toUpperCase()).to(loud)
    stream.groupByKey().count({ store: 'counts', value: serde.json<number>() }).toStream().to(counts)
    return builder.build()
  }

  it('carry records from a producer through an application to a consumer', async () => {
    await using connection = await inMemory()
    await put(connection, input, readings, { batchBytes: 4_000 })
    await using app = await run(build(), {
      applicationId: 'compressed',
      cluster: connection,
      changelogCompression: compression,
    })
    await app.caughtUp()
    await app.close()
    const seen = await all(connection, loud)
    const byTime = seen.toSorted(([, , a], [, , b]) => a - b)
    expect(byTime).toEqual(readings.map(([key, value, time]) => [key, value!.toUpperCase(), time]))
    const totals = await table(connection, counts)
    for (let i = 0; i < 11; i++) expect(totals.get(`"device-${i}"`)).toBe(Math.ceil((3_000 - i) / 11))
    for (const [name, partitions] of [
      ['readings', 2],
      ['loud', 1],
      ['counts', 1],
      ['compressed-counts-changelog', 2],
    ] as const) {
      expect((await stored(connection, name, partitions)).codecs).toEqual(new Set([compression]))
    }
  })

  it('go on after a restart, with state restored from a changelog that is compressed too', async () => {
    const environment = environmentOn(new MemoryDisk())
    const half = readings.length / 2
    for (const part of [readings.slice(0, half), readings.slice(half)]) {
      await using connection = await connect('embedded:data', { environment })
      await put(connection, input, part)
      await using app = await run(build(), {
        applicationId: 'again',
        cluster: connection,
        changelogCompression: compression,
        environment,
        // Stores in memory: the changelog is all that is left of the first run.
        engine: memoryEngine,
      })
      await app.caughtUp()
      await app.close()
    }
    await using connection = await connect('embedded:data', { environment })
    expect((await stored(connection, 'again-counts-changelog', 2)).codecs).toEqual(new Set([compression]))
    const totals = await table(connection, counts)
    for (let i = 0; i < 11; i++) expect(totals.get(`"device-${i}"`)).toBe(Math.ceil((3_000 - i) / 11))
  })
})

describe('the log', () => {
  it('keeps batches as they were compressed, and takes them by the size that they have then', async () => {
    const name = 'small'
    await using connection = await inMemory()
    await connection.createTopics([{ name, partitions: 1, config: { 'max.message.bytes': '2000' } }])
    const written = (compression: Compression) => {
      const producer = connection.producer(topic(name, { ...types, compression }), { batchBytes: 20_000 })
      for (const [key, value, timestamp] of readings.slice(0, 300)) producer.send({ key, value, timestamp })
      return producer.flush()
    }
    await expect(written('none')).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    await written('zstd')
    expect(await all(connection, topic(name, types))).toEqual(readings.slice(0, 300))
    expect((await stored(connection, name)).bytes).toBeLessThan(2_000)
  })

  it('recovers compressed batches of a process that did not close', async () => {
    const disk = crashableDisk(1)
    const events = topic('events', { ...types, compression: 'lz4' })
    const lost = await connect('embedded:data', { environment: environmentOn(disk) })
    await put(lost, events, readings.slice(0, 500))
    const environment = environmentOn(disk.crash({ keepUnsynced: 'none' }))
    await using again = await connect('embedded:data', { environment })
    expect(await all(again, events)).toEqual(readings.slice(0, 500))
    await expect(lost.close()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })
})

describe('a choice of compression', () => {
  it('of the producer is taken before that of the topic, with its level', async () => {
    await using connection = await inMemory()
    const plain = topic('plain', types)
    await connection.createTopics([plain])
    const sizes: number[] = []
    for (const compressionLevel of [1, 9]) {
      const producer = connection.producer(plain, { compression: 'gzip', compressionLevel })
      const before = (await stored(connection, 'plain')).bytes
      for (const [key, value, timestamp] of readings.slice(0, 400)) producer.send({ key, value, timestamp })
      await producer.flush()
      const { codecs: found, bytes } = await stored(connection, 'plain')
      expect(found).toEqual(new Set(['gzip']))
      sizes.push(bytes - before)
    }
    expect(sizes[1]).toBeLessThan(sizes[0]!)
  })

  it('that there is not is refused at once', async () => {
    const brotli = 'brotli' as Compression
    expect(() => topic('t', { ...types, compression: brotli })).toThrow(MillraceError)
    await using connection = await inMemory()
    await connection.createTopics([{ name: 't', partitions: 1 }])
    expect(() => connection.producer(topic('t', types), { compression: brotli })).toThrow(
      /'brotli' is not a compression/,
    )
    const builder = new StreamsBuilder()
    builder.stream(topic('t', types)).to(topic('u', types))
    const running = run(builder.build(), { applicationId: 'a', cluster: connection, changelogCompression: brotli })
    await expect(running).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
