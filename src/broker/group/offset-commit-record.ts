import type { ByteWriter } from '../../bytes/byte-writer.ts'
import { readInt64 } from '../../bytes/int64.ts'
import { MillraceError } from '../../errors.ts'

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

/** The key in `bytes[start..end)`; undefined where the record is not about a commit. */
export function readOffsetCommitKey(bytes: Buffer, start: number): OffsetCommitKey | undefined {
  const version = bytes.readInt16BE(start)
  if (version < 0 || version > lastCommitKeyVersion) return undefined
  const groupEnd = textEnd(bytes, start + 2)
  const topicEnd = textEnd(bytes, groupEnd)
  return {
    group: readText(bytes, start + 2),
    topic: readText(bytes, groupEnd),
    partition: bytes.readInt32BE(topicEnd),
  }
}

/** @throws MillraceError DIRECTORY_UNUSABLE where the value has a version that is not known. */
export function readOffsetCommitValue(bytes: Buffer, start: number): OffsetCommitValue {
  const version = bytes.readInt16BE(start)
  if (version < 0 || version > valueVersion) {
    throw new MillraceError('DIRECTORY_UNUSABLE', `An offset was committed in version ${version}, which is not known`, {
      remedy: 'Open the data directory with the version of the program that wrote it.',
    })
  }
  const leaderEpochBytes = version === valueVersion ? 4 : 0
  return { offset: readInt64(bytes, start + 2), metadata: readText(bytes, start + 10 + leaderEpochBytes) }
}

/** When the offset was committed, in milliseconds since 1970. */
export function commitTimeOf(bytes: Buffer, start: number): number {
  const leaderEpochBytes = bytes.readInt16BE(start) === valueVersion ? 4 : 0
  return readInt64(bytes, textEnd(bytes, start + 10 + leaderEpochBytes))
}

function writeText(text: string, out: ByteWriter): void {
  out.writeInt16(Buffer.byteLength(text))
  out.writeUtf8(text)
}

function readText(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start + 2, textEnd(bytes, start))
}

function textEnd(bytes: Buffer, start: number): number {
  return start + 2 + bytes.readInt16BE(start)
}
