import {
  readGroupMetadataKey,
  readGroupMetadataValue,
  writeGroupMetadataKey,
  writeGroupMetadataValue,
} from '../../src/broker/group/group-metadata-record.ts'
import {
  commitTimeOf,
  readOffsetCommitKey,
  readOffsetCommitValue,
  writeOffsetCommitKey,
  writeOffsetCommitValue,
} from '../../src/broker/group/offset-commit-record.ts'
import { unreadableRecord } from '../../src/broker/log-fold.ts'
import { readMetadataRecord, writeMetadataRecord } from '../../src/broker/metadata-record.ts'
import type { Transaction } from '../../src/broker/transaction/transaction.ts'
import {
  readTransactionKey,
  readTransactionValue,
  writeTransactionKey,
  writeTransactionValue,
} from '../../src/broker/transaction/transaction-record.ts'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { MillraceError } from '../../src/errors.ts'
import { type FuzzTarget, requireSame } from './fuzz-target.ts'

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
const retention = { type: 'config', resource: 'topic', name: 'retention.ms' } as const
const scramCredential = {
  ...({ type: 'scram-credential', name: 'alice', mechanism: 1, iterations: 4_096 } as const),
  ...{ salt: Buffer.from('salt'), storedKey: Buffer.alloc(32, 1), serverKey: Buffer.alloc(32, 2) },
}

const accessRule = {
  ...({ type: 'access-control-entry', id: topicId, resourceType: 2, resourceName: 'orders' } as const),
  ...{ patternType: 4, principal: 'User:alice', host: '*', operation: 3, permissionType: 3 },
}

const quota = {
  ...({ type: 'client-quota', key: 'producer_byte_rate', value: 1_024.5, remove: false } as const),
  entity: [
    { entityType: 'user', entityName: 'alice' },
    { entityType: 'client-id', entityName: null },
  ],
}

const metadataRecords = [
  written((out) => writeMetadataRecord({ type: 'topic', name: 'orders', topicId }, out)),
  written((out) => writeMetadataRecord({ type: 'partition', partition: 2, topicId }, out)),
  written((out) => writeMetadataRecord({ ...retention, resourceName: 'orders', value: '1' }, out)),
  written((out) => writeMetadataRecord({ ...retention, resourceName: '', value: null }, out)),
  written((out) => writeMetadataRecord({ type: 'remove-topic', topicId }, out)),
  written((out) => writeMetadataRecord(scramCredential, out)),
  written((out) => writeMetadataRecord(accessRule, out)),
  written((out) => writeMetadataRecord(quota, out)),
  written((out) => writeMetadataRecord({ type: 'remove-access-control-entry', id: topicId }, out)),
  written((out) => writeMetadataRecord({ type: 'remove-scram-credential', name: 'alice', mechanism: 2 }, out)),
]

/** Reads what is in `bytes[start..end)`. */
type Decoder<T> = (bytes: Buffer, start: number, end: number) => T

/**
 * Calls a decoder as whoever replays one of the broker's own logs does: the record lies among others, of which nothing may
 * be read, so that what follows it makes no difference.
 */
function ownRecord<T>(read: Decoder<T>, encode?: (found: NonNullable<T>) => Buffer): (bytes: Buffer) => void {
  return (bytes) => {
    const outcomes = [0x00, 0x7f, 0xff].map((neighbour) => outcomeIn(bytes, neighbour, read))
    const [first] = outcomes
    for (const other of outcomes) requireSame(other, first)
    if (first?.failure !== undefined) throw first.failure.error
    if (first?.found === undefined || first.found === null || encode === undefined) return
    const again = encode(first.found)
    requireSame(read(again, 0, again.length), first.found)
  }
}

const padding = 24

function outcomeIn<T>(bytes: Buffer, neighbour: number, read: Decoder<T>) {
  const around = Buffer.alloc(padding, neighbour)
  try {
    return { found: read(Buffer.concat([around, bytes, around]), padding, padding + bytes.length) }
  } catch (error) {
    const told = unreadableRecord(error, {})
    return { failure: { code: told instanceof MillraceError ? told.code : 'none', error: told } }
  }
}

export const ownRecordTargets: readonly FuzzTarget[] = [
  {
    name: 'keys of groups',
    corpus: [writeGroupMetadataKey('group')],
    run: ownRecord(readGroupMetadataKey, writeGroupMetadataKey),
  },
  {
    name: 'keys of committed offsets',
    corpus: [written((out) => writeOffsetCommitKey(key, out)), writeGroupMetadataKey('group')],
    run: ownRecord(readOffsetCommitKey, (found) => written((out) => writeOffsetCommitKey(found, out))),
  },
  {
    name: 'values of committed offsets',
    corpus: [written((out) => writeOffsetCommitValue({ offset: 42, metadata: 'some metadata' }, 1_000, out))],
    run: ownRecord(
      (bytes, start, end) => ({
        ...readOffsetCommitValue(bytes, start, end),
        timeMs: commitTimeOf(bytes, start, end),
      }),
      (found) => written((out) => writeOffsetCommitValue(found, found.timeMs, out)),
    ),
  },
  {
    name: 'values of groups',
    corpus: [writeGroupMetadataValue(groupMetadata, 1_000)],
    run: ownRecord(readGroupMetadataValue, (found) => writeGroupMetadataValue(found, 1_000)),
  },
  {
    name: 'keys of transactions',
    corpus: [written((out) => writeTransactionKey('transactional-id', out))],
    run: ownRecord(readTransactionKey, (found) => written((out) => writeTransactionKey(found, out))),
  },
  {
    name: 'values of transactions',
    corpus: [written((out) => writeTransactionValue(transaction, out))],
    run: ownRecord(readTransactionValue),
  },
  {
    name: 'records of the registry',
    corpus: metadataRecords,
    run: ownRecord(readMetadataRecord, (found) => written((out) => writeMetadataRecord(found, out))),
  },
]
