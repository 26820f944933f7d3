import { describe, expect, it } from 'vitest'
import type { KStream } from '../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { serde } from '../../src/serde/serdes.ts'
import { type Topic, topic } from '../../src/topic.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { TopologyRun } from './topology-run.ts'

const text = (name: string): Topic<string, string> => topic(name, { key: serde.string, value: serde.string })
const out = text('out')

describe('split', () => {
  it('sends each record into the first branch that takes it, and the others into the default branch', () => {
    const run = new TopologyRun(
      built((stream) => {
        const { digits, longer, rest } = stream
          .split()
          .branch((value) => /^\d+$/.test(value), { name: 'digits' })
          .branch((value, key) => value.length > key.length, { name: 'longer' })
          .defaultBranch({ name: 'rest' })
        digits.mapValues((value) => `digits:${value}`).to(out)
        longer.mapValues((value) => `longer:${value}`).to(out)
        rest.mapValues((value) => `rest:${value}`).to(out)
      }),
    )
    const outputs = ['12', 'long', 'x', '7'].flatMap((value) => run.process('in', { key: 'kk', value, timestamp: 1 }))
    expect(outputs).toEqual([
      '(kk, digits:12, ts=1)',
      '(kk, longer:long, ts=1)',
      '(kk, rest:x, ts=1)',
      '(kk, digits:7, ts=1)',
    ])
  })

  it('goes on with branches where they are made, and returns those that something comes out of', () => {
    const run = new TopologyRun(
      built((stream) => {
        const branches = stream
          .split({ name: 'split-' })
          .branch((value) => value === 'a', { name: 'a', with: (all) => all.mapValues(() => 'A') })
          .branch((value) => value === 'b', { name: 'b', with: (all) => all.mapValues(() => 'B').to(out) })
          .branch((value) => value === 'c', { with: (all) => all })
          .defaultBranch({ with: (rest) => rest.mapValues(() => '-').to(out) })
        expect(Object.keys(branches)).toEqual(['3', 'a'])
        branches.a.to(out)
        branches[3].to(out)
      }),
    )
    const outputs = ['a', 'b', 'c', 'd'].flatMap((value) => run.process('in', { key: 'k', value, timestamp: 1 }))
    expect(outputs).toEqual(['(k, A, ts=1)', '(k, B, ts=1)', '(k, c, ts=1)', '(k, -, ts=1)'])
  })

  it('refuses two branches of one name, also where the first did not come out', () => {
    const end = (all: KStream<string, string>) => all.foreach(() => {})
    const split = () =>
      new StreamsBuilder()
        .stream(text('in'))
        .split()
        .branch(() => true, { name: 'a', with: end })
    expect(() => split().branch(() => true, { name: 'a' })).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPOLOGY', message: expect.stringContaining("'a'") }),
    )
  })

  it('ends records that no branch takes where there is no default branch', () => {
    const run = new TopologyRun(
      built((stream) => {
        const branches = stream
          .split()
          .branch((value) => value === 'a')
          .noDefaultBranch()
        branches[1].to(out)
        expect(Object.keys(branches)).toEqual(['1'])
      }),
    )
    expect(run.process('in', { key: 'k', value: 'b', timestamp: 1 })).toEqual([])
    expect(run.drops).toEqual([])
  })

  it('names branches after the split, by number where the user gave no name; 0 is the default', () => {
    const topology = built((stream) => {
      const branches = stream
        .split()
        .branch(() => true)
        .branch(() => true, { name: '-named' })
        .branch(() => true)
        .defaultBranch()
      expect(Object.keys(branches)).toEqual(['0', '1', '3', '-named'])
      branches[0].to(out)
    })
    expect(namesOf(topology)).toEqual([
      'KSTREAM-SOURCE-0000000000',
      'KSTREAM-BRANCH-0000000001',
      'KSTREAM-BRANCH-00000000011',
      'KSTREAM-BRANCH-0000000001-named',
      'KSTREAM-BRANCH-00000000013',
      'KSTREAM-BRANCH-00000000010',
      'KSTREAM-SINK-0000000006',
    ])
  })

  it('keeps what is known of serdes and of changed keys', () => {
    const topology = built((stream) => {
      const branches = stream
        .selectKey((value) => value)
        .split()
        .defaultBranch()
      branches[0].groupByKey({ key: serde.string }).count()
    })
    expect(topology.subTopologies).toHaveLength(2)
  })

  it('refuses two branches of one name, names that no operator can have, and branches after its end', () => {
    const always = () => true
    expect(() =>
      built((stream) => void stream.split().branch(always, { name: 'a' }).branch(always, { name: 'a' })),
    ).toThrow("Two branches are named 'a' (operator KSTREAM-BRANCH-0000000001).")
    expect(() => built((stream) => void stream.split().branch(always, { name: 'a b' }))).toThrow(
      "'KSTREAM-BRANCH-0000000001a b' cannot be the name of an operator",
    )
    expect(() =>
      built((stream) => {
        const split = stream.split()
        split.noDefaultBranch()
        split.branch(always)
      }),
    ).toThrow('A branch was added after the split was ended (operator KSTREAM-BRANCH-0000000001).')
  })
})

function built(write: (stream: KStream<string, string>) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder.stream(text('in')))
  return builder.build()
}

function namesOf(topology: Topology): string[] {
  return topology.subTopologies.flatMap((subTopology) => subTopology.nodes.map((node) => node.name))
}
