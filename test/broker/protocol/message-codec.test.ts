import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apis } from '../../../src/broker/protocol/apis.ts'
import type { Fields } from '../../../src/broker/protocol/field.ts'
import { messageCodec } from '../../../src/broker/protocol/message-codec.ts'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { includesVersion, versionRange } from '../../../src/broker/protocol/version-range.ts'
import { WireReader } from '../../../src/broker/protocol/wire-reader.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'
import { MillraceError } from '../../../src/errors.ts'
import { messageArbitrary } from './message-arbitrary.ts'

const kinds = apis.flatMap((api) => {
  const { from, to } = versionRange(api.versions)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i).flatMap((version) => {
    const flexible = includesVersion(versionRange(api.flexible), version)
    return [api.request, api.response].map((fields) => ({ fields: fields as Fields, version, flexible }))
  })
})

const anyMessage = fc
  .constantFrom(...kinds)
  .chain((kind) => messageArbitrary(kind.fields, kind.version).map((value) => ({ ...kind, value })))

function written({ fields, version, flexible }: (typeof kinds)[number], value: unknown): Buffer {
  const writer = new WireWriter()
  messageCodec(fields, version, flexible).write(writer, value as never)
  return Buffer.concat(writer.pieces())
}

function read({ fields, version, flexible }: (typeof kinds)[number], bytes: Buffer): unknown {
  return messageCodec(fields, version, flexible).read(new WireReader(bytes))
}

/** How many values a message was made into, arrays and structs counted too. */
function sizeOf(value: unknown): number {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 1)
}

describe('MessageCodec', () => {
  it('reads what it wrote, whatever the message', () => {
    fc.assert(
      fc.property(anyMessage, ({ value, ...kind }) => {
        expect(read(kind, written(kind, value))).toMatchObject(value)
      }),
      { numRuns: 500 },
    )
  })

  it('reads damaged messages to a value or a clear error, and never makes much of few bytes', () => {
    const damage = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'huge', 'splice'),
      byte: fc.nat(255),
    })
    fc.assert(
      fc.property(anyMessage, fc.array(damage, { minLength: 1, maxLength: 4 }), ({ value, ...kind }, damages) => {
        let bytes = Buffer.from(written(kind, value))
        for (const { at, kind: how, byte } of damages) {
          if (bytes.length === 0) continue
          const position = at % bytes.length
          if (how === 'flip') bytes[position] = byte
          else if (how === 'cut') bytes = bytes.subarray(0, position)
          else if (how === 'huge') bytes.fill(0x7f, position, Math.min(position + 4, bytes.length))
          else bytes = Buffer.concat([bytes.subarray(position), bytes])
        }
        try {
          const result = read(kind, bytes)
          // Fields that the version does not have come as defaults, a fixed number of them for each struct that was read.
          expect(sizeOf(result)).toBeLessThan(200 + 40 * bytes.length)
          expect(read(kind, written(kind, result))).toEqual(result)
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error
          expect(['MALFORMED_MESSAGE', 'NUMBER_OUT_OF_RANGE']).toContain(error.code)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('judges announced counts by the bytes that are there', () => {
    const codec = messageCodec(metadata.request, 1, false)
    expect(() => codec.read(new WireReader(Buffer.from('7fffffff0000', 'hex')))).toThrow(
      /2147483647 elements do not fit/,
    )
    expect(() => codec.read(new WireReader(Buffer.from('fffffffe', 'hex')))).toThrow(/a length is -2/)
    expect(codec.read(new WireReader(Buffer.from('ffffffff', 'hex'))).topics).toBeNull()
    expect(() => messageCodec(metadata.request, 0, false).read(new WireReader(Buffer.from('ffffffff', 'hex')))).toThrow(
      /null that must not be/,
    )
  })

  it('skips tagged fields that it does not know, and refuses lengths of them that lie', () => {
    const codec = messageCodec(metadata.request, 12, true)
    const plain = Buffer.from(`02${'00'.repeat(16)}0261000100`, 'hex')
    const tagged = (tail: string): Buffer => Buffer.concat([plain, Buffer.from(tail, 'hex')])
    const known = codec.read(new WireReader(tagged('00')))
    expect(known.topics?.[0]?.name).toBe('a')
    expect(codec.read(new WireReader(tagged('01' + '63' + '02' + 'ffff')))).toEqual(known)
    expect(() => codec.read(new WireReader(tagged('01' + '63' + '05' + 'ffff')))).toThrow(/5 bytes are announced/)
    expect(() => codec.read(new WireReader(tagged('7f' + '6302')))).toThrow(/127 tagged fields do not fit/)
  })

  it('passes record batches on without copying them', () => {
    const batch = Buffer.alloc(4096, 7)
    const writer = new WireWriter()
    const partition = {
      partitionIndex: 0,
      errorCode: 0,
      highWatermark: 9,
      records: [batch.subarray(0, 2048), batch.subarray(2048)],
    }
    messageCodec(fetch.response, 4, false).write(writer, { responses: [{ topic: 't', partitions: [partition] }] })
    const pieces = writer.pieces()
    expect(pieces.filter((piece) => piece.buffer === batch.buffer)).toHaveLength(2)
    const message = Buffer.concat(pieces)
    expect(message.length).toBe(writer.size)
    const [topic] = messageCodec(fetch.response, 4, false).read(new WireReader(message)).responses
    expect(topic?.partitions[0]?.records?.equals(batch)).toBe(true)
    expect(topic?.partitions[0]?.records?.buffer).toBe(message.buffer)
  })
})
