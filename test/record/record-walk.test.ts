import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import * as format from '../../src/record/batch-format.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'
import { type RecordFault, RecordWalk } from '../../src/record/record-walk.ts'
import { readVarint, varintEnd, writeVarint, writeVarlong } from '../../src/record/varint.ts'
import { type RecordToWrite, recordsToWrite, writeBatch } from './plain-record.ts'

const walk = new RecordWalk()
const time = 1_700_000_000_000

function walkOver(batch: Buffer): RecordFault | undefined {
  const { batchHeaderBytes, baseTimestampOf, recordCountOf } = format
  return walk.walk(batch, batchHeaderBytes, batch.length, recordCountOf(batch, 0), baseTimestampOf(batch, 0))
}

/** How many records a reader finds in a batch; undefined where it refuses it. */
function countRead(batch: Buffer): number | undefined {
  const reader = new BatchReader()
  let count = 0
  try {
    reader.reset(batch)
    while (reader.nextBatch()) while (reader.next()) count++
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
  return count
}

type FieldName = 'length' | 'timestamp' | 'offset' | 'key length' | 'value length' | 'headers' | 'of a header'

interface Field {
  readonly name: FieldName
  readonly start: number
  readonly end: number
}

/** Where the varints of the records are that our own builder has written. */
function fieldsOf(batch: Buffer): Field[] {
  const fields: Field[] = []
  let position: number = format.batchHeaderBytes
  const next = (name: FieldName): number => {
    const start = position
    position = varintEnd(batch, start)
    fields.push({ name, start, end: position })
    return name === 'timestamp' ? 0 : readVarint(batch, start, batch.length)
  }
  const nextWithBytes = (name: FieldName): void => {
    const length = next(name)
    position += Math.max(length, 0)
  }
  while (position < batch.length) {
    next('length')
    position++
    next('timestamp')
    next('offset')
    nextWithBytes('key length')
    nextWithBytes('value length')
    for (let left = next('headers') * 2; left > 0; left--) nextWithBytes('of a header')
  }
  return fields
}

/** The batch with other bytes in place of some, its length and checksum right. */
function withBytes(batch: Buffer, start: number, end: number, bytes: Uint8Array): Buffer {
  const changed = Buffer.concat([batch.subarray(0, start), bytes, batch.subarray(end)])
  changed.writeInt32BE(changed.length - format.uncountedBytes, format.batchLengthAt)
  changed.writeUInt32BE(format.computeChecksum(changed, 0), format.checksumAt)
  return changed
}

/** The batch with another number in place of the n-th one of the name. */
function withField(batch: Buffer, name: FieldName, n: number, value: number): Buffer {
  const { start, end } = fieldsOf(batch).filter((field) => field.name === name)[n] as Field
  const encoded = Buffer.alloc(10)
  const size = name === 'timestamp' ? writeVarlong(encoded, 0, value) : writeVarint(encoded, 0, value)
  return withBytes(batch, start, end, encoded.subarray(0, size))
}

function record(part: Partial<RecordToWrite> = {}): RecordToWrite {
  return { timestamp: time, key: Buffer.from('key'), value: Buffer.from('value'), headers: [], ...part }
}

const three = writeBatch([record(), record({ headers: [{ key: 'h', value: Buffer.from('v') }] }), record()])

const lies: readonly (readonly [what: string, batch: Buffer, record: number, reason: RegExp])[] = [
  ['a record runs over the next one', withField(three, 'length', 0, 20), 0, /more than its fields/],
  ['a record runs over the end', withField(three, 'length', 2, 15), 2, /15 bytes, of which 14 are there/],
  ['a record ends inside of its fields', withField(three, 'length', 1, 10), 1, /value|headers|cut off|more than/],
  ['a record is shorter than any', withField(three, 'length', 0, 5), 0, /length cannot be 5/],
  ['a record has less than no bytes', withField(three, 'length', 1, -1), 1, /length cannot be -1/],
  ['a record has as many bytes as can be written', withField(three, 'length', 0, 0x7fff_ffff), 0, /2147483647 bytes/],
  ['the offsets begin at 1', withField(three, 'offset', 0, 1), 0, /offset delta is 1/],
  ['an offset is left out', withField(three, 'offset', 1, 2), 1, /offset delta is 2/],
  ['an offset is there twice', withField(three, 'offset', 1, 0), 1, /offset delta is 0/],
  ['an offset is below the first', withField(three, 'offset', 2, -1), 2, /offset delta is -1/],
  ['a key has less than no bytes', withField(three, 'key length', 0, -2), 0, /key has -2 bytes/],
  ['a key is longer than its record', withField(three, 'key length', 2, 100), 2, /key has 100 bytes/],
  ['a key is as long as can be written', withField(three, 'key length', 0, 0x7fff_ffff), 0, /key has 2147483647 bytes/],
  ['a value has less than no bytes', withField(three, 'value length', 1, -5), 1, /value has -5 bytes/],
  ['a value is longer than its record', withField(three, 'value length', 1, 63), 1, /value has 63 bytes/],
  ['a record has fewer than no headers', withField(three, 'headers', 0, -1), 0, /-1 headers/],
  ['a record has a header more than it has', withField(three, 'headers', 0, 1), 0, /headers|cut off/],
  ['a record has a header fewer than it has', withField(three, 'headers', 1, 0), 1, /more than its fields/],
  [
    'a record has as many headers as can be written',
    withField(three, 'headers', 2, 0x7fff_ffff),
    2,
    /2147483647 headers|cut off/,
  ],
  ['a header has no key', withField(three, 'of a header', 0, -1), 1, /key takes -1 bytes/],
  ['the key of a header is longer than its record', withField(three, 'of a header', 0, 40), 1, /key takes 40 bytes/],
  ['the value of a header has less than no bytes', withField(three, 'of a header', 1, -2), 1, /value takes -2 bytes/],
  ['the value of a header is longer than its record', withField(three, 'of a header', 1, 9), 1, /value takes 9 bytes/],
  ['bytes follow the last record', withBytes(three, three.length, three.length, Buffer.alloc(3)), 2, /3 bytes follow/],
  [
    'the last record is missing',
    withBytes(
      three,
      (fieldsOf(three).filter(({ name }) => name === 'length')[2] as Field).start,
      three.length,
      Buffer.alloc(0),
    ),
    2,
    /cut off/,
  ],
  [
    'an integer has more than 32 bits',
    withBytes(three, format.batchHeaderBytes, format.batchHeaderBytes + 1, Buffer.alloc(6, 0xff)),
    0,
    /more than 32 bits/,
  ],
]

describe('the walk over the records of a batch', () => {
  it.each(lies)('finds that %s', (_, batch, wrong, reason) => {
    const fault = walkOver(batch)
    expect(fault).toMatchObject({ record: wrong, isOfTimestamp: false })
    expect(fault?.reason).toMatch(reason)
    expect(countRead(batch)).toBeUndefined()
  })

  it('finds timestamps that no number holds', () => {
    const [first] = fieldsOf(three).filter(({ name }) => name === 'timestamp') as [Field]
    const longest = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
    for (const batch of [
      withBytes(withField(three, 'length', 0, 23), first.start, first.end, longest),
      withField(withField(three, 'length', 0, 21), 'timestamp', 0, Number.MAX_SAFE_INTEGER),
    ]) {
      expect(walkOver(batch)).toMatchObject({ record: 0, isOfTimestamp: true })
      expect(countRead(batch)).toBeUndefined()
    }
  })

  it('takes whatever our builder has written, and knows its times and whether all have keys', () => {
    fc.assert(
      fc.property(recordsToWrite, (records) => {
        const batch = writeBatch(records)
        expect(walkOver(batch)).toBeUndefined()
        const times = records.map(({ timestamp }) => timestamp)
        const set = times.filter((timestamp) => timestamp !== -1)
        expect(walk).toMatchObject({
          latestTimestamp: Math.max(...times),
          latestRecord: times.indexOf(Math.max(...times)),
          earliestTimestamp: Math.min(...set),
          earliestRecord: times.indexOf(Math.min(...set)),
          keylessRecord: records.findIndex(({ key }) => key === null),
        })
      }),
    )
  })

  it('takes a batch in which one integer was changed only where a reader finds all of its records', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 70 }),
      fc.integer({ min: -9_000, max: 9_000 }),
      fc.integer(),
      fc.constantFrom(0x7fff_ffff, -0x8000_0000),
    )
    let taken = 0
    fc.assert(
      fc.property(recordsToWrite, fc.nat(), value, (records, choice, changed) => {
        const batch = writeBatch(records)
        const fields = fieldsOf(batch)
        const { name } = fields[choice % fields.length] as Field
        const n = fields.slice(0, choice % fields.length).filter((field) => field.name === name).length
        const other = withField(batch, name, n, changed)
        const isTaken = walkOver(other) === undefined
        if (isTaken) taken++
        expect(isTaken ? records.length : undefined).toBe(countRead(other))
      }),
      { numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(0)
  })

  it('takes a batch in which any bytes were changed only where a reader finds all of its records', () => {
    const bytes = fc.uint8Array({ maxLength: 11 })
    fc.assert(
      fc.property(recordsToWrite, fc.nat(), fc.nat(3), bytes, (records, choice, removed, inserted) => {
        const batch = writeBatch(records)
        const start = format.batchHeaderBytes + (choice % (batch.length - format.batchHeaderBytes))
        const other = withBytes(batch, start, Math.min(start + removed, batch.length), inserted)
        expect(walkOver(other) === undefined ? records.length : undefined).toBe(countRead(other))
      }),
      { numRuns: 2_000 },
    )
  })
})
