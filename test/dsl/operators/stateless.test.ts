import { describe, expect, it } from 'vitest'
import * as operators from '../../../src/dsl/operators/stateless.ts'
import { FlowRecord } from '../../../src/topology/flow-record.ts'
import type { Processor } from '../../../src/topology/processor.ts'
import { noting, number, text } from '../../topology/topology-fixtures.ts'

describe('a stateless operator', () => {
  it('passes on what filter keeps, and filterNot what it does not', () => {
    const above = (value: unknown) => (value as number) > 5
    expect(run(operators.filter(above, true), 'k', 6).seen).toHaveLength(1)
    expect(run(operators.filter(above, true), 'k', 5).seen).toHaveLength(0)
    expect(run(operators.filter(above, false), 'k', 5).seen).toHaveLength(1)
  })

  it('hands on new values, keys or both', () => {
    const add = (value: unknown) => (value as number) + 1
    expect(run(operators.mapValues(add), 'k', 1).seen).toEqual([{ key: 'k', value: 2, timestamp: 7 }])
    expect(
      run(
        operators.selectKey((value, key) => `${key}${value}`),
        'k',
        1,
      ).seen,
    ).toEqual([{ key: 'k1', value: 1, timestamp: 7 }])
    expect(
      run(
        operators.map((value, key) => [value, key]),
        'k',
        1,
      ).seen,
    ).toEqual([{ key: 1, value: 'k', timestamp: 7 }])
  })

  it('hands on any number of records', () => {
    expect(
      run(
        operators.flatMapValues((value) => [value, null]),
        'k',
        1,
      ).seen,
    ).toEqual([
      { key: 'k', value: 1, timestamp: 7 },
      { key: 'k', value: null, timestamp: 7 },
    ])
    expect(
      run(
        operators.flatMap((value, key) => [
          [value, key],
          [key, value],
        ]),
        'k',
        1,
      ).seen,
    ).toEqual([
      { key: 1, value: 'k', timestamp: 7 },
      { key: 'k', value: 1, timestamp: 7 },
    ])
    expect(
      run(
        operators.flatMap(() => []),
        'k',
        1,
      ).seen,
    ).toEqual([])
  })

  it('counts undefined as absent', () => {
    expect(
      run(
        operators.map(() => [undefined, undefined]),
        'k',
        1,
      ).seen,
    ).toEqual([{ key: null, value: null, timestamp: 7 }])
  })

  it.each([
    ['mapValues', operators.mapValues(() => 9)],
    ['flatMapValues', operators.flatMapValues(() => [8, 9])],
    ['map', operators.map(() => ['other', 9])],
    [
      'flatMap',
      operators.flatMap(() => [
        ['other', 8],
        ['another', 9],
      ]),
    ],
    ['selectKey', operators.selectKey(() => 'other')],
    ['toStream', operators.tableToStream],
  ])('%s leaves the record to its siblings as it found it, bytes included', (_, create) => {
    const record = encoded('k', 1)
    record.oldValue = 'before'
    runOn(create, record)
    expect(record.keyStart).toBe(0)
    expect(record.valueStart).toBe(1)
    expect(record.keySerde).toBe(text)
    expect(record.valueSerde).toBe(number)
    expect(record.oldValue).toBe('before')
    expect([record.key(), record.value(), record.timestamp]).toEqual(['k', 1, 7])
  })

  it('does not decode a key that the function does not read', () => {
    const record = encoded('k', 1)
    record.keySerde = {
      ...text,
      read: () => {
        throw new Error('decoded the key')
      },
    }
    expect(() =>
      runOn(
        operators.filter((value) => value === 0, true),
        record,
      ),
    ).not.toThrow()
    expect(() =>
      runOn(
        operators.filter((_value, key) => key === 'k', true),
        record,
      ),
    ).toThrow('decoded the key')
  })

  it('says where the record is before it calls the function', () => {
    const record = encoded('k', 1)
    const fail = () => {
      throw new Error('no')
    }
    expect(() => runOn(operators.mapValues(fail), record)).toThrow('no')
    expect(record.operator).toBe('the-operator')
  })

  it.each([
    ['flatMapValues', operators.flatMapValues(() => 'abc' as unknown as string[])],
    ['flatMap', operators.flatMap(() => ['ab'] as unknown as [string, string][])],
    ['map', operators.map(() => null as unknown as [string, string])],
  ])('%s refuses what is not a list', (_, create) => {
    expect(() => run(create, 'k', 1)).toThrow(/^The function returned (string|null) \(operator the-operator\)\./)
  })

  it('lets peek see the record and hands it on', () => {
    const peeked: unknown[] = []
    const { seen } = run(
      operators.peek((value, key) => void peeked.push(key, value)),
      'k',
      1,
    )
    expect(peeked).toEqual(['k', 1])
    expect(seen).toHaveLength(1)
  })

  it('drops records without a key before a repartition topic, and counts them', () => {
    const record = encoded('k', 1)
    record.setKey(null)
    expect(runOn(operators.dropNullKeys, record)).toMatchObject({ seen: [], drops: ['null-key'] })
    expect(run(operators.dropNullKeys, 'k', 1)).toMatchObject({ seen: [{ key: 'k' }], drops: [] })
  })
})

function run(create: () => Processor, key: string, value: number): ReturnType<typeof noting> {
  return runOn(create, encoded(key, value))
}

function runOn(create: () => Processor, record: FlowRecord): ReturnType<typeof noting> {
  const notes = noting('the-operator')
  const processor = create()
  processor.init?.(notes.context)
  processor.process(record)
  return notes
}

function encoded(key: string, value: number): FlowRecord {
  const bytes = Buffer.alloc(9)
  bytes.write(key)
  bytes.writeDoubleBE(value, 1)
  const record = new FlowRecord()
  record.timestamp = 7
  record.loadKey(bytes, 0, 1, text)
  record.loadValue(bytes, 1, 9, number)
  return record
}
