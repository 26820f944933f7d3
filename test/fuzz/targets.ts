import { isDeepStrictEqual } from 'node:util'
import {
  readGroupMetadataKey,
  readGroupMetadataValue,
  writeGroupMetadataKey,
  writeGroupMetadataValue,
} from '../../src/broker/group/group-metadata-record.ts'
import {
  readOffsetCommitKey,
  readOffsetCommitValue,
  writeOffsetCommitKey,
  writeOffsetCommitValue,
} from '../../src/broker/group/offset-commit-record.ts'
import { OffsetIndex } from '../../src/broker/log/offset-index.ts'
import { ProducerEntry } from '../../src/broker/log/producer-entry.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/broker/log/producer-snapshot.ts'
import { TimeIndex } from '../../src/broker/log/time-index.ts'
import { unreadableRecord } from '../../src/broker/log-fold.ts'
import { readMetadataRecord, writeMetadataRecord } from '../../src/broker/metadata-record.ts'
import { readOffsetCheckpoint } from '../../src/broker/offset-checkpoint.ts'
import type { Transaction } from '../../src/broker/transaction/transaction.ts'
import {
  readTransactionKey,
  readTransactionValue,
  writeTransactionKey,
  writeTransactionValue,
} from '../../src/broker/transaction/transaction-record.ts'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import type { SeededRandom } from '../../src/env/seeded-random.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import type { Compression } from '../../src/record/compression.ts'
import { crc32c } from '../../src/record/crc32c.ts'
import { batchOfRecords } from '../broker/records.ts'
import { type PlainRecord, readRecords, writeBatch } from '../record/plain-record.ts'

/** A decoder, valid bytes for it, and what must hold of whatever it makes of others. */
export interface FuzzTarget {
  readonly name: string
  readonly corpus: readonly Buffer[]
  /** Makes lengths and checksums right again where it can, so that what lies behind them is reached. */
  readonly repair?: (bytes: Buffer, random: SeededRandom) => void
  /** What it may take beside a small multiple of the input. */
  readonly extraBytes?: number
  /** Decodes; throws only errors of ours, or a FixpointError where encoding and decoding again gives something else. */
  readonly run: (bytes: Buffer) => void
}

export class FixpointError extends Error {}

const mostDecompressed = 1_048_576
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

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

function requireSame(again: unknown, once: unknown): void {
  if (!isDeepStrictEqual(again, once))
    throw new FixpointError(`${JSON.stringify(again)} is not ${JSON.stringify(once)}`)
}

function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter()
  write(out)
  return Buffer.from(out.buffer.subarray(0, out.length))
}

const key = { group: 'group', topic: 'topic', partition: 3 }
const member = {
  id: 'member',
  instanceId: null,
  clientId: 'client',
  clientHost: '/127.0.0.1',
  rebalanceTimeoutMs: 60_000,
  sessionTimeoutMs: 10_000,
  subscription: Buffer.from('subscription'),
  assignment: Buffer.from('assignment'),
}
const groupMetadata = {
  protocolType: 'consumer',
  generation: 3,
  protocolName: 'range',
  leaderId: 'member',
  members: [member, { ...member, id: 'other', instanceId: 'static' }],
}
const transaction: Transaction = {
  status: 'Ongoing',
  producerId: 5,
  producerEpoch: 1,
  previousProducerId: 4,
  nextProducerId: -1,
  lastProducerEpoch: 0,
  timeoutMs: 60_000,
  partitions: [
    { topic: 'orders', partition: 0 },
    { topic: 'orders', partition: 3 },
  ],
  startedMs: 1_000,
  updatedMs: 2_000,
  clientVersion: 2,
}
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const metadataRecords = [
  written((out) => writeMetadataRecord({ type: 'topic', name: 'orders', topicId }, out)),
  written((out) => writeMetadataRecord({ type: 'partition', partition: 2, topicId }, out)),
  written((out) => writeMetadataRecord({ type: 'config', topic: 'orders', name: 'retention.ms', value: '1' }, out)),
]

function snapshot(): Buffer {
  const entry = new ProducerEntry(9)
  entry.addBatch(1, { lastSequence: 4, lastOffset: 20, offsetDelta: 2 }, 1_000)
  const other = new ProducerEntry(10)
  other.transactionStart = 7
  return encodeProducerSnapshot([entry, other])
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

/** As whoever replays one of the broker's own logs calls its decoders. */
function ownRecord(read: (bytes: Buffer) => void): (bytes: Buffer) => void {
  return (bytes) => {
    try {
      read(bytes)
    } catch (error) {
      throw unreadableRecord(error, {})
    }
  }
}

export const fuzzTargets: readonly FuzzTarget[] = [
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
      const index = new OffsetIndex('file', 0)
      index.load(disk, 1_000)
      const position = index.lookup(10)
      if (position < 0 || position >= 1_000) throw new FixpointError(`a position of ${position}`)
      new TimeIndex('file', 0).load(disk)
    },
  },
  {
    name: 'keys of committed offsets and groups',
    corpus: [written((out) => writeOffsetCommitKey(key, out)), writeGroupMetadataKey('group')],
    run: ownRecord((bytes) => {
      readGroupMetadataKey(bytes, 0, bytes.length)
      const found = readOffsetCommitKey(bytes, 0)
      if (found === undefined) return
      requireSame(
        readOffsetCommitKey(
          written((out) => writeOffsetCommitKey(found, out)),
          0,
        ),
        found,
      )
    }),
  },
  {
    name: 'values of committed offsets',
    corpus: [written((out) => writeOffsetCommitValue({ offset: 42, metadata: 'some metadata' }, 1_000, out))],
    run: ownRecord((bytes) => {
      readOffsetCommitValue(bytes, 0)
    }),
  },
  {
    name: 'values of groups',
    corpus: [writeGroupMetadataValue(groupMetadata, 1_000)],
    run: ownRecord((bytes) => {
      const found = readGroupMetadataValue(bytes, 0, bytes.length)
      const again = writeGroupMetadataValue(found, 1_000)
      requireSame(readGroupMetadataValue(again, 0, again.length), found)
    }),
  },
  {
    name: 'keys of transactions',
    corpus: [written((out) => writeTransactionKey('transactional-id', out))],
    run: ownRecord((bytes) => {
      readTransactionKey(bytes, 0)
    }),
  },
  {
    name: 'values of transactions',
    corpus: [written((out) => writeTransactionValue(transaction, out))],
    run: ownRecord((bytes) => {
      readTransactionValue(bytes, 0)
    }),
  },
  {
    name: 'records of the registry',
    corpus: metadataRecords,
    run: ownRecord((bytes) => {
      readMetadataRecord(bytes, 0, bytes.length)
    }),
  },
]
