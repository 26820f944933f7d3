import {
  type Connection,
  connect,
  JoinWindows,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  untilWindowCloses,
} from 'millrace'
import { runToEnd } from './application-run.ts'
import { numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { decodeBatches } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const usualRecords = 200_000
const rounds = 5
const second = 1_000

/** One record, decoded by hand: the key as a string, as most who write such a loop have it. */
type Take = (key: string, value: number, timestamp: number) => void

interface Family {
  readonly keyCount: number
  /** Default: 200,000. */
  readonly records?: number
  /** Adds the operators behind the input; `emit` is called for every result. */
  readonly build: (builder: StreamsBuilder, input: Input, emit: () => void) => void
  /** The same work by hand, with state in Maps that dies with the process; `emit` is called for every result. */
  readonly hand: (emit: () => void) => Take
}

type Input = ReturnType<typeof inputTopic>

/**
 * Each family of operators behind a source, its results counted and not written, against a loop over the same bytes that does
 * the same work. Ours also keeps the state in a store in memory with a changelog, and commits it with the offsets.
 */
export const operatorFamilies: Readonly<Record<string, () => Promise<Comparison>>> = {
  'operators: filter, map, flatMapValues': () => measure(stateless),
  'operators: count, 1e3 keys': () => measure(counting(1_000)),
  'operators: count, 1e5 keys': () => measure(counting(100_000)),
  'operators: count, 1e5 keys, 2e6 records': () => measure({ ...counting(100_000), records: 2_000_000 }),
  'operators: reduce, 1e3 keys': () => measure(reducing),
  'operators: hopping window, 5 hops': () => measure(hopping),
  'operators: sliding window': () => measure(sliding),
  'operators: session window': () => measure(sessions),
  'operators: window and suppress': () => measure(suppressed),
  'operators: stream-table join': () => measure(streamTableJoin),
  'operators: stream-stream join': () => measure(streamStreamJoin),
  'operators: table-table join': () => measure(tableTableJoin),
}

const numbers = { key: serde.string, value: serde.float64 } as const

function inputTopic(name: string) {
  return topic(name, numbers)
}

async function measure(family: Family): Promise<Comparison> {
  const recordCount = family.records ?? usualRecords
  const events = numberEvents(recordCount, family.keyCount)
  const connection = await connect('memory:')
  const input = inputTopic('in')
  const bytes = await fillTopic(connection, input.name, events)
  let ours = 0
  let hand = 0
  const result = await compare(
    'operators',
    () => {
      hand = 0
      loop(
        bytes,
        family.hand(() => hand++),
      )
      requireEqual(ours, hand)
      return events.count
    },
    async () => {
      ours = 0
      await runFamily(connection, family, input, () => ours++)
      requireEqual(ours, hand)
      return events.count
    },
    { rounds, note: `${ours} results of ${recordCount} records` },
  )
  await connection.close()
  return { ...result, note: `${(ours / recordCount).toFixed(2)} results a record` }
}

function runFamily(connection: Connection, family: Family, input: Input, emit: () => void): Promise<number> {
  const builder = new StreamsBuilder()
  family.build(builder, input, emit)
  return runToEnd(connection, builder.build())
}

/** A side that has not run yet has counted nothing. */
function requireEqual(ours: number, hand: number): void {
  if (ours !== 0 && hand !== 0 && ours !== hand) throw new Error(`ours has ${ours} results, the loop by hand ${hand}`)
}

function loop(bytes: Buffer, take: Take): void {
  decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, keyEnd, valueStart) => {
    take(bytes.toString('latin1', keyStart, keyEnd), bytes.readDoubleBE(valueStart), timestamp)
  })
}

const stateless: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .filter((value) => value > 20)
      .map((value, key) => [key, value * 2])
      .flatMapValues((value) => [value, value + 1])
      .foreach(emit)
  },
  hand: (emit) => (_key, value) => {
    if (value <= 20) return
    const doubled = value * 2
    for (const one of [doubled, doubled + 1]) if (one >= 0) emit()
  },
}

function counting(keyCount: number): Family {
  return {
    keyCount,
    build(builder, input, emit) {
      builder.stream(input).groupByKey().count({ store: 'counts' }).toStream().foreach(emit)
    },
    hand(emit) {
      const counts = new Map<string, number>()
      return (key) => {
        counts.set(key, (counts.get(key) ?? 0) + 1)
        emit()
      }
    },
  }
}

const reducing: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .groupByKey()
      .reduce((sum, value) => sum + value, { store: 'sums' })
      .toStream()
      .foreach(emit)
  },
  hand(emit) {
    const sums = new Map<string, number>()
    return (key, value) => {
      const sum = sums.get(key)
      sums.set(key, sum === undefined ? value : sum + value)
      emit()
    }
  },
}

const hopping: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(TimeWindows.of(10 * second).advanceBy(2 * second))
      .count({ store: 'counts' })
      .toStream()
      .foreach(emit)
  },
  hand(emit) {
    const windows = new Map<number, Map<string, number>>()
    return (key, _value, timestamp) => {
      const last = timestamp - (timestamp % (2 * second))
      for (let start = last - 8 * second; start <= last; start += 2 * second) {
        let counts = windows.get(start)
        if (counts === undefined) {
          counts = new Map()
          windows.set(start, counts)
          windows.delete(start - 10 * second)
        }
        counts.set(key, (counts.get(key) ?? 0) + 1)
        emit()
      }
    }
  },
}

const sliding: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(SlidingWindows.of(5 * second).grace(0))
      .count({ store: 'counts' })
      .toStream()
      .foreach(emit)
  },
  /** Records come in order here: each makes the window that ends with it, and is in the windows that began after those before it. */
  hand(emit) {
    const byKey = new Map<string, number[]>()
    return (key, _value, timestamp) => {
      let times = byKey.get(key)
      if (times === undefined) {
        times = []
        byKey.set(key, times)
      }
      while (times.length > 0 && (times[0] as number) < timestamp - 5 * second) times.shift()
      for (let i = 0; i < times.length; i++) if ((times[i] as number) !== timestamp) emit()
      times.push(timestamp)
      emit()
    }
  },
}

const sessions: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(SessionWindows.withGap(second))
      .count({ store: 'counts' })
      .toStream()
      .filter((count) => count !== null)
      .foreach(emit)
  },
  hand(emit) {
    const open = new Map<string, { end: number; count: number }>()
    return (key, _value, timestamp) => {
      const session = open.get(key)
      if (session === undefined || timestamp - session.end > second) open.set(key, { end: timestamp, count: 1 })
      else {
        session.end = timestamp
        session.count++
      }
      emit()
    }
  },
}

const suppressed: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(TimeWindows.of(10 * second))
      .count({ store: 'counts' })
      .suppress(untilWindowCloses())
      .toStream()
      .foreach(emit)
  },
  hand(emit) {
    let counts = new Map<string, number>()
    let start = -1
    return (key, _value, timestamp) => {
      const own = timestamp - (timestamp % (10 * second))
      if (own !== start) {
        for (const count of counts.values()) if (count > 0) emit()
        counts = new Map()
        start = own
      }
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  },
}

const streamTableJoin: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    const stream = builder.stream(input)
    const table = stream.toTable({ store: 'latest' })
    stream.join(table, (value, latest) => value + latest).foreach(emit)
  },
  hand(emit) {
    const latest = new Map<string, number>()
    return (key, value) => {
      latest.set(key, value)
      if (value + (latest.get(key) as number) >= 0) emit()
    }
  },
}

const streamStreamJoin: Family = {
  keyCount: 10_000,
  build(builder, input, emit) {
    const stream = builder.stream(input)
    const low = stream.filter((value) => value < 50)
    const high = stream.filter((value) => value >= 50)
    low.join(high, (a, b) => a + b, { within: JoinWindows.of(2 * second) }).foreach(emit)
  },
  hand(emit) {
    const sides: [Map<string, number[]>, Map<string, number[]>] = [new Map(), new Map()]
    return (key, value, timestamp) => {
      const own = value < 50 ? 0 : 1
      const others = sides[own === 0 ? 1 : 0].get(key)
      if (others !== undefined) {
        while (others.length > 0 && (others[0] as number) < timestamp - 2 * second) others.shift()
        for (let i = 0; i < others.length; i++) emit()
      }
      const mine = sides[own].get(key)
      if (mine === undefined) sides[own].set(key, [timestamp])
      else mine.push(timestamp)
    }
  },
}

const tableTableJoin: Family = {
  keyCount: 1_000,
  build(builder, input, emit) {
    const stream = builder.stream(input)
    const low = stream.filter((value) => value < 50).toTable({ store: 'low' })
    const high = stream.filter((value) => value >= 50).toTable({ store: 'high' })
    low
      .join(high, (a, b) => a + b)
      .toStream()
      .foreach(emit)
  },
  hand(emit) {
    const sides: [Map<string, number>, Map<string, number>] = [new Map(), new Map()]
    return (key, value) => {
      const own = value < 50 ? 0 : 1
      sides[own].set(key, value)
      if (sides[own === 0 ? 1 : 0].has(key)) emit()
    }
  },
}
