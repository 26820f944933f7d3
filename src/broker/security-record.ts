import type { ByteWriter } from '../bytes/byte-writer.ts'
import type { Fields, ReadOf, WriteOf } from './protocol/field.ts'
import { messageCodec } from './protocol/message-codec.ts'
import { WireReader } from './protocol/wire-reader.ts'
import { WireWriter } from './protocol/wire-writer.ts'

/** UserScramCredentialRecord of org.apache.kafka.common.metadata. */
const scramCredential = {
  name: ['string', '0+'],
  mechanism: ['int8', '0+'],
  salt: ['bytes', '0+'],
  storedKey: ['bytes', '0+'],
  serverKey: ['bytes', '0+'],
  iterations: ['int32', '0+'],
} as const

/** RemoveUserScramCredentialRecord. */
const removeScramCredential = {
  name: ['string', '0+'],
  mechanism: ['int8', '0+'],
} as const

/** AccessControlEntryRecord. */
const accessControlEntry = {
  id: ['uuid', '0+'],
  resourceType: ['int8', '0+'],
  resourceName: ['string', '0+'],
  patternType: ['int8', '0+'],
  principal: ['string', '0+'],
  host: ['string', '0+'],
  operation: ['int8', '0+'],
  permissionType: ['int8', '0+'],
} as const

/** RemoveAccessControlEntryRecord. */
const removeAccessControlEntry = {
  id: ['uuid', '0+'],
} as const

/** ClientQuotaRecord. */
const clientQuota = {
  entity: [
    [
      {
        entityType: ['string', '0+'],
        entityName: ['string', '0+', { nullable: '0+' }],
      },
    ],
    '0+',
  ],
  key: ['string', '0+'],
  value: ['float64', '0+'],
  remove: ['bool', '0+'],
} as const

/**
 * What the registry says of who may do what, in Kafka's records of the same names: their fields are declared as those of
 * messages are, and read by the same codecs.
 */
export type SecurityRecord =
  | ({ readonly type: 'scram-credential' } & ReadOf<typeof scramCredential>)
  | ({ readonly type: 'remove-scram-credential' } & ReadOf<typeof removeScramCredential>)
  | ({ readonly type: 'access-control-entry' } & ReadOf<typeof accessControlEntry>)
  | ({ readonly type: 'remove-access-control-entry' } & ReadOf<typeof removeAccessControlEntry>)
  | ({ readonly type: 'client-quota' } & ReadOf<typeof clientQuota>)

type SecurityRecordType = SecurityRecord['type']

const declared: Readonly<Record<SecurityRecordType, readonly [key: number, fields: Fields]>> = {
  'scram-credential': [11, scramCredential],
  'remove-scram-credential': [22, removeScramCredential],
  'access-control-entry': [18, accessControlEntry],
  'remove-access-control-entry': [19, removeAccessControlEntry],
  'client-quota': [14, clientQuota],
}
const types = Object.keys(declared) as readonly SecurityRecordType[]
const codecs = new Map(types.map((type) => [type, messageCodec(declared[type][1], 0, true)]))

export function isSecurityRecord(record: { readonly type: string }): record is SecurityRecord {
  return Object.hasOwn(declared, record.type)
}

/** The type of a record by its number in the registry; undefined for those that are not of this kind. */
export function securityRecordType(key: number): SecurityRecordType | undefined {
  return types.find((type) => declared[type][0] === key)
}

export function securityRecordKey({ type }: SecurityRecord): number {
  return declared[type][0]
}

/** Writes the fields, and that there are no tagged ones. */
export function writeSecurityFields(record: SecurityRecord, out: ByteWriter): void {
  const writer = new WireWriter()
  codecs.get(record.type)?.write(writer, record as unknown as WriteOf<Fields>)
  for (const piece of writer.pieces()) out.writeBytes(piece)
}

/**
 * Reads the fields; the record keeps no bytes of the message.
 * @throws MillraceError MALFORMED_MESSAGE
 */
export function readSecurityFields(
  type: SecurityRecordType,
  bytes: Buffer,
  start: number,
  end: number,
): SecurityRecord {
  const reader = new WireReader(Buffer.from(bytes.subarray(start, end)))
  return { type, ...codecs.get(type)?.read(reader) } as SecurityRecord
}
