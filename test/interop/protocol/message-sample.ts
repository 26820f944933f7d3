import fc from 'fast-check'
import type { Api } from '../../../src/broker/protocol/api.ts'
import { apis } from '../../../src/broker/protocol/apis.ts'
import type { Fields } from '../../../src/broker/protocol/field.ts'
import { messageCodec } from '../../../src/broker/protocol/message-codec.ts'
import { includesVersion, versionRange } from '../../../src/broker/protocol/version-range.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'
import { messageArbitrary } from '../../broker/protocol/message-arbitrary.ts'

/** A message as we write it. */
export interface MessageSample {
  /** Kafka's name: `FetchRequest`. */
  readonly name: string
  readonly version: number
  readonly hex: string
}

/** So many random messages of every API in every version, requests and responses. */
export function sampleMessages(each: number, seed: number): MessageSample[] {
  return apis.flatMap((api) => [
    ...samplesOf(api, `${api.name}Request`, api.request, each, seed),
    ...samplesOf(api, `${api.name}Response`, api.response, each, seed + 1),
  ])
}

function samplesOf(api: Api, name: string, fields: Fields, each: number, seed: number): MessageSample[] {
  const { from, to } = versionRange(api.versions)
  const versions = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  return versions.flatMap((version) => {
    const codec = messageCodec(fields, version, includesVersion(versionRange(api.flexible), version))
    return fc.sample(messageArbitrary(fields, version), { numRuns: each, seed: seed + version }).map((message) => {
      const writer = new WireWriter()
      codec.write(writer, message as never)
      return { name, version, hex: Buffer.concat(writer.pieces()).toString('hex') }
    })
  })
}
