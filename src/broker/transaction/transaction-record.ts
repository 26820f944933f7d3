import type { ByteWriter } from '../../bytes/byte-writer.ts'
import { MillraceError } from '../../errors.ts'
import type { Fields, WriteOf } from '../protocol/field.ts'
import { messageCodec } from '../protocol/message-codec.ts'
import { WireReader } from '../protocol/wire-reader.ts'
import { WireWriter } from '../protocol/wire-writer.ts'
import type { Transaction, TransactionPartition, TransactionStatus, TransactionVersion } from './transaction.ts'

/**
 * The records of `__transaction_state` in Kafka's formats TransactionLogKey (version 0) and TransactionLogValue (versions 0
 * and 1; 1 is written). Tagged fields hold what version 0 cannot say; one of them, of a number that Kafka does not use and
 * passes over, is the epoch before the last, which Kafka forgets when its coordinator is started anew.
 */
const keyVersion = 0
const valueVersion = 1

const valueFields = {
  producerId: ['int64', '0+'],
  producerEpoch: ['int16', '0+'],
  timeoutMs: ['int32', '0+'],
  status: ['int8', '0+'],
  /** By topic; null in a record of an empty transaction. */
  partitions: [[{ topic: ['string', '0+'], ids: [['int32'], '0+'] }], '0+', { nullable: '0+' }],
  updatedMs: ['int64', '0+'],
  startedMs: ['int64', '0+'],
  previousProducerId: ['int64', '1+', { tag: 0, tagged: '1+', default: -1 }],
  nextProducerId: ['int64', '1+', { tag: 1, tagged: '1+', default: -1 }],
  clientVersion: ['int16', '1+', { tag: 2, tagged: '1+', default: 0 }],
  lastProducerEpoch: ['int16', '1+', { tag: 1_000, tagged: '1+', default: -1 }],
} as const satisfies Fields

/** By version. */
const valueCodecs = [messageCodec(valueFields, 0, false), messageCodec(valueFields, 1, true)] as const

/** By the id that a record has for it. */
const statuses: readonly TransactionStatus[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

export function writeTransactionKey(transactionalId: string, out: ByteWriter): void {
  out.writeInt16(keyVersion)
  out.writeInt16(Buffer.byteLength(transactionalId))
  out.writeUtf8(transactionalId)
}

export function writeTransactionValue(transaction: Transaction, out: ByteWriter): void {
  const writer = new WireWriter(256)
  writer.int16(valueVersion)
  valueCodecs[valueVersion].write(writer, {
    ...transaction,
    status: statuses.indexOf(transaction.status),
    partitions: byTopic(transaction),
  })
  for (const piece of writer.pieces()) out.writeBytes(piece)
}

/**
 * The transactional id in `bytes[start..end)`; undefined where the record is of another kind.
 * @throws MillraceError MALFORMED_MESSAGE
 */
export function readTransactionKey(bytes: Buffer, start: number, end: number): string | undefined {
  const reader = new WireReader(bytes, start, end)
  if (reader.int16() !== keyVersion) return undefined
  return reader.text(reader.shortLength(false))
}

/** @throws MillraceError MALFORMED_MESSAGE; DIRECTORY_UNUSABLE where the value has a version or status that is not known. */
export function readTransactionValue(bytes: Buffer, start: number, end: number): Transaction {
  const reader = new WireReader(bytes, start, end)
  const codec = valueCodecs[reader.int16()]
  if (codec === undefined) throw unknownRecord('version')
  const value = codec.read(reader)
  const status = statuses[value.status]
  if (status === undefined) throw unknownRecord('status')
  const partitions: TransactionPartition[] = []
  for (const { topic, ids } of value.partitions ?? []) {
    for (const partition of ids) partitions.push({ topic, partition })
  }
  return { ...value, status, partitions, clientVersion: value.clientVersion as TransactionVersion }
}

/** None at all in a record of an empty transaction, as Kafka writes it. */
function byTopic({ status, partitions }: Transaction): WriteOf<typeof valueFields>['partitions'] {
  if (status === 'Empty') return null
  const topics = Map.groupBy(partitions, ({ topic }) => topic)
  return [...topics].map(([topic, own]) => ({ topic, ids: own.map(({ partition }) => partition) }))
}

function unknownRecord(what: string): MillraceError {
  return new MillraceError('DIRECTORY_UNUSABLE', `A transaction was recorded with a ${what} that is not known`, {
    remedy: 'Open the data directory with the version of the program that wrote it.',
  })
}
