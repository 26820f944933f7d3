import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { MillraceError, type Serde, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

interface Reading {
  celsius: number
  site?: string | undefined
}

const schemas = {
  zod: z.object({ celsius: z.number(), site: z.string().optional() }),
  valibot: v.object({ celsius: v.number(), site: v.optional(v.string()) }),
  arktype: type({ celsius: 'number', 'site?': 'string' }),
}

const fromText = <T>(one: Serde<T>, text: string): T => one.read(Buffer.from(text), 0, Buffer.byteLength(text))

function textOf<T>(one: Serde<T>, value: T): string {
  const out = new ByteWriter(16)
  one.write(value, out)
  return out.toBuffer().toString()
}

function failureOf(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    if (error instanceof MillraceError) return error
  }
  throw new Error('no MillraceError was thrown')
}

describe.each([
  ['zod', serde.json(schemas.zod)],
  ['valibot', serde.json(schemas.valibot)],
  ['arktype', serde.json(schemas.arktype)],
] as const)('serde.json of a schema of %s', (vendor, one) => {
  it('reads what the schema allows, and writes it as JSON', () => {
    const reading: Reading = fromText(one, '{"celsius":21.5}')
    expect(reading).toEqual({ celsius: 21.5 })
    expect(textOf(one, { celsius: 21.5, site: 'attic' })).toBe('{"celsius":21.5,"site":"attic"}')
  })

  it('refuses what it does not, saying where', () => {
    const failure = failureOf(() => fromText(one, '{"celsius":"warm"}'))
    expect(failure.code).toBe('SERDE_FAILED')
    expect(failure.message).toContain(`json (${vendor})`)
    expect(failure.message).toContain('celsius')
    expect(failureOf(() => fromText(one, 'null')).code).toBe('SERDE_FAILED')
    expect(failureOf(() => fromText(one, '{"celsius":')).message).toContain('JSON text')
  })
})

describe('serde.json of a schema', () => {
  it('infers the output type of each library', () => {
    expectTypeOf(serde.json(schemas.zod)).toEqualTypeOf<Serde<{ celsius: number; site?: string | undefined }>>()
    expectTypeOf(serde.json(schemas.valibot)).toEqualTypeOf<Serde<{ celsius: number; site?: string | undefined }>>()
    expectTypeOf(serde.json(schemas.arktype)).toEqualTypeOf<Serde<{ celsius: number; site?: string }>>()
    expectTypeOf(serde.json<Reading>()).toEqualTypeOf<Serde<Reading>>()
  })

  it('applies what the schema makes of the input, and asks for the way back', () => {
    const dates = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })
    // @ts-expect-error what is written could not be read again
    serde.json(dates)
    const one = serde.json(dates, { toInput: ({ at }) => ({ at: at.toISOString() }) })
    expectTypeOf(one).toEqualTypeOf<Serde<{ at: Date }>>()
    const at = new Date('2026-01-02T03:04:05.000Z')
    expect(textOf(one, { at })).toBe('{"at":"2026-01-02T03:04:05.000Z"}')
    expect(fromText(one, textOf(one, { at }))).toEqual({ at })
    const failing = serde.json(dates, {
      toInput: () => {
        throw new RangeError('no way back')
      },
    })
    expect(failureOf(() => textOf(failing, { at })).message).toContain('no way back')
  })

  it('names at most three faults of a value', () => {
    const many = z.object({ a: z.number(), b: z.number(), c: z.number(), d: z.number() })
    expect(failureOf(() => fromText(serde.json(many), '{}')).message).toMatch(/a: .*; b: .*; c: .* and 1 more/)
  })

  it('refuses schemas that validate asynchronously or throw', () => {
    const late = z.string().refine(async (text) => text !== '')
    expect(failureOf(() => fromText(serde.json(late), '"x"')).code).toBe('SERDE_FAILED')
    const rejecting: StandardSchemaV1<string> = {
      '~standard': { version: 1, vendor: 'own', validate: () => Promise.reject(new Error('late')) },
    }
    expect(failureOf(() => fromText(serde.json(rejecting), '"x"')).message).toContain('asynchronously')
    const throwing: StandardSchemaV1<string> = {
      '~standard': {
        version: 1,
        vendor: 'own',
        validate() {
          throw new Error('broken schema')
        },
      },
    }
    expect(failureOf(() => fromText(serde.json(throwing), '"x"')).message).toContain('broken schema')
  })

  it('keeps a bad record out of an application, which says where it lies', async () => {
    const readings = topic('readings', { key: serde.string, value: serde.json(schemas.zod) })
    const builder = new StreamsBuilder()
    builder
      .stream(readings)
      .mapValues((reading) => {
        expectTypeOf(reading.celsius).toEqualTypeOf<number>()
        return reading.celsius
      })
      .to(topic('celsius', { key: serde.string, value: serde.float64 }))
    using driver = new TopologyTestDriver(builder.build())
    driver.input(readings).pipe({ key: 'a', value: { celsius: 20 }, timestamp: 1 })
    const untyped = topic('readings', { key: serde.string, value: serde.json<unknown>() })
    const failure = failureOf(() => driver.input(untyped).pipe({ key: 'a', value: { celsius: null }, timestamp: 2 }))
    expect(failure).toMatchObject({ code: 'SERDE_FAILED', at: { topic: 'readings', partition: 0, offset: 1 } })
  })
})
