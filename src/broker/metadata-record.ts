import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64 } from '../bytes/int64.ts'
import { MillraceError, messageOf } from '../errors.ts'
import {
  isSecurityRecord,
  readSecurityFields,
  type SecurityRecord,
  securityRecordKey,
  securityRecordType,
  writeSecurityFields,
} from './security-record.ts'
import { idFromBytes, idToBytes } from './topic-id.ts'

/**
 * What the registry is made of, in the bytes of Kafka's KRaft metadata log (TopicRecord, RemoveTopicRecord, PartitionRecord,
 * ConfigRecord and ProducerIdsRecord of org.apache.kafka.common.metadata, version 0 each): a frame version, the record's type and version as
 * unsigned varints, then the fields.
 */
export type MetadataRecord =
  | TopicRecord
  | RemoveTopicRecord
  | PartitionRecord
  | ConfigRecord
  | ProducerIdsRecord
  | SecurityRecord

export interface TopicRecord {
  readonly type: 'topic'
  readonly name: string
  readonly topicId: string
}

/** The topic is no more, and nothing that was said of it counts. */
export interface RemoveTopicRecord {
  readonly type: 'remove-topic'
  readonly topicId: string
}

export interface PartitionRecord {
  readonly type: 'partition'
  readonly partition: number
  readonly topicId: string
}

export interface ConfigRecord {
  readonly type: 'config'
  readonly resource: ConfigResource
  /** Of a topic; of the broker its id, or nothing for all brokers of the cluster. */
  readonly resourceName: string
  readonly name: string
  /** null: it is not set any more. */
  readonly value: string | null
}

export type ConfigResource = 'topic' | 'broker'

/** Producer ids below the next one may have been given out. */
export interface ProducerIdsRecord {
  readonly type: 'producer-ids'
  readonly nextProducerId: number
}

const frameVersion = 1
const topicType = 2
const partitionType = 3
const configType = 4
const removeTopicType = 9
const producerIdsType = 15
const resourceTypes: Readonly<Record<ConfigResource, number>> = { topic: 2, broker: 4 }
const nodeId = 1
const noBrokerEpoch = -1

export function writeMetadataRecord(record: MetadataRecord, out: ByteWriter): void {
  writeUnsigned(frameVersion, out)
  if (isSecurityRecord(record)) {
    writeType(securityRecordKey(record), out)
    writeSecurityFields(record, out)
    return
  }
  if (record.type === 'topic') writeTopic(record, out)
  else if (record.type === 'partition') writePartition(record, out)
  else if (record.type === 'config') writeConfig(record, out)
  else if (record.type === 'remove-topic') writeRemoveTopic(record, out)
  else writeProducerIds(record, out)
  // No tagged fields.
  writeUnsigned(0, out)
}

/** @throws MillraceError DIRECTORY_UNUSABLE where it is a record of a kind that this version does not know. */
export function readMetadataRecord(bytes: Buffer, start: number, end: number): MetadataRecord {
  const fields = new MetadataFields(bytes, start, end)
  const frame = fields.unsigned()
  const type = fields.unsigned()
  const version = fields.unsigned()
  if (frame !== frameVersion || version !== 0) throw unknownRecord(frame, type, version)
  if (type === topicType) return { type: 'topic', name: fields.text(), topicId: fields.id() }
  if (type === partitionType) return { type: 'partition', partition: fields.int32(), topicId: fields.id() }
  if (type === removeTopicType) return { type: 'remove-topic', topicId: fields.id() }
  if (type === producerIdsType) {
    fields.int32()
    fields.int64()
    return { type: 'producer-ids', nextProducerId: fields.int64() }
  }
  const security = securityRecordType(type)
  if (security !== undefined) return readSecurity(security, bytes, fields.position, end)
  const resource = type === configType ? resourceOf(fields.int8()) : undefined
  if (resource === undefined) throw unknownRecord(frame, type, version)
  const [resourceName, name] = [fields.text(), fields.text()]
  return { type: 'config', resource, resourceName, name, value: fields.nullableText() }
}

function readSecurity(type: SecurityRecord['type'], bytes: Buffer, start: number, end: number): SecurityRecord {
  try {
    return readSecurityFields(type, bytes, start, end)
  } catch (error) {
    throw damagedRecord(messageOf(error))
  }
}

function resourceOf(type: number): ConfigResource | undefined {
  if (type === resourceTypes.topic) return 'topic'
  return type === resourceTypes.broker ? 'broker' : undefined
}

function writeTopic(record: TopicRecord, out: ByteWriter): void {
  writeType(topicType, out)
  writeText(record.name, out)
  out.writeBytes(idToBytes(record.topicId))
}

function writeRemoveTopic(record: RemoveTopicRecord, out: ByteWriter): void {
  writeType(removeTopicType, out)
  out.writeBytes(idToBytes(record.topicId))
}

function writePartition(record: PartitionRecord, out: ByteWriter): void {
  writeType(partitionType, out)
  out.writeInt32(record.partition)
  out.writeBytes(idToBytes(record.topicId))
  for (const replicas of [[nodeId], [nodeId], [], []]) {
    writeUnsigned(replicas.length + 1, out)
    for (const replica of replicas) out.writeInt32(replica)
  }
  const leaderEpoch = 0
  const partitionEpoch = 0
  out.writeInt32(nodeId)
  out.writeInt32(leaderEpoch)
  out.writeInt32(partitionEpoch)
}

function writeConfig(record: ConfigRecord, out: ByteWriter): void {
  writeType(configType, out)
  out.writeInt8(resourceTypes[record.resource])
  writeText(record.resourceName, out)
  writeText(record.name, out)
  if (record.value === null) writeUnsigned(0, out)
  else writeText(record.value, out)
}

function writeProducerIds(record: ProducerIdsRecord, out: ByteWriter): void {
  writeType(producerIdsType, out)
  out.writeInt32(nodeId)
  out.writeInt64(noBrokerEpoch)
  out.writeInt64(record.nextProducerId)
}

function writeType(type: number, out: ByteWriter): void {
  writeUnsigned(type, out)
  writeUnsigned(0, out)
}

/** A compact string: its length in bytes and one more, then the bytes. */
function writeText(text: string, out: ByteWriter): void {
  writeUnsigned(Buffer.byteLength(text) + 1, out)
  out.writeUtf8(text)
}

function writeUnsigned(value: number, out: ByteWriter): void {
  let left = value
  while (left >= 0x80) {
    out.writeInt8((left & 0x7f) | 0x80)
    left >>>= 7
  }
  out.writeInt8(left)
}

/** Reads the fields of a record one after the other; the record's checksum was right. */
class MetadataFields {
  readonly #bytes: Buffer
  readonly #end: number
  #position: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#end = end
    this.#position = start
  }

  unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      if (shift >= 35) throw damagedRecord('an unsigned varint has more than five bytes')
      const byte = this.#bytes[this.#take(1)] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): number {
    return readInt64(this.#bytes, this.#take(8))
  }

  id(): string {
    return idFromBytes(this.#bytes, this.#take(16))
  }

  text(): string {
    const text = this.nullableText()
    if (text === null) throw damagedRecord('a text is null that must not be')
    return text
  }

  nullableText(): string | null {
    const length = this.unsigned() - 1
    if (length < 0) return null
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#position
  }

  #take(length: number): number {
    const start = this.#position
    if (length < 0 || start + length > this.#end) throw damagedRecord('it ends before its last field')
    this.#position = start + length
    return start
  }
}

function damagedRecord(fault: string): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `A record of the topic registry is damaged: ${fault}`, {
    remedy: 'Put back a copy of the registry.',
  })
}

function unknownRecord(frame: number, type: number, version: number): MillraceError {
  const what = `The topic registry holds a record of type ${type}, version ${version} (frame ${frame}), which is not known`
  return new MillraceError('DIRECTORY_UNUSABLE', what, {
    remedy: 'Open the data directory with the version of the program that wrote it.',
  })
}
