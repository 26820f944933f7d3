import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import '../../src/testing/vitest-matchers.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })
const header = { key: 'trace', value: Buffer.from('a') }

function copying(): TopologyTestDriver {
  const builder = new StreamsBuilder()
  builder
    .stream(words)
    .groupByKey()
    .reduce((_, value) => value)
    .toStream()
    .to(texts)
  const driver = new TopologyTestDriver(builder.build())
  const input = driver.input(words)
  input.pipe({ key: 'a', value: 'one', timestamp: 1, headers: [header] })
  input.pipe({ key: 'b', value: 'two', timestamp: 2 })
  input.pipe({ key: 'a', value: 'three', timestamp: 3 })
  input.pipe({ key: null, value: 'lost', timestamp: 4 })
  return driver
}

describe('expect(output)', () => {
  it('.toHaveRecords compares what is given of each record, and reads them', () => {
    using driver = copying()
    const output = driver.output(texts)
    expect(output).toHaveRecords([
      { key: 'a', value: 'one', timestamp: 1, headers: [header] },
      { value: 'two', headers: [] },
      { timestamp: 3 },
    ])
    expect(output).toHaveRecords([])
    expect(output.isEmpty).toBe(true)
  })

  it.each([
    [[{ value: 'one' }, { value: 'two' }]],
    [[{ value: 'one' }, { value: 'two' }, { value: 'three' }, { value: 'four' }]],
    [[{ value: 'two' }, { value: 'one' }, { value: 'three' }]],
    [[{ value: 'one', headers: [] }, { value: 'two' }, { value: 'three' }]],
  ])('.toHaveRecords fails for others: %j', (records) => {
    using driver = copying()
    expect(() => expect(driver.output(texts)).toHaveRecords(records)).toThrow('to have these records next')
    using other = copying()
    expect(other.output(texts)).not.toHaveRecords(records)
  })

  it('.toHaveTable compares the last values of keys', () => {
    using driver = copying()
    expect(driver.output(texts)).toHaveTable([
      ['b', 'two'],
      ['a', 'three'],
    ])
    using other = copying()
    expect(() => expect(other.output(texts)).toHaveTable([['a', 'three']])).toThrow('to have these rows')
  })

  it('refuses what is no output', () => {
    expect(() => (expect([]) as unknown as { toHaveRecords(records: []): void }).toHaveRecords([])).toThrow(
      'toHaveRecords was given something else',
    )
  })
})

describe('expect(driver)', () => {
  it('.toHaveDrops compares what was dropped', () => {
    using driver = copying()
    const drop = { operator: 'KSTREAM-REDUCE-0000000002', reason: 'null-key', count: 1 } as const
    expect(driver).toHaveDrops([drop])
    expect(driver).not.toHaveDrops([])
    expect(() => expect(driver).toHaveDrops([{ ...drop, count: 2 }])).toThrow('these drops and no others')
  })
})
