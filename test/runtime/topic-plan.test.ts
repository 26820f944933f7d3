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
})
