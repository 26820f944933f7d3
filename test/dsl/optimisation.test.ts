import { describe, expect, it } from 'vitest'
import { type Optimisation, type SourceTableOptions, StreamsBuilder, serde, topic } from '../../src/index.ts'
import type { StoreDeclaration } from '../../src/state/store-declaration.ts'

const types = { key: serde.string, value: serde.string }
const rows = topic('rows', types)

function storeOf(table: SourceTableOptions<string, string>, source = rows): StoreDeclaration {
  const builder = new StreamsBuilder()
  builder.table(source, { store: 'st', ...table })
  return builder.build({ optimize: true }).subTopologies[0].stores[0]
}

describe('the optimisations of a topology', () => {
  it('are none where they are not asked for', () => {
    const builder = new StreamsBuilder()
    builder.table(rows, { store: 'st' })
    for (const options of [{}, { optimize: false }, { optimize: [] }] as const) {
      const [store] = builder.build(options).subTopologies[0].stores
      expect(store.logged).toBe(true)
      expect(store.sourceTopic).toBeUndefined()
    }
  })

  it('may be listed; what there is not is refused', () => {
    const builder = new StreamsBuilder()
    builder.table(rows, { store: 'st' })
    const [store] = builder.build({ optimize: ['reuse-source-topics'] }).subTopologies[0].stores
    expect(store).toMatchObject({ logged: false, sourceTopic: 'rows' })
    expect(() => builder.build({ optimize: ['everything' as Optimisation] })).toThrow(
      "There is no optimisation 'everything'",
    )
  })

  it('also restore a table from its topic that is not to be logged', () => {
    expect(storeOf({ logging: false })).toMatchObject({ logged: false, sourceTopic: 'rows' })
  })

  it('restore a table that an operator looks up, and no other store', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(rows)
    builder.stream(topic('in', types)).join(table, (value) => value)
    builder.stream(topic('more', types)).toTable({ store: 'own' })
    const stores = builder.build({ optimize: true }).subTopologies.flatMap((each) => each.stores)
    expect(stores.map(({ logged, sourceTopic }) => [logged, sourceTopic])).toEqual([
      [false, 'rows'],
      [true, undefined],
    ])
  })

  it.each<[string, SourceTableOptions<string, string>]>([
    ['event times are a function', { timestamp: () => 1 }],
    ['event times are those of the clock', { timestamp: 'wall-clock' }],
    ['event times may be those of the records before', { invalidTimestamp: 'partition-time' }],
    ['reading began at the end', { offsetReset: 'latest' }],
    ['rows have versions', { versioned: '1h' }],
  ])('leave a table its changelog where %s', (_, options) => {
    expect(storeOf(options)).toMatchObject({ logged: true })
    expect(storeOf(options).sourceTopic).toBeUndefined()
  })

  it('leave a table its changelog where its topic declares event times', () => {
    expect(storeOf({}, topic('rows', { ...types, timestamp: () => 1 }))).toMatchObject({ logged: true })
  })
})
