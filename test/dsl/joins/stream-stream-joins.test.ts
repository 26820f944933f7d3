import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import type { KStream } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { planTopics } from '../../../src/runtime/topic-plan.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { topic } from '../../../src/topic.ts'
import type { Topology } from '../../../src/topology/topology.ts'
import { type JoinCase, type JoinEvent, type JoinKind, run, text, topologyOf } from './join-cases.ts'
import { StreamJoinModel } from './stream-join-model.ts'

const joiner = (left: string | null, right: string | null): string => `${left}+${right}`
const within = JoinWindows.of(10)
const kinds: readonly JoinKind[] = ['inner', 'left', 'outer']

const windows = fc
  .record({ before: fc.integer({ min: -3, max: 8 }), after: fc.integer({ min: -3, max: 8 }), grace: fc.nat(10) })
  .filter(({ before, after }) => before + after >= 0)

/** Steps of event time, mostly forward. */
const events = fc
  .array(
    fc.tuple(
      fc.constantFrom('L', 'R'),
      fc.option(fc.constantFrom('k', 'l', 'kk'), { freq: 12 }),
      fc.option(fc.constantFrom('v'), { freq: 12 }),
      fc.integer({ min: -12, max: 6 }),
    ),
    { maxLength: 40 },
  )
  .map((steps) => {
    let time = 0
    return steps.map(([name, key, value, step], i): JoinEvent => {
      time = Math.max(0, time + step)
      return [name, key, value === null ? null : `v${i}`, time]
    })
  })

const file = new URL('../../vectors/stream-join-topics.json', import.meta.url)
const [logged] = (JSON.parse(readFileSync(file, 'utf8')) as { cases: LoggedJoin[] }).cases

/** What Kafka Streams 4.1.1 wrote to changelogs: keys and values in hex. */
interface LoggedJoin extends JoinCase {
  readonly topics: Readonly<Record<string, readonly (readonly [string, string | null, number])[]>>
}

describe('a join of two streams', () => {
  it.each(kinds)('is what the rules say, %s, also when it is restarted', (kind) => {
    fc.assert(
      fc.property(windows, events, fc.array(fc.nat(39)), (window, all, restarts) => {
        const join: JoinCase = { op: 'stream-stream', kind, ...window, events: all }
        const model = new StreamJoinModel(join)
        const expected = all.map((event, step) => {
          const outputs = model.process(event)
          if (restarts.includes(step)) model.restart()
          return outputs
        })
        expect(run(join, (step) => restarts.includes(step))).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  it.each(kinds)('of streams in order gives each pair once, and alone what is in none, %s', (kind) => {
    fc.assert(
      fc.property(windows, events, fc.array(fc.nat(39)), (window, all, restarts) => {
        // Not near 1970, where Kafka Streams lets no window begin or end earlier.
        const inOrder = all
          .filter(([, key, value]) => key !== null && value !== null)
          .map(([name, key, value, time]): JoinEvent => [name, key, value, time + 100])
          .sort((a, b) => a[3] - b[3])
        // Event time far ahead, of another key, closes every window.
        const last: JoinEvent[] = [
          ['L', 'end', 'end', 1_000],
          ['R', 'end', 'end', 1_000 + window.after],
        ]
        // Without grace the buffer is too short for a match at the very edge, as in Kafka Streams.
        const grace = window.grace + 1 + Math.max(0, -window.before, -window.after)
        const join: JoinCase = { op: 'stream-stream', kind, ...window, grace, events: [...inOrder, ...last] }
        const outputs = run(join, (step) => restarts.includes(step)).flat()
        const isMatch = ([, key, , time]: JoinEvent, [, other, , otherTime]: JoinEvent): boolean =>
          key === other && otherTime >= time - window.before && otherTime <= time + window.after
        const lefts = inOrder.filter(([name]) => name === 'L')
        const rights = inOrder.filter(([name]) => name === 'R')
        const pairs = lefts.flatMap((left) =>
          rights.filter((right) => isMatch(left, right)).map((right) => joiner(left[2], right[2])),
        )
        const lonelyLefts = lefts.filter((left) => !rights.some((right) => isMatch(left, right)))
        const lonelyRights = rights.filter((right) => !lefts.some((left) => isMatch(left, right)))
        if (kind !== 'inner') pairs.push(...lonelyLefts.map((left) => joiner(left[2], null)))
        if (kind === 'outer') pairs.push(...lonelyRights.map((right) => joiner(null, right[2])))
        const values = outputs.flatMap(([key, value]) => (key === 'end' ? [] : [value as string]))
        expect(values.toSorted()).toEqual(pairs.toSorted())
      }),
      { numRuns: 200 },
    )
  })

  it("logs Kafka Streams' bytes, but for how records of one key and time are numbered, and the times of deletions", () => {
    using driver = new TopologyTestDriver(topologyOf(logged), { applicationId: 'app' })
    for (const [name, key, value, timestamp] of logged.events) driver.input(text(name)).pipe({ key, value, timestamp })
    for (const [name, records] of Object.entries(logged.topics)) {
      const raw = topic(name, { key: serde.bytes, value: serde.bytes })
      const isNumbered = !name.includes('OUTERSHARED')
      const found = driver.output(raw).readAll()
      const lines = found.map(({ key, value, timestamp }) => [hexOf(key), hexOf(value), timestamp])
      const comparable = ([key, value, timestamp]: readonly unknown[]) => [
        isNumbered ? String(key).slice(0, -8) : key,
        value,
        value === null ? 'any' : timestamp,
      ]
      expect(lines.map(comparable)).toEqual(records.map(comparable))
      expect(records.length).toBeGreaterThan(2)
    }
  })

  it('keeps records only as long as they can be matched, and waits for no more than it must', () => {
    const builder = new StreamsBuilder()
    const [left, right] = ['L', 'R'].map((name) => builder.stream(text(name)))
    left.outerJoin(right, joiner, { within, name: 'j' }).to(text('out'))
    using driver = new TopologyTestDriver(builder.build())
    for (let i = 0; i < 3_000; i++) {
      driver.input(text(i % 2 === 0 ? 'L' : 'R')).pipe({ key: `k${i}`, value: 'v', timestamp: i })
    }
    expect(driver.output(text('out')).readAll()).toHaveLength(2_989)
    driver.restart()
    driver.input(text('L')).pipe({ key: 'k2999', value: 'w', timestamp: 3_000 })
    expect(driver.output(text('out')).readAll()).toEqual([
      { key: 'k2989', value: 'null+v', timestamp: 2_989 },
      { key: 'k2999', value: 'w+v', timestamp: 3_000 },
    ])
  })

  it('has stores that a test does not read', () => {
    using driver = new TopologyTestDriver(topologyOf(logged))
    for (const name of ['KSTREAM-OUTERTHIS-0000000004-store', 'KSTREAM-OUTERSHARED-0000000004-store']) {
      expect(() => driver.store(name).get('k')).toThrow('what becomes of them is read from the output')
    }
  })

  it('counts records that cannot be joined', () => {
    const builder = new StreamsBuilder()
    const [left, right] = ['L', 'R'].map((name) => builder.stream(text(name)))
    left.leftJoin(right, joiner, { within, name: 'j' }).to(text('out'))
    using driver = new TopologyTestDriver(builder.build())
    for (const name of ['L', 'R']) {
      driver.input(text(name)).pipe({ key: null, value: 'v', timestamp: 1 })
      driver.input(text(name)).pipe({ key: 'k', value: null, timestamp: 1 })
      driver.input(text(name)).pipe({ key: null, value: null, timestamp: 1 })
    }
    expect(driver.drops()).toEqual([
      { operator: 'j-this-join', reason: 'null-value', count: 1 },
      { operator: 'j-this-join', reason: 'null-key', count: 1 },
      { operator: 'j-outer-other-join', reason: 'null-key', count: 2 },
      { operator: 'j-outer-other-join', reason: 'null-value', count: 1 },
    ])
    expect(driver.output(text('out')).readAll()).toEqual([{ key: null, value: 'v+null', timestamp: 1 }])
  })

  it('of streams with new keys goes through topics named after the join', () => {
    const topology = written((left, right) => {
      const [a, b] = [left, right].map((stream) => stream.selectKey((value) => value))
      const serdes = { key: serde.string, value: serde.string, otherValue: serde.string }
      a.outerJoin(b, joiner, { within, name: 'j', store: 's', ...serdes }).to(text('out'))
    })
    const nodes = topology.subTopologies.flatMap((each) => each.nodes.map(({ name }) => name))
    expect(nodes.filter((name) => name.startsWith('j'))).toEqual([
      'j-left-repartition-filter',
      'j-left-repartition-sink',
      'j-right-repartition-filter',
      'j-right-repartition-sink',
      'j-left-repartition-source',
      'j-right-repartition-source',
      'j-this-windowed',
      'j-other-windowed',
      'j-outer-this-join',
      'j-outer-other-join',
      'j-merge',
    ])
    expect(topology.subTopologies.flatMap(({ stores }) => stores.map(({ name }) => name))).toEqual([
      's-outer-this-join-store',
      's-outer-other-join-store',
      's-outer-shared-join-store',
    ])
    using driver = new TopologyTestDriver(topology)
    driver.input(text('L')).pipe({ key: null, value: 'k', timestamp: 1 })
    driver.input(text('R')).pipe({ key: null, value: 'k', timestamp: 2 })
    expect(driver.output(text('out')).readAll()).toEqual([{ key: 'k', value: 'k+k', timestamp: 2 }])
  })

  it('looks for what found no match at most so often as it is told, by the clock on the wall', () => {
    const options = { within, emitEvery: '1s' } as const
    const stepsOf = (write: (left: KStream<string, string>, right: KStream<string, string>) => void) => {
      using driver = new TopologyTestDriver(written(write), { startMs: 5_000 })
      const pipe = (name: string, key: string, timestamp: number): string[] => {
        driver.input(text(name)).pipe({ key, value: key, timestamp })
        const records = driver.output(text('out')).readAll()
        return records.map(({ value, timestamp }) => `${value}@${timestamp}`)
      }
      const early = [pipe('L', 'a', 0), pipe('L', 'b', 20), pipe('L', 'c', 40), pipe('R', 'x', 60)]
      driver.advanceWallClockTime(999)
      const justBefore = pipe('R', 'w', 70)
      driver.advanceWallClockTime(1)
      const due = [pipe('R', 'w', 70), pipe('R', 'y', 80), pipe('L', 'd', 100)]
      driver.advanceWallClockTime(1_000)
      return [...early, justBefore, ...due, pipe('L', 'e', 120)]
    }
    // As Kafka Streams 4.1.1 gave it, with its interval of a second, which its test driver otherwise turns off.
    const first = [[], [], [], [], [], ['a+null@0', 'b+null@20', 'c+null@40'], [], []]
    expect(stepsOf((l, r) => l.leftJoin(r, joiner, options).to(text('out')))).toEqual([...first, ['d+null@100']])
    const right = ['null+x@60', 'null+w@70', 'null+w@70', 'null+y@80']
    expect(stepsOf((l, r) => l.outerJoin(r, joiner, options).to(text('out')))).toEqual([
      ...first,
      [...right, 'd+null@100'],
    ])
    const badly = { within, emitEvery: 'often' as never }
    expect(() => written((l, r) => void l.leftJoin(r, joiner, badly))).toThrow(
      "'often' is not a time between two searches",
    )
  })

  it('counts the time between two searches from the first record on, also where nothing can wait so long yet', () => {
    const options = { within: within.grace(15), emitEvery: '1s' } as const
    using driver = new TopologyTestDriver(written((l, r) => l.leftJoin(r, joiner, options).to(text('out'))))
    const pipe = (name: string, key: string, timestamp: number) => {
      driver.input(text(name)).pipe({ key, value: key, timestamp })
      return driver
        .output(text('out'))
        .readAll()
        .map(({ value }) => value)
    }
    expect(pipe('L', 'a', 0)).toEqual([])
    driver.advanceWallClockTime(600)
    expect(pipe('L', 'b', 40)).toEqual([])
    driver.advanceWallClockTime(400)
    expect(pipe('R', 'x', 60)).toEqual(['a+null'])
  })

  it('is refused where it could not run, and says why', () => {
    expect(() => written((left, right) => void left.mapValues((v) => v).join(right, joiner, { within }))).toThrow(
      "No serde is known for the values that 'KSTREAM-MAPVALUES-0000000002' makes, but the store 'KSTREAM-JOINTHIS-0000000005-store' needs one (operator KSTREAM-JOINTHIS-0000000005). Give it in join(..., { value }).",
    )
    expect(() =>
      written(
        (left, right) =>
          void left.leftJoin(
            right.mapValues((v) => v),
            joiner,
            { within },
          ),
      ),
    ).toThrow('Give it in leftJoin(..., { otherValue }).')
    const rekeyed = (left: KStream<string, string>, right: KStream<string, string>) =>
      void left.outerJoin(
        right.mapValues((v) => v).selectKey((v) => v, { name: 'new' }),
        joiner,
        {
          within,
          key: serde.string,
        },
      )
    expect(() => written(rekeyed)).toThrow('Give it in outerJoin({ otherValue }).')
    expect(() => written((left, right) => void left.join(right, joiner, {} as never))).toThrow(
      "A join of streams needs to know how far apart records may be (operator KSTREAM-SOURCE-0000000000). Give it: { within: JoinWindows.of('5m') }.",
    )
    const stranger = new StreamsBuilder().stream(text('R'))
    expect(() => written((left) => void left.join(stranger, joiner, { within }))).toThrow(
      'Only what begins with the same StreamsBuilder can be joined',
    )
    const wide = topic('R', { key: serde.string, value: serde.string, partitions: 2 })
    const builder = new StreamsBuilder()
    builder.stream(text('L')).join(builder.stream(wide), joiner, { within }).to(text('out'))
    expect(() => planTopics(builder.build(), 'app', [])).toThrow(
      "Topics that are joined have different numbers of partitions: 'L' has 1, 'R' has 2",
    )
  })
})

describe('the windows of a join', () => {
  it('may lie wholly before or after a record', () => {
    const after = JoinWindows.of('5m').before(-60_000)
    expect(after).toMatchObject({ beforeMs: -60_000, afterMs: 300_000, graceMs: 0, retentionMs: 240_000 })
    expect(JoinWindows.of(10).after(0).grace('1s')).toMatchObject({ beforeMs: 10, afterMs: 0, graceMs: 1_000 })
    expect(() => JoinWindows.of(10).before(-11)).toThrow('No right record is at most -11 ms before and 10 ms after')
    expect(() => JoinWindows.of(-1)).toThrow("'-1' is not a time difference")
    expect(() => JoinWindows.of(1).grace(-1)).toThrow("'-1' is not a grace period")
  })
})

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}

function written(write: (left: KStream<string, string>, right: KStream<string, string>) => void): Topology {
  const builder = new StreamsBuilder()
  write(builder.stream(text('L')), builder.stream(text('R')))
  return builder.build()
}
