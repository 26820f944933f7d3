import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, TopologyBuilder, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const ofText = { key: serde.string, value: serde.string }
const words = topic('words', ofText)
const named = (name: string) => topic(name, ofText)
const header = { key: 'to', value: Buffer.from('c') }

describe('a sink that chooses topics', () => {
  it('writes each record to the topic that its function names', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).to((value, key, { headers }) => headers[0]?.value?.toString() ?? `${key}-${value}`, ofText)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: 'k', value: 'a', timestamp: 1 })
    driver.input(words).pipe({ key: 'k', value: 'b', timestamp: 2 })
    driver.input(words).pipe({ key: 'k', value: 'a', timestamp: 3, headers: [header] })
    expect(driver.producedTopics()).toEqual(['c', 'k-a', 'k-b'])
    expect(driver.output(named('k-a')).readAll()).toEqual([{ key: 'k', value: 'a', timestamp: 1 }])
    expect(driver.output(named('c')).readAll()).toEqual([{ key: 'k', value: 'a', timestamp: 3, headers: [header] }])
  })

  it('is told where the record came from', () => {
    const seen: unknown[] = []
    const builder = new TopologyBuilder()
    builder.addSink(
      'sink',
      (_, __, { topic: from, partition, offset, timestamp }) => {
        seen.push([from, partition, offset, timestamp])
        return 'out'
      },
      { ...ofText, parents: builder.addSource('source', words) },
    )
    using driver = new TopologyTestDriver(builder.build())
    driver.input(words).pipe({ key: 'k', value: 'a', timestamp: 1 })
    expect(seen).toEqual([['words', 0, 0, 1]])
  })

  it('that throws says which sink it was', () => {
    const builder = new StreamsBuilder()
    builder.stream(words).to(
      () => {
        throw new Error('no')
      },
      { ...ofText, name: 'choosing' },
    )
    using driver = new TopologyTestDriver(builder.build())
    expect(() => driver.input(words).pipe({ key: 'k', value: 'a' })).toThrow(
      expect.objectContaining({ code: 'OPERATOR_FAILED', at: expect.objectContaining({ operator: 'choosing' }) }),
    )
  })
})
