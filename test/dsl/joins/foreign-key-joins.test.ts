import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KTable } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { responseSerde, subscriptionSerde } from '../../../src/dsl/subscription.ts'
import { planTopics } from '../../../src/runtime/topic-plan.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { topic } from '../../../src/topic.ts'
import type { Topology } from '../../../src/topology/topology.ts'
import { type JoinCase, type JoinEvent, type JoinOutput, run, text, topologyOf } from './join-cases.ts'

interface TopicsOfJoin extends JoinCase {
  readonly steps: readonly (readonly JoinOutput[])[]
  /** By topic: key, value, timestamp; bytes as hex. */
  readonly topics: Readonly<Record<string, readonly (readonly [string | null, string | null, number])[]>>
}

const file = new URL('../../vectors/foreign-key-join-topics.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly TopicsOfJoin[] }
const joiner = (left: string | null, right: string | null): string => `${left}+${right}`
const foreignKey = (value: string): string => value

describe('a join by foreign key', () => {
  it.each(cases)("writes Kafka Streams' bytes to its topics and its store: $kind", (join) => {
    using driver = new TopologyTestDriver(topologyOf(join), { applicationId: 'app' })
    for (const [name, key, value, timestamp] of join.events) driver.input(text(name)).pipe({ key, value, timestamp })
    for (const [name, records] of Object.entries(join.topics)) {
      const raw = topic(name, { key: serde.bytes, value: serde.bytes })
      const found = driver.output(raw).readAll()
      expect(found.map((each) => [hexOf(each.key), hexOf(each.value), each.timestamp])).toEqual(records)
    }
    expect(Object.keys(join.topics).sort()).toEqual(driver.producedTopics().filter((name) => name.includes('fk-')))
  })

  const events = fc.array(
    fc.oneof(
      fc.tuple(
        fc.constant('L'),
        fc.constantFrom('k', 'l', 'm'),
        fc.option(fc.constantFrom('a:1', 'a:2', 'b:1', 'c:1', '-none')),
        fc.nat(20),
      ),
      fc.tuple(fc.constant('R'), fc.constantFrom('a', 'b'), fc.option(fc.constantFrom('x', 'y')), fc.nat(20)),
    ),
    { maxLength: 30 },
  )

  it.each(['inner', 'left'] as const)('is what it is by definition, %s, whenever it is restarted', (kind) => {
    fc.assert(
      fc.property(events, fc.boolean(), fc.array(fc.nat(29)), (all: readonly JoinEvent[], kept, restarts) => {
        const outputs = run({ op: 'foreign-key', kind, kept, events: all }, (step) => restarts.includes(step))
        const left = new Map<string, string>()
        const right = new Map<string, string>()
        const found = new Map<string, string>()
        for (const [step, [name, key, value]] of all.entries()) {
          const table = name === 'L' ? left : right
          if (value === null) table.delete(key as string)
          else table.set(key as string, value)
          for (const [row, joined] of outputs[step]) {
            if (joined === null) found.delete(row as string)
            else found.set(row as string, joined)
          }
          const expected = [...left].flatMap(([row, own]) => {
            const other = own.startsWith('-') ? undefined : right.get(own.slice(0, 1))
            return other === undefined && kind === 'inner' ? [] : [[row, joiner(own, other ?? null)]]
          })
          expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
        }
      }),
      { numRuns: 150 },
    )
  })

  it('counts what has no foreign key, and answers that came too late', () => {
    const builder = new StreamsBuilder()
    const right = builder.table(text('R'))
    // The row changes while its subscription is answered: both updates come of one record.
    const changing = builder
      .stream(text('L'))
      .flatMapValues((value) => value.split(' '))
      .toTable({ value: serde.string })
    changing
      .join(right, joiner, { foreignKey: (value) => (value === '-' ? null : 'a'), name: 'fk', value: serde.string })
      .toStream()
      .to(text('out'))
    using driver = new TopologyTestDriver(builder.build(), {})
    driver.input(text('R')).pipe({ key: 'a', value: 'r', timestamp: 1 })
    const unknown = driver.output(text('out'))
    expect(unknown.readAll()).toEqual([])
    driver.input(text('L')).pipe({ key: 'k', value: 'x y', timestamp: 2 })
    driver.input(text('L')).pipe({ key: 'l', value: '-', timestamp: 3 })
    expect(driver.output(text('out')).readAll()).toEqual([{ key: 'k', value: 'y+r', timestamp: 2 }])
    expect(driver.drops()).toEqual([
      { operator: 'fk-subscription-response-resolver', reason: 'stale', count: 1 },
      { operator: 'fk-subscription-registration-processor', reason: 'null-foreign-key', count: 1 },
    ])
  })

  it('aligns each of its topics with one of the tables, which need not be alike', () => {
    const builder = new StreamsBuilder()
    const [left, right] = [3, 5].map((partitions, i) =>
      builder.table(topic('LR'[i], { key: serde.string, value: serde.string, partitions })),
    )
    left.join(right, joiner, { foreignKey, name: 'fk' }).toStream().to(text('out'))
    const { partitionCounts } = planTopics(builder.build(), 'app', [])
    expect(partitionCounts.get('app-fk-subscription-registration-topic')).toBe(5)
    expect(partitionCounts.get('app-fk-subscription-response-topic')).toBe(3)
  })

  it('says which serde it needs', () => {
    expect(() => built((left, right) => void left.mapValues((v) => v).join(right, joiner, { foreignKey }))).toThrow(
      "No serde is known for the values that 'KTABLE-MAPVALUES-0000000006' makes, but the topic of its subscriptions needs one (operator KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000008). Give it in mapValues(..., { value }).",
    )
    expect(() => built((left, right) => void left.join(right, joiner, { foreignKey, store: 'kept' }))).toThrow(
      'Give it in join({ value }).',
    )
  })

  it('has topics whose bytes are checked when they are read', () => {
    const bytes = (hex: string) => Buffer.from(hex, 'hex')
    // Version 0, of Kafka Streams before 3.4, does not say the partition.
    expect(subscriptionSerde.read(bytes('80026b'), 0, 3)).toEqual({
      hash: undefined,
      instruction: 2,
      primaryKey: Buffer.from('k'),
      partition: -1,
    })
    for (const hex of ['', '01', '0102', '05026b00000000', '8102000000']) {
      expect(() => subscriptionSerde.read(bytes(hex), 0, hex.length / 2)).toThrow('subscription')
    }
    for (const hex of ['', '00', '81', '0000']) {
      expect(() => responseSerde(serde.string).read(bytes(hex), 0, hex.length / 2)).toThrow('response(string)')
    }
  })
})

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}

function built(write: (left: KTable<string, string>, right: KTable<string, string>) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder.table(text('L')), builder.table(text('R')))
  return builder.build()
}
