import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import type { MillraceError } from '../../src/errors.ts'
import type { Serde, ValueOf } from '../../src/serde/serde.ts'
import { serde } from '../../src/serde/serdes.ts'
import { isWindowedSerde } from '../../src/serde/windowed-serde.ts'
import type { Windowed } from '../../src/windowed.ts'

function encode<T>(one: Serde<T>, value: T): Buffer {
  const out = new ByteWriter(1)
  one.write(value, out)
  return out.toBuffer()
}

/** Reads from the middle of other bytes, which are wiped afterwards: a serde must not keep the buffer. */
function decode<T>(one: Serde<T>, bytes: Buffer): T {
  const around = Buffer.concat([Buffer.from('7{'), bytes, Buffer.from('}7')])
  const value = one.read(around, 2, 2 + bytes.length)
  around.fill(0xee)
  return value
}

function roundTrips<T>(one: Serde<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decode(one, encode(one, value))).toEqual(value)
    }),
  )
}

function failure(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toMatchObject({ name: 'MillraceError', code: 'SERDE_FAILED' })
    return (error as MillraceError).message
  }
  return 'no error'
}

const hexOf = <T>(one: Serde<T>, value: T): string => encode(one, value).toString('hex')

describe('serde', () => {
  it('writes the bytes that the serializers of Apache Kafka 4.1.0 write', () => {
    expect(hexOf(serde.string, 'Zürich 🌊')).toBe('5ac3bc7269636820f09f8c8a')
    expect(hexOf(serde.int32, -123_456_789)).toBe('f8a432eb')
    expect(hexOf(serde.int64, -9_007_199_254_740_993n)).toBe('ffdfffffffffffff')
    expect(hexOf(serde.float64, -1234.5678)).toBe('c0934a456d5cfaad')
    expect(hexOf(serde.boolean, true)).toBe('01')
    const window = { start: 1_700_000_000_000, end: 1_700_000_060_000 }
    expect(hexOf(serde.windowed(serde.string), { key: 'key', window })).toBe('6b6579' + '0000018bcfe56800')
    const session = { start: 1_700_000_000_000, end: 1_700_000_012_345 }
    expect(hexOf(serde.sessionWindowed(serde.string), { key: 'key', window: session })).toBe(
      '6b6579' + '0000018bcfe59839' + '0000018bcfe56800',
    )
  })

  it('reads what it wrote', () => {
    roundTrips(serde.string, fc.oneof(fc.string({ maxLength: 14 }), fc.string({ unit: 'grapheme' })))
    roundTrips(
      serde.bytes,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    roundTrips(serde.int32, fc.integer())
    roundTrips(serde.int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    roundTrips(serde.float64, fc.double())
    roundTrips(serde.boolean, fc.boolean())
    roundTrips(
      serde.json<unknown>(),
      fc.jsonValue({ noUnicodeString: false }).filter((value) => !hasNegativeZero(value)),
    )
  })

  it('infers the types of values', () => {
    expectTypeOf<ValueOf<typeof serde.int64>>().toEqualTypeOf<bigint>()
    expectTypeOf(serde.json<{ at: number }>()).toEqualTypeOf<Serde<{ at: number }>>()
    expectTypeOf(serde.windowed(serde.string).inner).toEqualTypeOf<Serde<string>>()
    const dates = serde.of({ name: 'date', encode: (date: Date) => Buffer.from(date.toISOString()), decode: toDate })
    expectTypeOf(dates).toEqualTypeOf<Serde<Date>>()
  })

  it('names itself and what is wrong with the bytes', () => {
    const three = Buffer.from('abc')
    expect(failure(() => decode(serde.int32, three))).toBe(
      "The serde 'int32' could not read the bytes: there are 3, not 4.",
    )
    expect(failure(() => decode(serde.int64, three))).toMatch(/'int64'.*there are 3, not 8/)
    expect(failure(() => decode(serde.float64, three))).toMatch(/'float64'.*there are 3, not 8/)
    expect(failure(() => decode(serde.boolean, three))).toMatch(/'boolean'.*there are 3, not 1/)
    expect(failure(() => decode(serde.boolean, Buffer.of(2)))).toMatch(/the byte is 2/)
    expect(failure(() => decode(serde.json(), three))).toMatch(/'json'.*not JSON text: "abc"/)
    expect(failure(() => decode(serde.json(), Buffer.from('')))).toMatch(/not JSON text: ""/)
    expect(failure(() => decode(serde.json(), Buffer.from(`{"a":${'x'.repeat(500)}`)))).toMatch(
      /"{\\"a\\":x+\.\.\. \(505 bytes\)"/,
    )
    expect(failure(() => decode(serde.windowed(serde.string), three))).toMatch(
      /'windowed\(string\)'.*there are 3.*takes 8/,
    )
    expect(failure(() => decode(serde.sessionWindowed(serde.int32), three))).toMatch(
      /'sessionWindowed\(int32\)'.*takes 16/,
    )
    const beyond = Buffer.alloc(8, 0x7f)
    expect(failure(() => decode(serde.windowed(serde.string), beyond))).toMatch(/'windowed\(string\)'.*2\^53 - 1/)
  })

  it('names itself and what is wrong with the value', () => {
    const wrong = (value: unknown): never => value as never
    expect(failure(() => encode(serde.string, wrong(7)))).toMatch(
      /'string' could not write the value: it is the number 7/,
    )
    expect(failure(() => encode(serde.bytes, wrong('text')))).toMatch(/'bytes'.*the string 'text'/)
    expect(failure(() => encode(serde.int32, 2 ** 31))).toMatch(/'int32'.*2147483648 is not a 32-bit integer/)
    expect(failure(() => encode(serde.int32, 0.5))).toMatch(/'int32'/)
    expect(failure(() => encode(serde.int64, 2n ** 63n))).toMatch(/'int64'.*9223372036854775808/)
    expect(failure(() => encode(serde.int64, wrong(1)))).toMatch(/'int64'.*the number 1/)
    expect(failure(() => encode(serde.float64, wrong(1n)))).toMatch(/'float64'.*the bigint 1/)
    expect(failure(() => encode(serde.boolean, wrong({})))).toMatch(/'boolean'.*an object \(Object\)/)
    expect(failure(() => encode(serde.json(), () => 1))).toMatch(/'json'.*has no JSON form/)
    expect(failure(() => encode(serde.json(), { big: 1n }))).toMatch(/'json'.*BigInt/)
    // JSON.stringify makes {} of these.
    for (const value of [new Map([['a', 1]]), new Set([1]), Promise.resolve(1)]) {
      expect(failure(() => encode(serde.json(), value))).toMatch(/an object \((Map|Set|Promise)\) has no JSON form/)
    }
    expect(failure(() => encode(serde.json(), {}))).toBe('no error')
    const unending = { key: 'k', window: { start: Number.POSITIVE_INFINITY, end: 0 } }
    expect(failure(() => encode(serde.windowed(serde.string), unending))).toMatch(/'windowed\(string\)'.*Infinity/)
  })
})

describe('windowed serdes', () => {
  const window = { start: 1_000, end: 61_000 }

  it('read the end of a time window from its size, or without one as far as it can be', () => {
    const sized = serde.windowed(serde.string, { size: '1m' })
    expect(decode(sized, encode(sized, { key: 'k', window }))).toEqual({ key: 'k', window })
    const unsized = serde.windowed(serde.string)
    const read = decode(unsized, encode(unsized, { key: 'k', window }))
    expect(read).toEqual({ key: 'k', window: { start: 1_000, end: Number.MAX_SAFE_INTEGER } })
  })

  it('read both bounds of a session', () => {
    roundTrips(
      serde.sessionWindowed(serde.int32),
      fc.record({ key: fc.integer(), window: fc.record({ start: fc.maxSafeNat(), end: fc.maxSafeNat() }) }),
    )
  })

  it.each([serde.windowed(serde.string), serde.sessionWindowed(serde.string)])(
    'let raw key bytes and a window be written as the key would be: $name',
    (one) => {
      const out = new ByteWriter()
      out.writeBytes(encode(one.inner, 'raw'))
      one.writeWindow(window.start, window.end, out)
      expect(out.toBuffer()).toEqual(encode(one, { key: 'raw', window }))
    },
  )

  it('are told from others', () => {
    expect(isWindowedSerde(serde.windowed(serde.string))).toBe(true)
    expect(isWindowedSerde(serde.sessionWindowed(serde.string))).toBe(true)
    expect(isWindowedSerde(serde.string)).toBe(false)
    expectTypeOf<ValueOf<ReturnType<typeof serde.windowed<string>>>>().toEqualTypeOf<Windowed<string>>()
  })
})

describe('serde.of', () => {
  it('is a serde of two functions', () => {
    const dates = serde.of({ name: 'date', encode: (date: Date) => Buffer.from(date.toISOString()), decode: toDate })
    roundTrips(dates, fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }))
    expect(dates.name).toBe('date')
  })

  it('gives the decoder bytes that it may keep', () => {
    const kept = serde.of({ name: 'kept', encode: (bytes: Buffer) => bytes, decode: (bytes) => bytes })
    expect(decode(kept, Buffer.from('stays')).toString()).toBe('stays')
  })

  it('reports what the functions throw or wrongly return', () => {
    const broken = serde.of<string>({
      name: 'broken',
      encode: (text) => {
        if (text === 'text') return text as never
        throw new Error('no such text')
      },
      decode: () => {
        throw new Error('no such bytes')
      },
    })
    expect(failure(() => decode(broken, Buffer.from('x')))).toMatch(/'broken' could not read the bytes: no such bytes/)
    expect(failure(() => encode(broken, 'x'))).toMatch(/'broken' could not write the value: no such text/)
    expect(failure(() => encode(broken, 'text'))).toMatch(/encode returned the string 'text', not bytes/)
  })
})

function toDate(bytes: Buffer): Date {
  return new Date(bytes.toString())
}

/** JSON writes -0 as 0. */
function hasNegativeZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasNegativeZero)
  return Object.is(value, -0)
}
