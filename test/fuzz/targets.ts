import { requireAppendable } from '../../src/broker/log/append-check.ts'
import { LeaderEpochs } from '../../src/broker/log/leader-epochs.ts'
import { defaultLogSettings } from '../../src/broker/log/log-settings.ts'
import { OffsetIndex } from '../../src/broker/log/offset-index.ts'
import { ProducerEntry } from '../../src/broker/log/producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/broker/log/producer-snapshot.ts'
import { TimeIndex } from '../../src/broker/log/time-index.ts'
import { TransactionIndex } from '../../src/broker/log/transaction-index.ts'
import { readOffsetCheckpoint } from '../../src/broker/offset-checkpoint.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import type { SeededRandom } from '../../src/env/seeded-random.ts'
import { messageOf } from '../../src/errors.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { type Compression, maxDecompressedBytes } from '../../src/record/compression.ts'
import { readTransactionMarker, transactionMarkerBatch } from '../../src/record/control-record.ts'
import { crc32c } from '../../src/record/crc32c.ts'
import { batchOfRecords } from '../broker/records.ts'
import { type PlainRecord, readRecords, writeBatch } from '../record/plain-record.ts'
import { FixpointError, type FuzzTarget, requireSame } from './fuzz-target.ts'
import { ownRecordTargets } from './own-records.ts'
import { protocolTargets } from './protocol-messages.ts'

const mostDecompressed = 1_048_576
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const appendSettings = { ...defaultLogSettings, maxMessageBytes: 1_000_000_000 }

const someRecords = [
  { key: 'key', value: 'value' },
  { key: null, value: 'x'.repeat(200), timestamp: 1_005 },
  { key: 'only', value: null, timestamp: 900 },
]

/** Batches of every codec, and bombs: few bytes that decompress to four times of what is allowed. */
const batches = compressions.flatMap((compression) => {
  const bomb = batchOfRecords([{ value: '0'.repeat(mostDecompressed * 4) }], { compression })
  const many = batchOfRecords(
    Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: `v${i}` })),
    { compression },
  )
  const small = batchOfRecords(someRecords, { compression }, { producerId: 7, producerEpoch: 1, baseSequence: 3 })
  return compression === 'none' ? [small, many] : [small, many, bomb]
})

function repairBatch(bytes: Buffer, random: SeededRandom): void {
  if (bytes.length < format.batchHeaderBytes || random.uint32() % 4 === 0) return
  bytes.writeInt32BE(bytes.length - format.uncountedBytes, format.batchLengthAt)
  bytes[format.magicAt] = format.currentMagic
  bytes.writeUInt32BE(format.computeChecksum(bytes, 0), format.checksumAt)
}

function readBatches(bytes: Buffer): void {
  const limits = { maxDecompressedBytes: mostDecompressed }
  const records = readRecords(bytes, new BatchReader(limits))
  const deltas = records.map(({ offset }, i) => offset - i)
  const [first] = records
  // Written again as one batch where they can be: offsets without gaps, timestamps that are not too far apart.
  if (first === undefined || deltas.some((delta) => delta !== deltas[0])) return
  if (records.some(({ timestamp }) => !Number.isSafeInteger(timestamp - first.timestamp))) return
  const again = readRecords(writeBatch(records, { baseOffset: first.offset }), new BatchReader(limits))
  requireSame(again satisfies PlainRecord[], records)
}

/** What a log takes a reader reads, record by record, and the log has counted them. */
function appendBatch(bytes: Buffer): void {
  const { offsets } = requireAppendable(bytes, appendSettings, 0, {})
  // The log looks at the producer next, and numbers the batches itself.
  for (let start = 0, next = 0; start < bytes.length; start += format.batchSize(bytes, start)) {
    format.producerIdOf(bytes, start)
    format.setBaseOffset(bytes, start, next)
    next = format.lastOffsetOf(bytes, start) + 1
  }
  let read = 0
  const reader = new BatchReader()
  try {
    reader.reset(bytes)
    while (reader.nextBatch()) while (reader.next()) read++
  } catch (error) {
    throw new FixpointError(`what was taken cannot be read: ${messageOf(error)}`)
  }
  requireSame(read, offsets)
}

function snapshot(): Buffer {
  const entry = new ProducerEntry(9)
  entry.addBatch(1, { lastSequence: 4, lastOffset: 20, offsetDelta: 2 }, 1_000)
  const other = new ProducerEntry(10)
  other.transactionStart = 7
  return encodeProducerSnapshot([entry, other])
}

const marker = { producerId: 7, producerEpoch: 3, coordinatorEpoch: 0, timestamp: 1_000 }

function transactionIndex(): Buffer {
  const disk = new MemoryDisk()
  const index = new TransactionIndex(disk, 'file')
  index.append({ producerId: 7, firstOffset: 2, lastOffset: 9, lastStableOffset: 4 })
  index.append({ producerId: 8, firstOffset: 4, lastOffset: 12, lastStableOffset: 13 })
  const bytes = Buffer.alloc(disk.usedBytes)
  disk.open('file').read(bytes, 0)
  return bytes
}

/** Where the first batch ends, 0 where there is none: logs hand on whole ones only. */
function wholeBatchEnd(bytes: Buffer): number {
  if (bytes.length < format.batchHeaderBytes) return 0
  const size = format.batchSize(bytes, 0)
  return size >= format.batchHeaderBytes && size <= bytes.length ? size : 0
}

function onDisk(bytes: Buffer): MemoryDisk {
  const disk = new MemoryDisk()
  disk.open('file', { create: true }).write(bytes, 0)
  return disk
}

function int32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, i * 4)
  return bytes
}

export const fuzzTargets: readonly FuzzTarget[] = [
  ...protocolTargets,
  {
    name: 'batches that clients append',
    corpus: batches.map((batch) => Buffer.from(batch)),
    repair: repairBatch,
    // What a codec gives in pieces is there twice for a moment.
    extraBytes: 2 * maxDecompressedBytes,
    run: appendBatch,
  },
  { name: 'record batches', corpus: batches, repair: repairBatch, extraBytes: 4 * mostDecompressed, run: readBatches },
  {
    name: 'producer snapshots',
    corpus: [snapshot(), encodeProducerSnapshot([])],
    repair: (bytes) => {
      if (bytes.length >= 10) bytes.writeUInt32BE(crc32c(bytes, 6, bytes.length), 2)
    },
    run: (bytes) => {
      const entries = decodeProducerSnapshot(bytes)
      if (entries === undefined) return
      requireSame(decodeProducerSnapshot(encodeProducerSnapshot(entries)), entries)
    },
  },
  {
    name: 'offset checkpoints',
    corpus: [Buffer.from('0\n2\nt 0 42\norders 3 9007199254740991\n'), Buffer.from('0\n0\n')],
    extraBytes: 262_144,
    run: (bytes) => {
      readOffsetCheckpoint(onDisk(bytes), 'file')
    },
  },
  {
    name: 'indexes',
    corpus: [int32s(4, 0, 9, 300, 15, 800), int32s(0, 1_000, 4, 0, 2_000, 9)],
    extraBytes: 262_144,
    run: (bytes) => {
      const disk = onDisk(bytes)
      const index = new OffsetIndex(disk, 'file', 0)
      index.load(1_000)
      const position = index.lookup(10)
      if (position < 0 || position >= 1_000) throw new FixpointError(`a position of ${position}`)
      new TimeIndex(disk, 'file', 0).load()
    },
  },
  {
    name: 'indexes of aborted transactions',
    corpus: [transactionIndex()],
    run: (bytes) => {
      const disk = onDisk(bytes)
      const entries = [...new TransactionIndex(disk, 'file').entries()]
      const again = new TransactionIndex(disk, 'again')
      for (const entry of entries) again.append(entry)
      requireSame(new TransactionIndex(disk, 'again').entries(), entries)
    },
  },
  {
    name: 'epochs of leaders',
    corpus: [Buffer.from('0\n2\n0 0\n3 42\n'), Buffer.from('0\n0\n')],
    extraBytes: 262_144,
    run: (bytes) => {
      const disk = new MemoryDisk()
      disk.open('leader-epoch-checkpoint', { create: true }).write(bytes, 0)
      const epochs = new LeaderEpochs(disk, '.')
      if (!epochs.load()) return
      epochs.save()
      const again = new LeaderEpochs(disk, '.')
      if (!again.load()) throw new FixpointError('what was saved is not read')
      requireSame(again.entries, epochs.entries)
    },
  },
  {
    name: 'markers of transactions',
    corpus: (['commit', 'abort'] as const).map((outcome) => transactionMarkerBatch({ ...marker, outcome })),
    repair: repairBatch,
    run: (bytes) => {
      const end = wholeBatchEnd(bytes)
      const found = end === 0 ? undefined : readTransactionMarker(bytes, 0, end)
      if (found === undefined) return
      const again = transactionMarkerBatch(found)
      requireSame(readTransactionMarker(again, 0, again.length), found)
    },
  },
  ...ownRecordTargets,
]
