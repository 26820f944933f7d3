import { describe, expect, it } from 'vitest'
import {
  keyValueStore,
  type ProcessingContext,
  type ProcessorContext,
  StreamsBuilder,
  serde,
  topic,
  type ValueTransformer,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const names = topic('names', { key: serde.string, value: serde.string })
const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })
const counts = keyValueStore('counts', { key: serde.string, value: serde.json<number>() })

/** Says how often it was called for the key. */
class Counting implements ValueTransformer<string, string, string> {
  #context!: ProcessingContext

  init(context: ProcessingContext): void {
    this.#context = context
  }

  transform(value: string | null, key: string): string | null {
    const store = this.#context.store(counts)
    const count = (store.get(key) ?? 0) + 1
    store.put(key, count)
    return value === 'DEL' ? null : `${value}${count}`
  }
}

describe('transformValues', () => {
  it('makes values with state of its own, also for deletions, and keeps it over a restart', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(names).transformValues(() => new Counting(), { stores: [counts] })
    table.toStream().to(texts)
    const topology = builder.build()
    expect(topology.describe()).toContain('KTABLE-TRANSFORMVALUES-0000000003 (stores: [counts])')
    using driver = new TopologyTestDriver(topology)
    const input = driver.input(names)
    input.pipeKeyValues([
      ['k', 'a'],
      ['k', null],
    ])
    driver.restart()
    input.pipeKeyValues([
      ['k', 'DEL'],
      ['j', 'a'],
    ])
    expect(driver.output(texts).readKeyValues()).toEqual([
      ['k', 'a1'],
      ['k', 'null2'],
      ['k', null],
      ['j', 'a1'],
    ])
  })

  it('keeps its rows where a store is named, and joins look them up there', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(names).transformValues(() => ({ transform: (value) => value?.toUpperCase() ?? null }), {
      store: 'upper',
      value: serde.string,
    })
    builder
      .stream(words)
      .join(table, (word, name) => word + name)
      .to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(names).pipe({ key: 'k', value: 'ann', timestamp: 1 })
    expect(driver.store('upper').get('k')).toEqual({ value: 'ANN', timestamp: 1 })
    driver.input(words).pipe({ key: 'k', value: 'hello ', timestamp: 2 })
    expect(driver.output(texts).readValues()).toEqual(['hello ANN'])
  })

  it('transforms again at each look-up where none is named, also rows that are not there', () => {
    const builder = new StreamsBuilder()
    const seen: unknown[] = []
    const table = builder.table(names).transformValues(() => ({
      transform(value, key, { recordMetadata }) {
        seen.push([value, key, recordMetadata?.offset])
        return value === null ? 'nobody' : value.toUpperCase()
      },
    }))
    builder
      .stream(words)
      .join(table, (word, name) => word + name)
      .to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(names).pipe({ key: 'k', value: 'ann', timestamp: 1 })
    driver.input(words).pipeKeyValues([
      ['k', 'hello '],
      ['j', 'hello '],
    ])
    expect(driver.output(texts).readValues()).toEqual(['hello ANN', 'hello nobody'])
    expect(seen).toEqual([
      ['ann', 'k', 0],
      ['ann', 'k', undefined],
      [null, 'j', undefined],
    ])
  })

  it('sends the values before to what groups its rows', () => {
    const builder = new StreamsBuilder()
    const initials = builder.table(names).transformValues(() => ({ transform: (value) => value?.slice(0, 1) ?? null }))
    initials
      .groupBy((initial) => [initial, initial], { key: serde.string, value: serde.string })
      .count({ value: serde.json<number>() })
      .mapValues((count) => String(count), { value: serde.string })
      .toStream()
      .to(texts)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(names).pipeKeyValues([
      ['k', 'ann'],
      ['j', 'art'],
      ['k', 'bob'],
    ])
    expect(driver.output(texts).readKeyValues()).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['a', '1'],
      ['b', '1'],
    ])
  })

  it('hands on nothing else, and makes a transformer for each task', () => {
    const builder = new StreamsBuilder()
    builder.table(names).transformValues(() => ({
      transform(value, key, context) {
        const unchecked = context as unknown as ProcessorContext<string, string>
        unchecked.forward({ key, value, timestamp: 1 })
        return value
      },
    }))
    using driver = new TopologyTestDriver(builder.build())
    expect(() => driver.input(names).pipe({ key: 'k', value: 'v' })).toThrow(
      'only makes values for the rows of a table',
    )
    const shared = { transform: (value: string | null) => value }
    expect(() => builder.table(words).transformValues(() => shared)).toThrow('same processor')
  })
})
