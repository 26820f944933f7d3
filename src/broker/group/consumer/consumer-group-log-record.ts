import { MillraceError } from '../../../errors.ts'
import type { Fields, ReadOf, WriteOf } from '../../protocol/field.ts'
import { messageCodec } from '../../protocol/message-codec.ts'
import { WireReader } from '../../protocol/wire-reader.ts'
import { WireWriter } from '../../protocol/wire-writer.ts'
import type { ConsumerGroupRecord } from './consumer-group-event.ts'
import type { ClassicSide, MemberState } from './consumer-member.ts'
import { partitionListOf, partitionSetOf } from './partition-set.ts'

/**
 * The records of consumer groups in `__consumer_offsets`, as Kafka 4.1 has them: ConsumerGroupMetadata, ...MemberMetadata,
 * ...TargetAssignmentMetadata, ...TargetAssignmentMember and ...CurrentMemberAssignment. The version of a key says which of them
 * it is of; values have one version so far.
 */
const keyVersions = { group: 3, member: 5, target: 6, 'target-member': 7, assignment: 8 } as const
const groupParts: ReadonlySet<number> = new Set([keyVersions.group, keyVersions.target])
const partOfVersion = new Map(Object.entries(keyVersions).map(([part, version]) => [version as number, part as Part]))
const valueVersion = 0

type Part = ConsumerGroupRecord['part']

/** What a record of a group's is about. */
export interface ConsumerGroupKey {
  readonly group: string
  readonly part: Part
  /** Empty where it is about the group itself. */
  readonly memberId: string
}

const topicPartitions = [[{ topicId: ['uuid', '0+'], partitions: [['int32'], '0+'] }], '0+'] as const

const groupFields = {
  epoch: ['int32', '0+'],
  // 64 bits of which nothing counts but whether they are the same; Kafka's, which are no double, are never the same.
  metadataHash: ['float64', '0+', { tag: 0, tagged: '0+', default: 0 }],
} as const satisfies Fields

const memberFields = {
  instanceId: ['string', '0+', { nullable: '0+' }],
  rackId: ['string', '0+', { nullable: '0+' }],
  clientId: ['string', '0+'],
  clientHost: ['string', '0+'],
  subscribedTopicNames: [['string'], '0+'],
  subscribedTopicRegex: ['string', '0+', { nullable: '0+' }],
  rebalanceTimeoutMs: ['int32', '0+', { default: -1 }],
  serverAssignor: ['string', '0+', { nullable: '0+' }],
  classicMemberMetadata: [
    {
      sessionTimeoutMs: ['int32', '0+'],
      supportedProtocols: [[{ name: ['string', '0+'], metadata: ['bytes', '0+'] }], '0+'],
    },
    '0+',
    { nullable: '0+', tag: 0, tagged: '0+', default: null },
  ],
} as const satisfies Fields

const targetFields = { assignmentEpoch: ['int32', '0+'] } as const satisfies Fields

const targetMemberFields = { topicPartitions } as const satisfies Fields

const assignmentFields = {
  memberEpoch: ['int32', '0+'],
  previousMemberEpoch: ['int32', '0+'],
  state: ['int8', '0+'],
  assignedPartitions: topicPartitions,
  partitionsPendingRevocation: topicPartitions,
} as const satisfies Fields

/** Kafka's numbers of the states, by place. */
const states: readonly MemberState[] = ['stable', 'unrevoked', 'unreleased']

export function writeConsumerGroupKey(group: string, record: ConsumerGroupRecord): Buffer {
  const writer = new WireWriter(64)
  writer.int16(keyVersions[record.part])
  for (const name of 'memberId' in record ? [group, record.memberId] : [group]) {
    writer.shortLength(Buffer.byteLength(name), false)
    writer.text(name)
  }
  return Buffer.concat(writer.pieces())
}

/** Undefined where the key is of something else. */
export function readConsumerGroupKey(bytes: Buffer, start: number, end: number): ConsumerGroupKey | undefined {
  const reader = new WireReader(bytes, start, end)
  const version = reader.int16()
  const part = partOfVersion.get(version)
  if (part === undefined) return undefined
  const group = reader.text(reader.shortLength(false))
  return { group, part, memberId: groupParts.has(version) ? '' : reader.text(reader.shortLength(false)) }
}

/** Null for a tombstone. */
export function writeConsumerGroupValue(record: ConsumerGroupRecord): Buffer | null {
  if (record.value === null) return null
  switch (record.part) {
    case 'group':
      return written(groupFields, record.value)
    case 'member': {
      const { topicNames, topicRegex, assignor, classic, ...said } = record.value
      const subscription = { subscribedTopicNames: topicNames, subscribedTopicRegex: topicRegex }
      const classicMemberMetadata = classic && {
        sessionTimeoutMs: classic.sessionTimeoutMs,
        supportedProtocols: classic.protocols,
      }
      return written(memberFields, { ...said, ...subscription, serverAssignor: assignor, classicMemberMetadata })
    }
    case 'target':
      return written(targetFields, { assignmentEpoch: record.value.epoch })
    case 'target-member':
      return written(targetMemberFields, { topicPartitions: partitionListOf(record.value) })
    case 'assignment':
      return written(assignmentFields, {
        memberEpoch: record.value.epoch,
        previousMemberEpoch: record.value.previousEpoch,
        state: states.indexOf(record.value.state),
        assignedPartitions: partitionListOf(record.value.assigned),
        partitionsPendingRevocation: partitionListOf(record.value.pendingRevocation),
      })
  }
}

/** @throws MillraceError DIRECTORY_UNUSABLE where the value has a version that is not known, MALFORMED_MESSAGE */
export function readConsumerGroupValue(
  { part, memberId }: ConsumerGroupKey,
  bytes: Buffer,
  start: number,
  end: number,
): ConsumerGroupRecord {
  const reader = new WireReader(bytes, start, end)
  const version = reader.int16()
  if (version !== valueVersion) {
    throw new MillraceError('DIRECTORY_UNUSABLE', `A group was kept in version ${version}, which is not known`, {
      remedy: 'Open the data directory with the version of the program that wrote it.',
    })
  }
  switch (part) {
    case 'group':
      return { part, value: messageCodec(groupFields, version, true).read(reader) }
    case 'member': {
      const value = messageCodec(memberFields, version, true).read(reader)
      const { subscribedTopicNames, subscribedTopicRegex, serverAssignor, classicMemberMetadata, ...said } = value
      const subscription = { topicNames: subscribedTopicNames, topicRegex: subscribedTopicRegex }
      const classic = classicMemberMetadata && classicSideOf(classicMemberMetadata)
      return { part, memberId, value: { ...said, ...subscription, assignor: serverAssignor, classic } }
    }
    case 'target':
      return { part, value: { epoch: messageCodec(targetFields, version, true).read(reader).assignmentEpoch } }
    case 'target-member': {
      const { topicPartitions: partitions } = messageCodec(targetMemberFields, version, true).read(reader)
      return { part, memberId, value: partitionSetOf(partitions) }
    }
    case 'assignment': {
      const value = messageCodec(assignmentFields, version, true).read(reader)
      const state = states[value.state] ?? 'unreleased'
      const assigned = partitionSetOf(value.assignedPartitions)
      const pendingRevocation = partitionSetOf(value.partitionsPendingRevocation)
      const epochs = { epoch: value.memberEpoch, previousEpoch: value.previousMemberEpoch }
      return { part, memberId, value: { ...epochs, state, assigned, pendingRevocation } }
    }
  }
}

/** The log's buffer is used again. */
function classicSideOf({ sessionTimeoutMs, supportedProtocols }: KeptClassicSide): ClassicSide {
  const protocols = supportedProtocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
  return { sessionTimeoutMs, protocols }
}

type KeptClassicSide = NonNullable<ReadOf<typeof memberFields>['classicMemberMetadata']>

function written<F extends Fields>(fields: F, value: WriteOf<F>): Buffer {
  const writer = new WireWriter(256)
  writer.int16(valueVersion)
  messageCodec(fields, valueVersion, true).write(writer, value)
  return Buffer.concat(writer.pieces())
}
