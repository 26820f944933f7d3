import { describe, expect, it } from 'vitest'
import type { KStream, KTable } from '../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { TimeWindows } from '../../src/dsl/windows.ts'
import { serde } from '../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../src/state/key-value-store.ts'
import { type Topic, topic } from '../../src/topic.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { TopologyRun } from './topology-run.ts'

const text = (name: string): Topic<string, string> => topic(name, { key: serde.string, value: serde.string })
const out = text('out')
const grouping = { name: 'grouping', key: serde.string, value: serde.string }

describe('groupBy of a table', () => {
  it('takes a row out of its old group and into its new one, and leaves out rows without a group', () => {
    const run = running(({ table }) => {
      table
        .groupBy((value, key) => (value === 'none' ? null : [value, key === 'hidden' ? null : key]), grouping)
        .aggregate(
          () => '',
          (all, key, group) => `${all}+${key}@${group}`,
          (all, key) => `${all}-${key}`,
          { value: serde.string },
        )
        .toStream()
        .to(out)
    })
    const updates = [
      ['k', 'a'],
      ['k', 'b'],
      ['hidden', 'b'],
      ['k', 'none'],
      ['k', 'b'],
      ['k', null],
    ] as const
    expect(updates.map(([key, value], i) => run.process('rows', at(i, key, value)).join(' '))).toEqual([
      '(a, +k@a, ts=0)',
      '(a, +k@a-k, ts=1) (b, +k@b, ts=1)',
      '',
      '(b, +k@b-k, ts=3)',
      '(b, +k@b-k+k@b, ts=4)',
      '(b, +k@b-k+k@b-k, ts=5)',
    ])
    expect(run.drops).toEqual([])
  })

  it('deletes a result where the subtractor makes nothing, and begins anew', () => {
    const run = running(({ table }) => {
      table
        .groupBy((value) => ['all', value], grouping)
        .reduce(
          (all, value) => all + value,
          (all, value) => (all === value ? null : all.replace(value, '')),
        )
        .toStream()
        .to(out)
    })
    const updates = [
      ['1', 'a'],
      ['2', 'b'],
      ['1', null],
      ['2', null],
      ['1', 'c'],
    ] as const
    expect(updates.map(([key, value], i) => run.process('rows', at(i, key, value)).join(' '))).toEqual([
      '(all, a, ts=0)',
      '(all, ab, ts=1)',
      '(all, b, ts=2)',
      '(all, null, ts=3)',
      '(all, c, ts=4)',
    ])
  })

  it('gives results the greatest timestamp of their rows', () => {
    const run = running(({ table }) => void table.groupBy((value, key) => [value, key], grouping).count({ store: 'n' }))
    run.process('rows', at(9, '1', 'a'))
    run.process('rows', at(5, '2', 'a'))
    expect((run.stores.get('n') as KeyValueStore).get('a')).toEqual({ value: 2, timestamp: 9 })
  })

  it.each([undefined, 'bags'])(
    'subtracts what an aggregate was, also where it is changed in place (store: %j)',
    (store) => {
      const bags = serde.json<{ size: number }>()
      const run = running(({ stream }) => {
        stream
          .groupByKey()
          .aggregate(
            () => ({ size: 0 }),
            (bag) => {
              bag.size++
              return bag
            },
            { value: bags },
          )
          .mapValues((bag) => bag, store === undefined ? {} : { store, value: bags })
          .groupBy((bag) => [String(bag.size), bag.size], { key: serde.string, value: serde.float64 })
          .count()
          .mapValues((count) => String(count))
          .toStream()
          .to(out)
      })
      const outputs = ['j', 'k', 'k'].map((key, i) => run.process('events', at(i, key, 'x')).join(' '))
      expect(outputs).toEqual(['(1, 1, ts=0)', '(1, 2, ts=1)', '(1, 1, ts=2) (2, 1, ts=2)'])
    },
  )

  it('sends one change where old and new group are equal, though not the same object', () => {
    const run = running(({ table }) => {
      const key = serde.json<{ group: string }>()
      table
        .groupBy((value) => [{ group: value.slice(0, 1) }, value], { key, value: serde.string })
        .count()
        .toStream()
        .map((count, { group }) => [group, String(count)])
        .to(out)
    })
    const outputs = ['ab', 'ac', 'b'].map((value, i) => run.process('rows', at(i, 'k', value)).join(' '))
    expect(outputs).toEqual(['(a, 1, ts=0)', '(a, 1, ts=1)', '(a, 0, ts=2) (b, 1, ts=2)'])
  })

  it('aggregates results of windows', () => {
    const run = running(({ stream }) => {
      stream
        .groupByKey()
        .windowedBy(TimeWindows.of(10).grace(100))
        .count()
        .groupBy((count) => ['windows', count], { key: serde.string, value: serde.float64 })
        .reduce(
          (sum, count) => sum + count,
          (sum, count) => sum - count,
        )
        .mapValues((sum) => String(sum))
        .toStream()
        .to(out)
    })
    const outputs = [1, 11, 2].map((timestamp) => run.process('events', at(timestamp, 'k', 'x')).join(' '))
    expect(outputs).toEqual(['(windows, 1, ts=1)', '(windows, 2, ts=11)', '(windows, 3, ts=11)'])
  })

  it('uses one topic for all aggregations of a grouping that the user named', () => {
    const topology = built(({ table }) => {
      const grouped = table.groupBy((value, key) => [value, key], grouping)
      grouped.count({ name: 'first' })
      grouped.count({ name: 'second' })
    })
    const names = topology.subTopologies.map(({ nodes }) => nodes.map(({ name }) => name))
    expect(names.flat().filter((name) => name.endsWith('-sink'))).toEqual(['first-sink'])
    expect(names.at(-1)).toEqual(['first-source', 'first', 'second'])
  })
})

interface Given {
  /** Of the topic `rows`. */
  readonly table: KTable<string, string>
  /** Of the topic `events`. */
  readonly stream: KStream<string, string>
}

function built(write: (given: Given) => void): Topology {
  const builder = new StreamsBuilder()
  write({ table: builder.table(text('rows')), stream: builder.stream(text('events')) })
  return builder.build()
}

function running(write: (given: Given) => void): TopologyRun {
  return new TopologyRun(built(write))
}

function at(timestamp: number, key: string, value: string | null) {
  return { key, value, timestamp }
}
