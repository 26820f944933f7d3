import { describe, expect, it } from 'vitest'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { serde } from '../../src/serde/serdes.ts'
import { type Topic, topic } from '../../src/topic.ts'
import { hasGoldenScenarios, readGoldenScenarios, type Step } from './golden-scenarios.ts'
import { TopologyRun } from './topology-run.ts'

const text = (name: string): Topic<string, string> => topic(name, { key: serde.string, value: serde.string })
const out = text('out')
const counts = topic('out', { key: serde.string, value: serde.float64 })

/** What Kafka Streams was made to run, written in this DSL. */
const scenarios: Readonly<Record<string, (builder: StreamsBuilder) => void>> = {
  'stream-table inner join': (builder) => {
    const table = builder.table(text('T'))
    builder
      .stream(text('S'))
      .join(table, (value, tableValue) => `${value}+${tableValue}`)
      .to(out)
  },
  'stream-table left join': (builder) => {
    const table = builder.table(text('T'))
    builder
      .stream(text('S'))
      .leftJoin(table, (value, tableValue) => `${value}+${tableValue}`)
      .to(out)
  },
  'selectKey null then left join keeps null key through repartition': (builder) => {
    const table = builder.table(text('T'))
    builder
      .stream(text('S'))
      .selectKey((value) => (value === 'n' ? null : value))
      .leftJoin(table, (value, tableValue) => `${value}+${tableValue}`, { key: serde.string })
      .to(out)
  },
  'table.filter tombstones': (builder) => {
    builder
      .table(text('A'))
      .filter((value) => value === 'good')
      .toStream()
      .to(out)
  },
  'table.filter materialised': (builder) => {
    builder
      .table(text('A'))
      .filterNot((value) => value === 'bad', { store: 'good' })
      .toStream()
      .to(out)
  },
  'table source idempotent update': (builder) => {
    builder.table(text('T'), { store: 'rows' }).toStream().to(out)
  },
  'toTable: null value = delete; count after toTable': (builder) => {
    builder.stream(text('A')).toTable({ store: 'rows' }).toStream().to(out)
  },
  'table.groupBy.count: subtract then add': (builder) => {
    builder
      .table(text('A'))
      .groupBy((value) => [value, value], { key: serde.string, value: serde.string })
      .count()
      .toStream()
      .to(counts)
  },
  'table.groupBy.aggregate same group key: sub+add order': (builder) => {
    builder
      .table(text('A'))
      .groupBy((value) => ['all', value], { key: serde.string, value: serde.string })
      .aggregate(
        () => '',
        (aggregate, value) => `${aggregate}+${value}`,
        (aggregate, value) => `${aggregate}-${value}`,
        { value: serde.string },
      )
      .toStream()
      .to(out)
  },
  'branch first match wins; unmatched dropped without default': (builder) => {
    const branches = builder
      .stream(text('A'))
      .split()
      .branch((value) => value.includes('a'))
      .branch((value) => value.includes('b'))
      .noDefaultBranch()
    branches[1].mapValues((value) => `1:${value}`).to(out)
    branches[2].mapValues((value) => `2:${value}`).to(out)
  },
  'null key on repartition (selectKey->null) dropped at aggregate': (builder) => {
    builder
      .stream(text('A'))
      .selectKey((value) => (value === 'n' ? null : value))
      .groupByKey({ key: serde.string })
      .count()
      .toStream()
      .to(counts)
  },
}

describe.runIf(hasGoldenScenarios)(
  'streams and tables give what Kafka Streams gave (skipped without ../shared/golden)',
  () => {
    const golden = readGoldenScenarios()
    it.each(Object.keys(scenarios))('%s', (title) => {
      const steps = golden.get(title) as Step[]
      expect(steps.length).toBeGreaterThan(0)
      const builder = new StreamsBuilder()
      scenarios[title]?.(builder)
      const run = new TopologyRun(builder.build())
      const line = (step: Step, outputs: string) => `${step.topic} ${JSON.stringify(step.input)} -> ${outputs}`
      expect(steps.map((step) => line(step, run.process(step.topic, step.input).join(' ') || '-'))).toEqual(
        steps.map((step) => line(step, step.outputs)),
      )
    })
  },
)
