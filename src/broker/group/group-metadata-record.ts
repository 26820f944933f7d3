import { MillraceError } from '../../errors.ts'
import type { Fields, ReadOf } from '../protocol/field.ts'
import { messageCodec } from '../protocol/message-codec.ts'
import { WireReader } from '../protocol/wire-reader.ts'
import { WireWriter } from '../protocol/wire-writer.ts'
import type { GroupMetadata } from './group-event.ts'

/** The version of keys of `__consumer_offsets` that are about a group itself: Kafka's GroupMetadataKey. */
const keyVersion = 2
/** Kafka's GroupMetadataValue, as brokers since 2.3 write it. */
const valueVersion = 3

const valueFields = {
  protocolType: ['string', '0+'],
  generation: ['int32', '0+'],
  protocol: ['string', '0+', { nullable: '0+' }],
  leader: ['string', '0+', { nullable: '0+' }],
  currentStateTimestamp: ['int64', '2+', { default: -1 }],
  members: [
    [
      {
        memberId: ['string', '0+'],
        groupInstanceId: ['string', '3+', { nullable: '3+', default: null }],
        clientId: ['string', '0+'],
        clientHost: ['string', '0+'],
        rebalanceTimeout: ['int32', '1+'],
        sessionTimeout: ['int32', '0+'],
        subscription: ['bytes', '0+'],
        assignment: ['bytes', '0+'],
      },
    ],
    '0+',
  ],
} as const satisfies Fields

export function writeGroupMetadataKey(group: string): Buffer {
  const writer = new WireWriter(64)
  writer.int16(keyVersion)
  writer.shortLength(Buffer.byteLength(group), false)
  writer.text(group)
  return Buffer.concat(writer.pieces())
}

/** The group that the key is about; undefined where it is the key of something else. */
export function readGroupMetadataKey(bytes: Buffer, start: number, end: number): string | undefined {
  const reader = new WireReader(bytes, start, end)
  if (reader.int16() !== keyVersion) return undefined
  return reader.text(reader.shortLength(false))
}

export function writeGroupMetadataValue(metadata: GroupMetadata, nowMs: number): Buffer {
  const writer = new WireWriter(1024)
  writer.int16(valueVersion)
  messageCodec(valueFields, valueVersion, false).write(writer, {
    protocolType: metadata.protocolType,
    generation: metadata.generation,
    protocol: metadata.protocolName,
    leader: metadata.leaderId,
    currentStateTimestamp: nowMs,
    members: metadata.members.map(({ id, instanceId, rebalanceTimeoutMs, sessionTimeoutMs, ...member }) => ({
      ...member,
      memberId: id,
      groupInstanceId: instanceId,
      rebalanceTimeout: rebalanceTimeoutMs,
      sessionTimeout: sessionTimeoutMs,
    })),
  })
  return Buffer.concat(writer.pieces())
}

/** When the group was kept, in milliseconds since 1970; -1 where the version of the value does not say it. */
export function readGroupKeptMs(bytes: Buffer, start: number, end: number): number {
  return readValue(bytes, start, end).currentStateTimestamp
}

/** @throws MillraceError DIRECTORY_UNUSABLE where the value has a version that is not known */
export function readGroupMetadataValue(bytes: Buffer, start: number, end: number): GroupMetadata {
  const value = readValue(bytes, start, end)
  return {
    protocolType: value.protocolType,
    generation: value.generation,
    protocolName: value.protocol,
    leaderId: value.leader,
    members: value.members.map(memberOf),
  }
}

function readValue(bytes: Buffer, start: number, end: number): ReadOf<typeof valueFields> {
  const reader = new WireReader(bytes, start, end)
  const version = reader.int16()
  if (version < 0 || version > valueVersion) {
    throw new MillraceError('DIRECTORY_UNUSABLE', `A group was kept in version ${version}, which is not known`, {
      remedy: 'Open the data directory with the version of the program that wrote it.',
    })
  }
  return messageCodec(valueFields, version, false).read(reader)
}

function memberOf(kept: ReadOf<typeof valueFields>['members'][number]): GroupMetadata['members'][number] {
  return {
    id: kept.memberId,
    instanceId: kept.groupInstanceId,
    clientId: kept.clientId,
    clientHost: kept.clientHost,
    rebalanceTimeoutMs: kept.rebalanceTimeout,
    sessionTimeoutMs: kept.sessionTimeout,
    // The log's buffer is used again.
    subscription: Buffer.from(kept.subscription),
    assignment: Buffer.from(kept.assignment),
  }
}
