import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, topic } from '../../src/index.ts'
import { type TestInputOptions, TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import '../../src/testing/vitest-matchers.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })

function copying(options?: TestInputOptions) {
  const builder = new StreamsBuilder()
  builder.stream(words).to(texts)
  const driver = new TopologyTestDriver(builder.build(), { startMs: 1_000 })
  return { driver, input: driver.input(words, options), output: driver.output(texts) }
}

describe('an input', () => {
  it('pipes keys and values, or values alone, at the time of the clock', () => {
    const { driver, input, output } = copying()
    input.pipeKeyValues([
      ['k', 'a'],
      [null, null],
    ])
    driver.advanceWallClockTime(5)
    input.pipeValues(['b'])
    expect(output.size).toBe(3)
    expect(output).toHaveRecords([
      { key: 'k', value: 'a', timestamp: 1_000 },
      { key: null, value: null, timestamp: 1_000 },
      { key: null, value: 'b', timestamp: 1_005 },
    ])
    expect(output.size).toBe(0)
  })

  it('has a time of its own that advances with each record that brings none', () => {
    const { input, output } = copying({ startMs: 10, advanceBy: '1s' })
    input.pipeValues(['a', 'b'])
    input.pipe({ key: null, value: 'c', timestamp: 3 })
    input.advanceTime(5)
    input.pipeValues(['d'])
    expect(output.readAll().map(({ timestamp }) => timestamp)).toEqual([10, 1_010, 3, 2_015])
  })

  it('can be put off from the time of the clock', () => {
    const { input, output } = copying()
    input.advanceTime(7)
    input.pipeValues(['a', 'b'])
    expect(output.readAll().map(({ timestamp }) => timestamp)).toEqual([1_007, 1_007])
  })
})

describe('an output', () => {
  it('gives values, or keys and values', () => {
    const { input, output } = copying()
    input.pipeKeyValues([['k', 'a']])
    expect(output.readValues()).toEqual(['a'])
    input.pipeKeyValues([['k', 'b']])
    expect(output.readKeyValues()).toEqual([['k', 'b']])
    expect(output.readValues()).toEqual([])
  })
})
