import { describe, expect, it } from 'vitest'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { planTopics } from '../../src/runtime/topic-plan.ts'
import { serde } from '../../src/serde/serdes.ts'
import { topic } from '../../src/topic.ts'

const types = { key: serde.string, value: serde.string }

function rekeyedCount() {
  const builder = new StreamsBuilder()
  builder
    .stream(topic('in', { ...types, partitions: 3 }))
    .groupBy((value) => value, { key: serde.string, name: 'by-word' })
    .count({ store: 'counts' })
    .toStream()
    .to(topic('out', { key: serde.string, value: serde.float64 as never }))
  return builder.build()
}

describe('planTopics', () => {
  it('names and sizes the topics of the application after its sources, as Kafka Streams does', () => {
    const plan = planTopics(rekeyedCount(), 'app', [])
    expect(plan.topics.map(({ name, partitions }) => [name, partitions]).toSorted()).toEqual([
      ['app-by-word-repartition', 3],
      ['app-counts-changelog', 3],
      ['in', 3],
      ['out', 1],
    ])
    expect([...plan.taskCounts.values()]).toEqual([3, 3])
    const config = (name: string) => plan.topics.find((t) => t.name === name)?.config
    expect(config('app-by-word-repartition')).toEqual({
      'cleanup.policy': 'delete',
      'segment.bytes': '52428800',
      'retention.ms': '-1',
    })
    expect(config('app-counts-changelog')).toMatchObject({ 'cleanup.policy': 'compact' })
  })

  it('takes the partitions of topics that exist over those declared', () => {
    const plan = planTopics(rekeyedCount(), 'app', [{ name: 'in', partitions: 5, config: {} }])
    expect(plan.partitionCounts.get('in')).toBe(5)
    expect(plan.partitionCounts.get('app-by-word-repartition')).toBe(5)
    expect([...plan.taskCounts.values()]).toEqual([5, 5])
  })

  it('refuses to join topics whose numbers of partitions differ, and names both', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(topic('t', { ...types, partitions: 3 }))
    builder.stream(topic('in', { ...types, partitions: 4 })).join(table, (value) => value)
    const topology = builder.build()
    expect(() => planTopics(topology, 'app', [])).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOPOLOGY',
        message:
          "Topics that are joined have different numbers of partitions: 'in' has 4, 't' has 3 (topic t). Give both the same number, or send one through repartition({ partitions }) before the join.",
      }),
    )
    const existing = [{ name: 'in', partitions: 3, config: {} }]
    expect(planTopics(topology, 'app', existing).partitionCounts.get('in')).toBe(3)
  })

  it('gives repartition topics the partitions of the topic that they are joined with', () => {
    const builder = new StreamsBuilder()
    const table = builder.table(topic('t', { ...types, partitions: 3 }), { store: 'rows' })
    builder
      .stream(topic('in', { ...types, partitions: 5 }))
      .selectKey((value) => value)
      .join(table, (value) => value, { name: 'joined', key: serde.string })
    const plan = planTopics(builder.build(), 'app', [])
    expect(plan.partitionCounts.get('app-joined-repartition')).toBe(3)
    expect([...plan.taskCounts.values()]).toEqual([3, 5])
  })

  it('gives repartition topics that are joined with each other the partitions of the wider', () => {
    const builder = new StreamsBuilder()
    const table = builder
      .stream(topic('narrow', { ...types, partitions: 2 }))
      .selectKey((value) => value)
      .toTable({ name: 'rows', key: serde.string })
    builder
      .stream(topic('wide', { ...types, partitions: 5 }))
      .selectKey((value) => value)
      .join(table, (value) => value, { name: 'joined', key: serde.string })
    const plan = planTopics(builder.build(), 'app', [])
    expect(plan.partitionCounts.get('app-rows-repartition')).toBe(5)
    expect(plan.partitionCounts.get('app-joined-repartition')).toBe(5)
  })

  it('gives repartition topics the partitions that the user chose, also where others exist', () => {
    const builder = new StreamsBuilder()
    const again = builder.stream(topic('in', { ...types, partitions: 2 })).repartition({ name: 'again', partitions: 6 })
    again.groupBy((value) => value, { name: 'by-word', key: serde.string }).count({ store: 'counts' })
    const topology = builder.build()
    const plan = planTopics(topology, 'app', [{ name: 'app-again-repartition', partitions: 4, config: {} }])
    const counts = new Map(plan.topics.map(({ name, partitions }) => [name, partitions]))
    expect(counts.get('app-again-repartition')).toBe(6)
    expect(counts.get('app-by-word-repartition')).toBe(6)
    const table = builder.table(topic('t', { ...types, partitions: 3 }))
    again.join(table, (value) => value)
    expect(() => planTopics(builder.build(), 'app', [])).toThrow("'app-again-repartition' has 6, 't' has 3")
  })
})
