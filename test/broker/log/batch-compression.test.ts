import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { compressedFor } from '../../../src/broker/log/batch-compression.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import { defaultLogSettings, type LogSettings } from '../../../src/broker/log/log-settings.ts'
import { attributesOf, isChecksumValid, producerIdOf, transactionalBit } from '../../../src/record/batch-format.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'
import { batchOfRecords, failureOf, recordsIn, worldOn } from '../records.ts'

const ids = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
const values = Array.from({ length: 50 }, (_, i) => ({ key: `${i % 3}`, value: `value ${i}` }))
const header = { producerId: 9, producerEpoch: 1, baseSequence: 7, isTransactional: true }

function batchIn(compression: keyof typeof ids): Buffer {
  return batchOfRecords(values, { compression }, header)
}

function textsIn(bytes: Buffer): string[] {
  const reader = new BatchReader()
  const texts: string[] = []
  reader.reset(bytes)
  while (reader.nextBatch()) {
    while (reader.next()) {
      const { keyStart, keyEnd, valueStart, valueEnd } = reader
      const text = (start: number, end: number): string => reader.bytes.toString('utf8', start, end)
      texts.push(`${reader.offset} ${reader.timestamp} ${text(keyStart, keyEnd)} ${text(valueStart, valueEnd)}`)
    }
  }
  return texts
}

function settings(compressionType: LogSettings['compressionType'], more: Partial<LogSettings> = {}): LogSettings {
  return { ...defaultLogSettings, compressionType, ...more }
}

describe('batches of a topic that says how they are compressed', () => {
  it.each(Object.keys(ids).flatMap((from) => Object.keys(ids).map((to) => [from, to])))(
    'written as %s are kept as %s, with the same records and everything else',
    (from, to) => {
      const sent = batchIn(from as keyof typeof ids)
      const before = Buffer.from(sent)
      const kept = compressedFor(sent, settings(to === 'none' ? 'uncompressed' : (to as 'gzip')))
      expect(sent).toEqual(before)
      if (from === to) expect(kept).toEqual(sent)
      expect(attributesOf(kept, 0)).toBe(ids[to as keyof typeof ids] | transactionalBit)
      expect(isChecksumValid(kept, 0)).toBe(true)
      expect(producerIdOf(kept, 0)).toBe(9)
      expect(textsIn(kept)).toEqual(textsIn(sent))
    },
  )

  it('are each looked at for themselves, and left alone where the producer decides', () => {
    const sent = Buffer.concat([batchIn('none'), batchIn('gzip')])
    expect(compressedFor(sent, settings('producer'))).toBe(sent)
    const kept = compressedFor(sent, settings('gzip'))
    expect(kept.subarray(-batchIn('gzip').length)).toEqual(batchIn('gzip'))
    expect(recordsIn(kept)).toHaveLength(100)
  })

  it('follow the level of the topic', () => {
    const sizes = [1, 9].map((gzipLevel) => compressedFor(batchIn('none'), settings('gzip', { gzipLevel })).length)
    expect(sizes[1]).not.toBe(sizes[0])
    expect(recordsIn(compressedFor(batchIn('none'), settings('zstd', { zstdLevel: -5 })))).toHaveLength(50)
  })

  it('are read from the log, over a restart, and their markers stay as they are', async () => {
    const environment = worldOn()
    const open = () => openBroker({ directory: 'data', environment, flush: 'fsync' })
    const broker = await open()
    await broker.createTopics([{ name: 't', partitions: 1, config: { 'compression.type': 'zstd' } }])
    const log = broker.log('t', 0)
    expect([log.append(batchOfRecords(values)), log.append(batchOfRecords(values, { compression: 'lz4' }))]).toEqual([
      0, 50,
    ])
    await log.acknowledged()
    await broker.close()
    const again = await open()
    const bytes = new LogCursor(again.log('t', 0), 0, 100_000).read()
    expect(attributesOf(bytes, 0)).toBe(ids.zstd)
    expect(recordsIn(bytes).map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    await again.close()
  })

  it('that become too large are refused', async () => {
    const broker = await openBroker({ directory: 'data', environment: worldOn(), flush: 'fsync' })
    const config = { 'compression.type': 'uncompressed', 'max.message.bytes': '500' }
    await broker.createTopics([{ name: 't', partitions: 1, config }])
    const log = broker.log('t', 0)
    const sent = batchOfRecords(values, { compression: 'gzip' })
    expect(sent.length).toBeLessThan(500)
    expect((await failureOf(() => log.append(sent))).code).toBe('RECORD_TOO_LARGE')
    expect(log.logEndOffset).toBe(0)
    await broker.close()
  })

  it('that do not decompress are refused', () => {
    const sent = batchIn('gzip')
    sent.fill(0, 70)
    expect(() => compressedFor(sent, settings('zstd'))).toThrow('gzip')
  })
})
