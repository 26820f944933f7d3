import { expect, it } from 'vitest'
import { StreamsBuilder, serde, TimeWindows, topic, untilTimeLimit } from '../../src/index.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'

const of = (name: string) => topic(name, { key: serde.string, value: serde.string })

it('tables know the names of their stores as Kafka Streams 4.1.1 does', () => {
  const builder = new StreamsBuilder()
  let streams = 0
  const grouped = () => builder.stream(of(`s${streams++}`)).groupByKey()
  const table = builder.table(of('t'))
  const named = builder.table(of('n'), { store: 'named' })
  const left = (value: string) => value
  const value = serde.string
  const foreignKey = (row: string) => row
  const initial = () => ''
  const swap = (row: string, key: string) => [key, row] as const
  const cogrouped = () => grouped().cogroup((aggregate: string, added) => aggregate + added)
  const names = {
    table: table,
    'table named': named,
    'table with': builder.table(of('u'), { engine: memoryEngine }),
    'global named': builder.globalTable(of('g2'), { store: 'gs' }),
    'global with': builder.globalTable(of('g3'), { engine: memoryEngine }),
    filter: named.filter(() => true),
    'filter named': named.filter(() => true, { store: 'f' }),
    'filter with': named.filter(() => true, { value }),
    mapValues: named.mapValues(left),
    'mapValues named': named.mapValues(left, { store: 'm', value }),
    count: grouped().count(),
    'count named': grouped().count({ store: 'c' }),
    'windowed named': grouped().windowedBy(TimeWindows.of(10)).count({ store: 'w' }),
    toTable: builder.stream(of('s-a')).toTable(),
    'toTable named': builder.stream(of('s-b')).toTable({ store: 'tt' }),
    join: table.join(named, left),
    'join named': table.join(named, left, { store: 'j', value }),
    'fk named': table.join(named, left, { foreignKey, store: 'fk', value }),
    suppress: named.suppress(untilTimeLimit(1, 'unbounded')),
    'groupBy named': named.groupBy(swap, { key: value, value }).count({ store: 'gc' }),
    'cogroup named': cogrouped().aggregate(initial, { store: 'cg', value }),
    // Kafka Streams has a generated name here, of a store that it does not make.
    fk: table.join(named, left, { foreignKey, value }),
  }
  const found = Object.entries(names).map(([what, { queryableStoreName }]) => [what, queryableStoreName])
  expect(Object.fromEntries(found)).toEqual({
    table: undefined,
    'table named': 'named',
    'table with': undefined,
    'global named': 'gs',
    'global with': undefined,
    filter: undefined,
    'filter named': 'f',
    'filter with': undefined,
    mapValues: undefined,
    'mapValues named': 'm',
    count: undefined,
    'count named': 'c',
    'windowed named': 'w',
    toTable: undefined,
    'toTable named': 'tt',
    join: undefined,
    'join named': 'j',
    'fk named': 'fk',
    suppress: undefined,
    'groupBy named': 'gc',
    'cogroup named': 'cg',
    fk: undefined,
  })
})

it('names that were generated are told where Kafka Streams tells them', () => {
  const builder = new StreamsBuilder()
  const table = builder.table(of('t'))
  expect(builder.globalTable(of('g')).queryableStoreName).toBe('g-STATE-STORE-0000000003')
  const joined = table.join(table, (left) => left, { value: serde.string })
  expect(joined.queryableStoreName).toBe('KTABLE-MERGE-STATE-STORE-0000000006')
})
