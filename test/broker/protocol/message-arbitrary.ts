import fc from 'fast-check'
import type { Fields, Primitive, WireType } from '../../../src/broker/protocol/field.ts'
import { includesVersion, versionRange } from '../../../src/broker/protocol/version-range.ts'

const primitives: Record<Primitive, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  int64: fc.maxSafeInteger(),
  float64: fc.double({ noNaN: true }),
  string: fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => text.isWellFormed()),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  records: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
}

/** Messages of one version: every field that the version has, with any value. */
export function messageArbitrary(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const present = Object.entries(fields).filter(([, [, versions]]) => includesVersion(versionRange(versions), version))
  return fc.record(
    Object.fromEntries(
      present.map(([name, [type, , options]]) => {
        const value = typeArbitrary(type, version)
        const nullable = options?.nullable !== undefined && includesVersion(versionRange(options.nullable), version)
        return [name, nullable ? fc.option(value, { nil: null, freq: 3 }) : value]
      }),
    ),
  )
}

function typeArbitrary(type: WireType, version: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return primitives[type]
  if (isArray(type)) return fc.array(typeArbitrary(type[0], version), { maxLength: 2 })
  return messageArbitrary(type, version)
}

function isArray(type: WireType): type is readonly [WireType] {
  return Array.isArray(type)
}
