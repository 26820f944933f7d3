import { describe, expect, it } from 'vitest'
import { topic } from '../../src/topic.ts'
import { TopologyDraft } from '../../src/topology/topology-draft.ts'
import { number, passThrough, storeNamed, text } from './topology-fixtures.ts'

const input = topic('in', { key: text, value: text })
const output = topic('out', { key: text, value: text })

describe('TopologyDraft', () => {
  it('links nodes both ways, in the order in which they were added', () => {
    const [subTopology] = new TopologyDraft()
      .addSource('source', input)
      .addProcessor('first', passThrough, { parents: ['source'] })
      .addProcessor('second', passThrough, { parents: ['source'] })
      .addSink('sink', output, ['first', 'second'])
      .build().subTopologies
    expect(subTopology).toMatchObject({
      id: 0,
      nodes: [
        { kind: 'source', name: 'source', key: text, value: text, children: ['first', 'second'] },
        { kind: 'processor', name: 'first', parents: ['source'], children: ['sink'] },
        { kind: 'processor', name: 'second', parents: ['source'], children: ['sink'] },
        { kind: 'sink', name: 'sink', parents: ['first', 'second'], topic: { name: 'out', internal: false } },
      ],
    })
  })

  it('numbers sub-topologies as they are first met, and joins those that share a store', () => {
    const other = topic('other', { key: text, value: text })
    const third = topic('third', { key: text, value: text })
    const topology = new TopologyDraft()
      .addSource('a', input)
      .addSource('b', other)
      .addSource('c', third)
      .addProcessor('of-c', passThrough, { parents: ['c'] })
      .addProcessor('of-b', passThrough, { parents: ['b'] })
      .addProcessor('of-a', passThrough, { parents: ['a'] })
      .addStateStore(storeNamed('shared'), ['of-c', 'of-a'])
      .addStateStore(storeNamed('own'), ['of-b'])
      .build()
    expect(
      topology.subTopologies.map(({ id, nodes, stores }) => [id, nodes.map((n) => n.name), stores.map((s) => s.name)]),
    ).toEqual([
      [0, ['a', 'c', 'of-c', 'of-a'], ['shared']],
      [1, ['b', 'of-b'], ['own']],
    ])
  })

  it('lists the topics to create, without those of its own', () => {
    const topology = new TopologyDraft()
      .addSource('source', topic('in', { key: text, value: text, partitions: 4 }))
      .addSink('through', { name: 'x-repartition', key: text, value: text, internal: true }, ['source'])
      .addSource('back', { name: 'x-repartition', key: text, value: text, internal: true })
      .addSink('sink', output, ['back'])
      .build()
    expect(topology.topics).toEqual([
      { name: 'in', partitions: 4, config: {} },
      { name: 'out', partitions: 1, config: {} },
    ])
  })

  it('is not changed by what is added after it was built', () => {
    const builder = new TopologyDraft().addSource('source', input)
    const before = builder.build()
    builder.addSink('sink', output, ['source'])
    expect(before.describe()).toContain('--> none')
    expect(builder.build().describe()).toContain('--> sink')
  })

  const withSource = (): TopologyDraft => new TopologyDraft().addSource('source', input)
  it.each<[string, () => unknown, string]>([
    [
      'a parent that does not exist',
      () => withSource().addSink('sink', output, ['nobody']),
      "The parent 'nobody' does not exist (operator sink). Add parents before their children.",
    ],
    [
      'a sink as a parent',
      () => withSource().addSink('sink', output, ['source']).addSink('second', output, ['sink']),
      "The parent 'sink' is a sink, which hands nothing on (operator second). Take the sink's parent instead.",
    ],
    [
      'a node without parents',
      () => withSource().addProcessor('alone', passThrough, { parents: [] }),
      'The node has no parent (operator alone). Name at least one node to take records from.',
    ],
    [
      'two nodes of one name',
      () => withSource().addProcessor('source', passThrough, { parents: ['source'] }),
      'Another node has this name (operator source). Give one of the two another name.',
    ],
    [
      'a topic that is read twice',
      () => withSource().addSource('again', input),
      "The topic 'in' is already read by 'source' (operator again). Read a topic with one source, and take its records from there as often as needed.",
    ],
    [
      'topics of one source with different serdes',
      () =>
        new TopologyDraft().addSource<unknown, unknown>('both', [
          input,
          topic('n', { key: text, value: number }),
        ] as never),
      "The topics 'in' and 'n' of one source have different serdes or timestamp functions (operator both). Declare both with the same serde objects and function, or read them with a source each and merge.",
    ],
    [
      'a topic declared with two numbers of partitions',
      () => withSource().addSink('sink', topic('in', { key: text, value: text, partitions: 2 }), ['source']),
      "The topic 'in' is declared with 1 partitions and with 2 (operator sink). Declare it once and use that declaration everywhere.",
    ],
    [
      'two stores of one name',
      () =>
        withSource()
          .addStateStore(storeNamed('s'))
          .addStateStore({ ...storeNamed('s') }),
      "Another store is already named 's' (store s). Give one of the two another name.",
    ],
    [
      'a store that nobody uses',
      () => withSource().addStateStore(storeNamed('s')).build(),
      'No processor uses the store (store s). Connect it to a processor or leave it out.',
    ],
    [
      'a store that does not exist',
      () =>
        withSource()
          .addProcessor('p', passThrough, { parents: ['source'] })
          .connect('p', 'nothing'),
      "The store 'nothing' does not exist (operator p). Call addStateStore('nothing') first.",
    ],
    [
      'a store for a source',
      () => withSource().addStateStore(storeNamed('s'), ['source']),
      'A source cannot use a store (operator source). Connect the store to a processor.',
    ],
    ['a topology without a source', () => new TopologyDraft().build(), 'The topology reads no topic. Add a source.'],
  ])('refuses %s', (_, build, message) => {
    expect(build).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY', message }))
  })

  it('refuses a store whose name cannot be part of a topic name', () => {
    expect(() => withSource().addStateStore(storeNamed('a b'))).toThrow("'a b' cannot be the name of a store.")
  })
})
