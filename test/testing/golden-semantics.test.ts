import { describe, expect, it } from 'vitest'
import {
  JoinWindows,
  type KStream,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  UnlimitedWindows,
  untilTimeLimit,
  untilWindowCloses,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import type { Topic } from '../../src/topic.ts'
import type { Windowed } from '../../src/windowed.ts'
import { hasGoldenScenarios, readGoldenScenarios, type Step } from '../dsl/golden-scenarios.ts'

const text = (name: string) => topic(name, { key: serde.string, value: serde.string })
const number = { value: serde.json<number>() }
const texts = text('out')
const counts = topic('out', { key: serde.string, ...number })
const windowCounts = topic('out', { key: serde.windowed(serde.string, { size: 10 }), ...number })
const windowTexts = topic('out', { key: windowCounts.key, value: serde.string })
const unlimitedCounts = topic('out', { key: serde.windowed(serde.string), ...number })
const sessionCounts = topic('out', { key: serde.sessionWindowed(serde.string), ...number })

/** Writes a scenario to a topic `out`, and says how that is read. */
type Scenario = (builder: StreamsBuilder) => (driver: TopologyTestDriver) => string[]

const grouped = (builder: StreamsBuilder) => builder.stream(text('in')).groupByKey()
const deleting = (before: string, value: string) => (value === 'DEL' ? null : before + value)
const joined = (left: string | null, right: string | null) => `${left}+${right}`
/** What the types do not say: a record without a value has null. */
const orText = (value: string | null, otherwise: string) => value ?? otherwise

const counted: Scenario = (builder) => {
  grouped(builder).count(number).toStream().to(counts)
  return reads(counts)
}

const countedIn =
  (windows: TimeWindows | SlidingWindows): Scenario =>
  (builder) => {
    grouped(builder).windowedBy(windows).count(number).toStream().to(windowCounts)
    return reads(windowCounts)
  }

const countedWhenClosed =
  (windows: TimeWindows | SlidingWindows): Scenario =>
  (builder) => {
    grouped(builder).windowedBy(windows).emit('window-close').count(number).toStream().to(windowCounts)
    return reads(windowCounts)
  }

const countedInSessions: Scenario = (builder) => {
  grouped(builder).windowedBy(SessionWindows.withGap(10)).count(number).toStream().to(sessionCounts)
  return reads(sessionCounts)
}

const reduced =
  (reducer: (before: string, value: string) => string | null): Scenario =>
  (builder) => {
    grouped(builder).reduce(reducer).toStream().to(texts)
    return reads(texts)
  }

type Streams = KStream<string, string>
const joinedStreams =
  (join: (left: Streams, right: Streams, within: JoinWindows) => Streams): Scenario =>
  (builder) => {
    join(builder.stream(text('L')), builder.stream(text('R')), JoinWindows.of(10)).to(texts)
    return reads(texts)
  }

const streams: Readonly<Record<string, Scenario>> = {
  'count() ignores null values; null key dropped': counted,
  'cache on: TTD commits after every record': counted,
  'reduce: output ts = max(ts)': reduced((before, value) => before + value),
  'reduce to null deletes': reduced(deleting),
  'duplicate idempotent update on aggregate still forwarded (ts differs)': reduced((_, value) => value),
  'aggregate returning null deletes, re-inits next': (builder) => {
    grouped(builder)
      .aggregate(() => '', deleting, { value: serde.string })
      .toStream()
      .to(texts)
    return reads(texts)
  },
  'tumbling 10ms grace 5ms; late drop when windowEnd<=streamTime-grace': countedIn(TimeWindows.of(10).grace(5)),
  'stream time is per operator-task not per key (grace 0)': countedIn(TimeWindows.of(10)),
  'hopping size 10 advance 5': countedIn(TimeWindows.of(10).advanceBy(5)),
  'sliding diff 10 grace 50 out-of-order + early record (<diff)': (builder) => {
    const windows = grouped(builder).windowedBy(SlidingWindows.of(10).grace(50))
    const texts = windows.reduce((before, value) => before + value)
    texts.toStream().to(windowTexts)
    return reads(windowTexts)
  },
  'sliding count with null value': countedIn(SlidingWindows.of(10)),
  'unlimited window startOn(5)': (builder) => {
    const windows = grouped(builder).windowedBy(UnlimitedWindows.of().startOn(5))
    windows.count(number).toStream().to(unlimitedCounts)
    return reads(unlimitedCounts)
  },
  'session gap boundary inclusive: diff==gap merges': countedInSessions,
  'session count with null value': countedInSessions,
  'EmitStrategy.onWindowClose tumbling 10 grace 0': countedWhenClosed(TimeWindows.of(10)),
  'EmitStrategy.onWindowClose session gap 10': (builder) => {
    const sessions = grouped(builder).windowedBy(SessionWindows.withGap(10)).emit('window-close')
    sessions.count(number).toStream().to(sessionCounts)
    return reads(sessionCounts)
  },
  'suppress untilWindowCloses tumbling 10 grace 5': (builder) => {
    const windows = grouped(builder).windowedBy(TimeWindows.of(10).grace(5))
    windows.count(number).suppress(untilWindowCloses()).toStream().to(windowCounts)
    return reads(windowCounts)
  },
  'suppress maxRecords(1) emitEarly': (builder) => {
    const waiting = untilTimeLimit(1_000, { maxRecords: 1, whenFull: 'emit-early' })
    grouped(builder).count(number).suppress(waiting).toStream().to(counts)
    return reads(counts)
  },
  'suppress untilWindowCloses session': (builder) => {
    const windows = grouped(builder).windowedBy(SessionWindows.withGap(10))
    windows.count(number).suppress(untilWindowCloses()).toStream().to(sessionCounts)
    return reads(sessionCounts)
  },
  'null key on repartition (selectKey->null) dropped at aggregate': (builder) => {
    builder
      .stream(text('A'))
      .selectKey((value) => (value === 'n' ? null : value))
      .groupByKey({ key: serde.string })
      .count(number)
      .toStream()
      .to(counts)
    return reads(counts)
  },
  'merge + peek keep order; mapValues null value allowed': (builder) => {
    builder
      .stream(text('A'))
      .merge(builder.stream(text('B')))
      .peek(() => {})
      .mapValues((value) => orText(value, 'NULL'))
      .to(texts)
    return reads(texts)
  },
  'merge null-key stream': (builder) => {
    builder
      .stream(text('A'))
      .merge(builder.stream(text('B')))
      .to(texts)
    return reads(texts)
  },
  'flatMapValues on null value is called with null': (builder) => {
    builder
      .stream(text('A'))
      .flatMapValues((value) => orText(value, 'n').split(','))
      .to(texts)
    return reads(texts)
  },
  'branch first match wins; unmatched dropped without default': (builder) => {
    const branches = builder
      .stream(text('A'))
      .split()
      .branch((value) => value.includes('a'))
      .branch((value) => value.includes('b'))
      .noDefaultBranch()
    const first = branches[1].mapValues((value) => `1:${value}`)
    first.merge(branches[2].mapValues((value) => `2:${value}`)).to(texts)
    return reads(texts)
  },
}

const streamJoins: Readonly<Record<string, Scenario>> = {
  'stream-stream inner join 10ms': joinedStreams((left, right, within) => left.join(right, joined, { within })),
  'stream-stream left join 10ms no grace': joinedStreams((left, right, within) =>
    left.leftJoin(right, joined, { within }),
  ),
  'stream-stream outer join 10ms no grace': joinedStreams((left, right, within) =>
    left.outerJoin(right, joined, { within }),
  ),
  'stream-stream duplicates same key+ts all kept': joinedStreams((left, right, within) =>
    left.join(right, joined, { within }),
  ),
  'left join with grace: emit time': joinedStreams((left, right, within) =>
    left.leftJoin(right, joined, { within: within.grace(5) }),
  ),
}

const tables: Readonly<Record<string, Scenario>> = {
  'stream-table inner join': (builder) => {
    const table = builder.table(text('T'))
    builder.stream(text('S')).join(table, joined).to(texts)
    return reads(texts)
  },
  'stream-table left join': (builder) => {
    const table = builder.table(text('T'))
    builder.stream(text('S')).leftJoin(table, joined).to(texts)
    return reads(texts)
  },
  'selectKey null then left join keeps null key through repartition': (builder) => {
    const table = builder.table(text('T'))
    builder
      .stream(text('S'))
      .selectKey((value) => (value === 'n' ? null : value))
      .leftJoin(table, joined, { key: serde.string })
      .to(texts)
    return reads(texts)
  },
  'table-table left join': (builder) => {
    builder
      .table(text('A'))
      .leftJoin(builder.table(text('B')), joined)
      .toStream()
      .to(texts)
    return reads(texts)
  },
  'stream-globaltable join': (builder) => {
    const table = builder.globalTable(text('T'))
    builder
      .stream(text('S'))
      .join(table, joined, { keySelector: (value) => value })
      .to(texts)
    return reads(texts)
  },
  'stream-globaltable left join null mapped key': (builder) => {
    const table = builder.globalTable(text('T'))
    builder
      .stream(text('S'))
      .leftJoin(table, joined, { keySelector: (value) => (value === 'n' ? null : value) })
      .to(texts)
    return reads(texts)
  },
  'table.filter tombstones': (builder) => {
    const good = builder.table(text('A')).filter((value) => value === 'good')
    good.toStream().to(texts)
    return reads(texts)
  },
  'table.filter materialised': (builder) => {
    const good = builder.table(text('A')).filter((value) => value === 'good', { store: 'good' })
    good.toStream().to(texts)
    return reads(texts)
  },
  'table.groupBy.count: subtract then add': (builder) => {
    const byValue = builder
      .table(text('A'))
      .groupBy((value) => [value, value], { key: serde.string, value: serde.string })
    byValue.count(number).toStream().to(counts)
    return reads(counts)
  },
  'table.groupBy.aggregate same group key: sub+add order': (builder) => {
    const all = builder.table(text('A')).groupBy((value) => ['all', value], { key: serde.string, value: serde.string })
    const added = (aggregate: string, value: string) => `${aggregate}+${value}`
    const subtracted = (aggregate: string, value: string) => `${aggregate}-${value}`
    const lists = all.aggregate(() => '', added, subtracted, { value: serde.string })
    lists.toStream().to(texts)
    return reads(texts)
  },
  'toTable: null value = delete; count after toTable': (builder) => {
    builder.stream(text('A')).toTable().toStream().to(texts)
    return reads(texts)
  },
  'table source idempotent update': (builder) => {
    builder.table(text('T')).toStream().to(texts)
    return reads(texts)
  },
}

const scenarios: Readonly<Record<string, Scenario>> = { ...streams, ...streamJoins, ...tables }

/** Where Kafka Streams loses results, and what comes instead. */
const better: Readonly<Record<string, { readonly scenario: Scenario; readonly outputs: readonly string[] }>> = {
  'EmitStrategy.onWindowClose tumbling 10 grace 0, default retention, in-memory store: closed windows already expired from the store -> lost':
    {
      scenario: countedWhenClosed(TimeWindows.of(10)),
      outputs: ['-', '(k@[0,10], 1, ts=3)', '(k@[10,20], 1, ts=10)'],
    },
}

describe.runIf(hasGoldenScenarios)(
  'the public DSL gives what Kafka Streams gave (skipped without ../shared/golden)',
  () => {
    const golden = readGoldenScenarios()

    it('in every scenario that there is', () => {
      const listed = [...Object.keys(scenarios), ...Object.keys(better)]
      expect(listed.toSorted()).toEqual([...golden.keys()].toSorted())
    })

    it.each(Object.keys(scenarios))('%s', (title) => {
      const steps = golden.get(title) as Step[]
      expect(steps.length).toBeGreaterThan(0)
      expect(outputsOf(scenarios[title] as Scenario, steps, false)).toEqual(steps.map(describeStep))
    })

    it.each(Object.keys(better))('or more, where it lost results: %s', (title) => {
      const steps = golden.get(title) as Step[]
      const { scenario, outputs } = better[title] as (typeof better)[string]
      const expected = steps.map((step, i) => describeStep({ ...step, outputs: outputs[i] as string }))
      expect(outputsOf(scenario, steps, false)).toEqual(expected)
      expect(outputsOf(scenario, steps, true)).toEqual(expected)
    })

    it.each(Object.keys(scenarios))('also with a restart after each record: %s', (title) => {
      const steps = golden.get(title) as Step[]
      expect(outputsOf(scenarios[title] as Scenario, steps, true)).toEqual(steps.map(describeStep))
    })
  },
)

function outputsOf(write: Scenario, steps: readonly Step[], hasRestarts: boolean): string[] {
  const builder = new StreamsBuilder()
  const read = write(builder)
  using driver = new TopologyTestDriver(builder.build())
  return steps.map((step) => {
    driver.input(text(step.topic)).pipe(step.input)
    if (hasRestarts) driver.restart()
    return describeStep({ ...step, outputs: read(driver).join(' ') || '-' })
  })
}

function describeStep({ topic, input, outputs }: Step): string {
  return `${topic} (${input.key}, ${input.value}, ts=${input.timestamp}) -> ${outputs}`
}

function reads<K, V>(out: Topic<K, V>): (driver: TopologyTestDriver) => string[] {
  return (driver) =>
    driver
      .output(out)
      .readAll()
      .map(({ key, value, timestamp }) => `(${describeKey(key)}, ${value}, ts=${timestamp})`)
}

function describeKey(key: unknown): string {
  if (typeof key === 'string' || key === null) return String(key)
  const { key: inner, window } = key as Windowed<string>
  // A window that never ends has the last time there is as its end.
  const end = window.end === Number.MAX_SAFE_INTEGER ? '9223372036854775807' : window.end
  return `${inner}@[${window.start},${end}]`
}
