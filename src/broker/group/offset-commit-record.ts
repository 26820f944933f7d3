import type { ByteWriter } from '../../bytes/byte-writer.ts'
import { MillraceError } from '../../errors.ts'
import { WireReader } from '../protocol/wire-reader.ts'

/** Where the records of `__consumer_offsets` are in Kafka's formats OffsetCommitKey and OffsetCommitValue. */
const keyVersion = 1
const valueVersion = 3
const noLeaderEpoch = -1

/** Versions of a key that commits have; keys of other versions are the records of groups. */
const lastCommitKeyVersion = 1

/** Which commit a record is about. */
export interface OffsetCommitKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface OffsetCommitValue {
  readonly offset: number
  readonly metadata: string
}

/** OffsetCommitKey version 1: group, topic, partition. */
export function writeOffsetCommitKey(key: OffsetCommitKey, out: ByteWriter): void {
  out.writeInt16(keyVersion)
  writeText(key.group, out)
  writeText(key.topic, out)
  out.writeInt32(key.partition)
}

/** OffsetCommitValue version 3: offset, leader epoch, metadata, time of the commit. */
export function writeOffsetCommitValue(value: OffsetCommitValue, commitTimestamp: number, out: ByteWriter): void {
  out.writeInt16(valueVersion)
  out.writeInt64(value.offset)
  out.writeInt32(noLeaderEpoch)
  writeText(value.metadata, out)
  out.writeInt64(commitTimestamp)
}

/**
 * The key in `bytes[start..end)`; undefined where the record is not about a commit.
 * @throws MillraceError MALFORMED_MESSAGE
 */
export function readOffsetCommitKey(bytes: Buffer, start: number, end: number): OffsetCommitKey | undefined {
  const reader = new WireReader(bytes, start, end)
  const version = reader.int16()
  if (version < 0 || version > lastCommitKeyVersion) return undefined
  const group = reader.text(reader.shortLength(false))
  const topic = reader.text(reader.shortLength(false))
  return { group, topic, partition: reader.int32() }
}

/** @throws MillraceError MALFORMED_MESSAGE; DIRECTORY_UNUSABLE where the value has a version that is not known. */
export function readOffsetCommitValue(bytes: Buffer, start: number, end: number): OffsetCommitValue {
  const reader = valueReader(bytes, start, end)
  const offset = reader.int64()
  skipLeaderEpoch(reader, start)
  return { offset, metadata: reader.text(reader.shortLength(false)) }
}

/** When the offset was committed, in milliseconds since 1970. */
export function commitTimeOf(bytes: Buffer, start: number, end: number): number {
  const reader = valueReader(bytes, start, end)
  reader.take(8)
  skipLeaderEpoch(reader, start)
  reader.take(reader.shortLength(false))
  return reader.int64()
}

function valueReader(bytes: Buffer, start: number, end: number): WireReader {
  const reader = new WireReader(bytes, start, end)
  const version = reader.int16()
  if (version >= 0 && version <= valueVersion) return reader
  throw new MillraceError('DIRECTORY_UNUSABLE', `An offset was committed in version ${version}, which is not known`, {
    remedy: 'Open the data directory with the version of the program that wrote it.',
  })
}

function skipLeaderEpoch(reader: WireReader, valueStart: number): void {
  if (reader.bytes.readInt16BE(valueStart) === valueVersion) reader.take(4)
}

function writeText(text: string, out: ByteWriter): void {
  out.writeInt16(Buffer.byteLength(text))
  out.writeUtf8(text)
}
