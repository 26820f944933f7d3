import type { ByteWriter } from '../../bytes/byte-writer.ts'
import { readInt64 } from '../../bytes/int64.ts'
import { MillraceError } from '../../errors.ts'
import type { Transaction, TransactionPartition, TransactionStatus, TransactionVersion } from './transaction.ts'

/**
 * The records of `__transaction_state` in Kafka's formats TransactionLogKey (version 0) and TransactionLogValue (versions 0
 * and 1; 1 is written). Tagged fields hold what version 0 cannot say; one of them, of a number that Kafka does not use and
 * passes over, is the epoch before the last, which Kafka forgets when its coordinator is started anew.
 */
const keyVersion = 0
const valueVersion = 1

const previousProducerIdTag = 0
const nextProducerIdTag = 1
const clientVersionTag = 2
const lastProducerEpochTag = 1_000

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
  out.writeInt16(valueVersion)
  out.writeInt64(transaction.producerId)
  out.writeInt16(transaction.producerEpoch)
  out.writeInt32(transaction.timeoutMs)
  out.writeInt8(statuses.indexOf(transaction.status))
  writePartitions(transaction, out)
  out.writeInt64(transaction.updatedMs)
  out.writeInt64(transaction.startedMs)
  writeTags(transaction, out)
}

/** The transactional id in `bytes[start..)`; undefined where the record is of another kind. */
export function readTransactionKey(bytes: Buffer, start: number): string | undefined {
  if (bytes.readInt16BE(start) !== keyVersion) return undefined
  return bytes.toString('utf8', start + 4, start + 4 + bytes.readInt16BE(start + 2))
}

/** @throws MillraceError DIRECTORY_UNUSABLE where the value has a version or status that is not known. */
export function readTransactionValue(bytes: Buffer, start: number): Transaction {
  const fields = new TransactionFields(bytes, start + 2, bytes.readInt16BE(start))
  const producerId = fields.int64()
  const producerEpoch = fields.int16()
  const timeoutMs = fields.int32()
  const status = statuses[fields.int8()]
  if (status === undefined) throw unknownRecord('status')
  const partitions = fields.partitions()
  const updatedMs = fields.int64()
  const startedMs = fields.int64()
  const tagged = { previousProducerId: -1, nextProducerId: -1, lastProducerEpoch: -1, clientVersion: 0 }
  fields.tags((tag) => {
    if (tag === previousProducerIdTag) tagged.previousProducerId = fields.int64()
    else if (tag === nextProducerIdTag) tagged.nextProducerId = fields.int64()
    else if (tag === clientVersionTag) tagged.clientVersion = fields.int16()
    else if (tag === lastProducerEpochTag) tagged.lastProducerEpoch = fields.int16()
  })
  const clientVersion = tagged.clientVersion as TransactionVersion
  const read = { status, producerId, producerEpoch, timeoutMs, partitions, startedMs, updatedMs }
  return { ...read, ...tagged, clientVersion }
}

/** None at all in a record of an empty transaction, as Kafka writes it; by topic otherwise. */
function writePartitions({ status, partitions }: Transaction, out: ByteWriter): void {
  if (status === 'Empty') {
    writeUnsigned(0, out)
    return
  }
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const ids = byTopic.get(topic)
    if (ids === undefined) byTopic.set(topic, [partition])
    else ids.push(partition)
  }
  writeUnsigned(byTopic.size + 1, out)
  for (const [topic, ids] of byTopic) {
    writeUnsigned(Buffer.byteLength(topic) + 1, out)
    out.writeUtf8(topic)
    writeUnsigned(ids.length + 1, out)
    for (const id of ids) out.writeInt32(id)
    writeUnsigned(0, out)
  }
}

function writeTags(transaction: Transaction, out: ByteWriter): void {
  const { previousProducerId, nextProducerId, clientVersion, lastProducerEpoch } = transaction
  const isSet = [previousProducerId >= 0, nextProducerId >= 0, clientVersion > 0, lastProducerEpoch >= 0]
  writeUnsigned(isSet.filter(Boolean).length, out)
  if (previousProducerId >= 0) writeTag(previousProducerIdTag, 8, out).writeInt64(previousProducerId)
  if (nextProducerId >= 0) writeTag(nextProducerIdTag, 8, out).writeInt64(nextProducerId)
  if (clientVersion > 0) writeTag(clientVersionTag, 2, out).writeInt16(clientVersion)
  if (lastProducerEpoch >= 0) writeTag(lastProducerEpochTag, 2, out).writeInt16(lastProducerEpoch)
}

function writeTag(tag: number, bytes: number, out: ByteWriter): ByteWriter {
  writeUnsigned(tag, out)
  writeUnsigned(bytes, out)
  return out
}

function writeUnsigned(value: number, out: ByteWriter): void {
  let left = value
  for (; left >= 0x80; left >>>= 7) out.writeInt8((left & 0x7f) | 0x80)
  out.writeInt8(left)
}

/** Reads the fields of a value one after the other; its checksum was right. */
class TransactionFields {
  readonly #bytes: Buffer
  readonly #isFlexible: boolean
  #position: number

  constructor(bytes: Buffer, start: number, version: number) {
    if (version < 0 || version > valueVersion) throw unknownRecord('version')
    this.#bytes = bytes
    this.#position = start
    this.#isFlexible = version > 0
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): number {
    return readInt64(this.#bytes, this.#take(8))
  }

  partitions(): TransactionPartition[] {
    const partitions: TransactionPartition[] = []
    for (let topics = this.#count(4); topics > 0; topics--) {
      const length = this.#count(2)
      const start = this.#take(length)
      const topic = this.#bytes.toString('utf8', start, start + length)
      for (let ids = this.#count(4); ids > 0; ids--) partitions.push({ topic, partition: this.int32() })
      this.tags(() => {})
    }
    return partitions
  }

  /** Calls back at each tagged field; what it does not read is passed over. */
  tags(read: (tag: number) => void): void {
    if (!this.#isFlexible) return
    for (let left = this.#unsigned(); left > 0; left--) {
      const tag = this.#unsigned()
      const size = this.#unsigned()
      const end = this.#position + size
      read(tag)
      this.#position = end
    }
  }

  /** The length of an array or a string, 0 where there is none. */
  #count(bytes: 2 | 4): number {
    const count = this.#isFlexible ? this.#unsigned() - 1 : bytes === 2 ? this.int16() : this.int32()
    return Math.max(count, 0)
  }

  #unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#take(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  #take(length: number): number {
    const start = this.#position
    this.#position = start + length
    return start
  }
}

function unknownRecord(what: string): MillraceError {
  return new MillraceError('DIRECTORY_UNUSABLE', `A transaction was recorded with a ${what} that is not known`, {
    remedy: 'Open the data directory with the version of the program that wrote it.',
  })
}
