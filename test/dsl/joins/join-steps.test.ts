import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { KStream, KTable } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { text } from './join-cases.ts'

type Output = readonly [key: 0 | null, value: string | null, timestamp: number]

/** Facts of Apache Kafka's own integration tests: what each expects after each record. Values are joined with a `-`. */
interface JoinSteps {
  readonly inputs: Readonly<Record<string, readonly (readonly ['left' | 'right', ...Output])[]>>
  readonly scenarios: readonly {
    readonly suite: string
    readonly test: string
    readonly input: string
    readonly steps: readonly (readonly Output[])[]
  }[]
}

const file = new URL('../../vectors/join-steps.json', import.meta.url)
const { inputs, scenarios } = JSON.parse(readFileSync(file, 'utf8')) as JoinSteps
const joiner = (left: string | null, right: string | null): string => `${left}-${right}`

type Tables = readonly [left: KTable<string, string>, right: KTable<string, string>]
type TableJoin = (...tables: Tables) => KTable<string, string>
const inner: TableJoin = (left, right) => left.join(right, joiner)
const left: TableJoin = (left, right) => left.leftJoin(right, joiner)
const outer: TableJoin = (left, right) => left.outerJoin(right, joiner)

const ofTables =
  (first: TableJoin, second?: TableJoin) =>
  (builder: StreamsBuilder): void => {
    const right = builder.table(text('right'))
    const joined = first(builder.table(text('left')), right)
    ;(second === undefined ? joined : second(joined, right)).toStream().to(text('out'))
  }

const within = JoinWindows.of('10s').grace('1d')
const rekeyed = { within, key: serde.string, value: serde.string, otherValue: serde.string }
/** A new key that is the old one, which Kafka's mappers make too: the records go through a repartition topic. */
const same = (stream: KStream<string, string>): KStream<string, string> => stream.selectKey((_, key) => key)

const ofStreams =
  (join: (left: KStream<string, string>, right: KStream<string, string>) => KStream<string, string>) =>
  (builder: StreamsBuilder): void =>
    join(builder.stream(text('left')), builder.stream(text('right'))).to(text('out'))

const written: Readonly<Record<string, (builder: StreamsBuilder) => void>> = {
  'TableTable testInner': ofTables(inner),
  'TableTable testLeft': ofTables(left),
  'TableTable testOuter': ofTables(outer),
  'TableTable testInnerInner': ofTables(inner, inner),
  'TableTable testInnerLeft': ofTables(inner, left),
  'TableTable testInnerOuter': ofTables(inner, outer),
  'TableTable testLeftInner': ofTables(left, inner),
  'TableTable testLeftLeft': ofTables(left, left),
  'TableTable testLeftOuter': ofTables(left, outer),
  'TableTable testOuterInner': ofTables(outer, inner),
  'TableTable testOuterLeft': ofTables(outer, left),
  'TableTable testOuterOuter': ofTables(outer, outer),
  'StreamStream testInner': ofStreams((one, other) => one.join(other, joiner, { within })),
  'StreamStream testInnerRepartitioned': ofStreams((one, other) => same(one).join(same(other), joiner, rekeyed)),
  'StreamStream testLeft': ofStreams((one, other) => one.leftJoin(other, joiner, { within })),
  'StreamStream testLeftRepartitioned': ofStreams((one, other) => same(one).leftJoin(same(other), joiner, rekeyed)),
  'StreamStream testOuter': ofStreams((one, other) => one.outerJoin(other, joiner, { within })),
  'StreamStream testOuterRepartitioned': ofStreams((one, other) => same(one).outerJoin(same(other), joiner, rekeyed)),
  'StreamStream testMultiInner': ofStreams((one, other) =>
    one.join(other, joiner, { within }).join(other, joiner, { within, value: serde.string }),
  ),
  // Kafka's test has the optimiser on; here the same comes of two stores.
  'StreamStream testSelfJoin': ofStreams((one) => one.join(one, joiner, { within })),
  'StreamTable testInner': (builder) =>
    builder
      .stream(text('left'))
      .join(builder.table(text('right')), joiner)
      .to(text('out')),
  'StreamTable testLeft': (builder) =>
    builder
      .stream(text('left'))
      .leftJoin(builder.table(text('right')), joiner)
      .to(text('out')),
}

describe("the scenarios of Kafka's integration tests of joins", () => {
  it('are each written here', () => {
    expect(scenarios.map(({ suite, test }) => `${suite} ${test}`).sort()).toEqual(Object.keys(written).sort())
  })

  it.each(scenarios)('$suite $test', ({ suite, test, input, steps }) => {
    const builder = new StreamsBuilder()
    written[`${suite} ${test}`](builder)
    using driver = new TopologyTestDriver(builder.build())
    const events = inputs[input]
    expect(events.length).toBeGreaterThan(0)
    const outputs = events.map(([topic, key, value, timestamp]) => {
      driver.input(text(topic)).pipe({ key: key === null ? null : String(key), value, timestamp })
      return driver.output(text('out')).readAll()
    })
    expect(outputs).toEqual(
      events.map((_, i) =>
        steps[i].map(([key, value, timestamp]) => ({ key: key === null ? null : String(key), value, timestamp })),
      ),
    )
  })
})
