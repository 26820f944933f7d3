import fc from 'fast-check'
import type { Api } from '../../src/broker/protocol/api.ts'
import { apiOf, apis } from '../../src/broker/protocol/apis.ts'
import type { Fields } from '../../src/broker/protocol/field.ts'
import { type MessageCodec, messageCodec } from '../../src/broker/protocol/message-codec.ts'
import { includesVersion, versionRange } from '../../src/broker/protocol/version-range.ts'
import { WireReader } from '../../src/broker/protocol/wire-reader.ts'
import { WireWriter } from '../../src/broker/protocol/wire-writer.ts'
import { messageArbitrary } from '../broker/protocol/message-arbitrary.ts'
import { type FuzzTarget, requireSame } from './fuzz-target.ts'

type Side = 'request' | 'response'

/** Before a message in the fuzz: the key of its API and its version. */
const headBytes = 4
const samplesOfEach = 2

export function versionsOf({ versions }: Api): number[] {
  const { from, to } = versionRange(versions)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** The bytes of random messages of every API in every version. */
export function messagesOf(side: Side, seed: number, count = samplesOfEach): Buffer[] {
  return apis.flatMap((api) => versionsOf(api).flatMap((version) => samples(api, version, side, seed, count)))
}

function samples(api: Api, version: number, side: Side, seed: number, count: number): Buffer[] {
  const codec = codecOf(api, version, side)
  return fc.sample(messageArbitrary(api[side], version), { numRuns: count, seed }).map((message) => {
    const writer = new WireWriter()
    writer.int16(api.key)
    writer.int16(version)
    codec.write(writer, message as never)
    return Buffer.concat(writer.pieces())
  })
}

function codecOf(api: Api, version: number, side: Side): MessageCodec<Fields> {
  return messageCodec(api[side], version, includesVersion(versionRange(api.flexible), version))
}

/** Reads a message and, where it is one, writes it and reads it again. */
function readAndWrite(bytes: Buffer, side: Side): void {
  if (bytes.length < headBytes) return
  const api = apiOf(bytes.readInt16BE(0))
  const version = bytes.readInt16BE(2)
  if (api === undefined || !includesVersion(versionRange(api.versions), version)) return
  const codec = codecOf(api, version, side)
  const once = codec.read(new WireReader(bytes, headBytes))
  const writer = new WireWriter()
  codec.write(writer, once as never)
  requireSame(codec.read(new WireReader(Buffer.concat(writer.pieces()))), once)
}

/** Messages of Kafka's protocol, in all versions. What the many codecs take is made anew by each run. */
export const protocolTargets: readonly FuzzTarget[] = (['request', 'response'] as const).map((side) => ({
  name: `${side}s of every API`,
  corpus: messagesOf(side, 1),
  run: (bytes) => readAndWrite(bytes, side),
}))
