import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiOf, apis } from '../../../src/broker/protocol/apis.ts'
import { messageCodec } from '../../../src/broker/protocol/message-codec.ts'
import { includesVersion, versionRange } from '../../../src/broker/protocol/version-range.ts'
import { WireReader } from '../../../src/broker/protocol/wire-reader.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'
import { root } from '../../source-files.ts'
import { fieldsOf, type KafkaDefinition } from './kafka-definition.ts'

/** Recorded from Apache Kafka 4.1.1's own classes and definitions by `npm run interop:protocol -- --record`. */
const definitions: readonly KafkaDefinition[] = JSON.parse(vectors('kafka-message-definitions.json'))
const messages = vectors('kafka-messages.txt').trimEnd().split('\n').map(parseMessage)

describe('the tables of messages', () => {
  it.each(apis)("$name is Kafka's", (api) => {
    const [request, response] = [`${api.name}Request`, `${api.name}Response`].map(
      (name) => definitions.find((each) => each.name === name) as KafkaDefinition,
    )
    expect(api).toEqual({
      key: request.apiKey,
      name: api.name,
      versions: request.validVersions,
      flexible: request.flexibleVersions,
      request: fieldsOf(request),
      response: fieldsOf(response),
    })
    expect([response.validVersions, response.flexibleVersions]).toEqual([api.versions, api.flexible])
    expect(apiOf(api.key)).toBe(api)
  })
})

describe('the codecs of messages', () => {
  it('have a message of every API in every version', () => {
    const expected = apis.flatMap((api) => {
      const { from, to } = versionRange(api.versions)
      const versions = Array.from({ length: to - from + 1 }, (_, i) => from + i)
      return versions.flatMap((version) => [`${api.name}Request ${version}`, `${api.name}Response ${version}`])
    })
    expect([...new Set(messages.map(({ name, version }) => `${name} ${version}`))].sort()).toEqual(expected.sort())
  })

  it.each(messages)('read and write $name version $version as Kafka does', ({ name, version, hex, json }) => {
    const api = apis.find((each) => name === `${each.name}Request` || name === `${each.name}Response`)
    if (api === undefined) throw new Error(`there is no table for ${name}`)
    const fields = name.endsWith('Request') ? api.request : api.response
    const codec = messageCodec(fields, version, includesVersion(versionRange(api.flexible), version))
    const reader = new WireReader(Buffer.from(hex, 'hex'))
    const value = codec.read(reader)
    expect(reader.remaining).toBe(0)
    expect(asKafkaShows(value)).toMatchObject(json)
    const writer = new WireWriter()
    codec.write(writer, value as never)
    expect(Buffer.concat(writer.pieces()).toString('hex')).toBe(hex)
  })
})

function vectors(name: string): string {
  return readFileSync(join(root, 'test/vectors', name), 'utf8')
}

function parseMessage(line: string): { name: string; version: number; hex: string; json: object } {
  const [name, version, hex] = line.split(' ', 3) as [string, string, string]
  return {
    name,
    version: Number(version),
    hex,
    json: JSON.parse(line.slice(name.length + version.length + hex.length + 3), withoutRecords),
  }
}

/** Kafka shows bytes as base64. */
function asKafkaShows(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) return value.map(asKafkaShows)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asKafkaShows(each)]))
}

/** Of record batches Kafka shows nothing or their size; the bytes written again tell that they were read whole. */
function withoutRecords(name: string, value: unknown): unknown {
  return name === 'records' || name === 'recordsSizeInBytes' ? undefined : value
}
