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
import { decodeBatches, finishBatch, putRecord } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const usualRecords = 200_000
const rounds = 5
const second = 1_000

/** The same work by hand, with state in Maps that dies with the process. */
interface Hand {
  /** One record, decoded by hand: the key as a string, as most who write such a loop have it. */
  readonly take: (key: string, value: number, timestamp: number) => void
  /** Calls `log` for each row of the state: what ours logs when it commits. */
  readonly eachRow: (log: (key: string, time: number, value: number) => void) => void
}

interface Family {
  readonly keyCount: number
  /** Default: 200,000. */
  readonly records?: number
  /** Adds the operators behind the input; `emit` is called for every result. */
  readonly build: (builder: StreamsBuilder, input: Input, emit: () => void) => void
  /** `emit` is called for every result. */
  readonly hand: (emit: () => void) => Hand
}

type Input = ReturnType<typeof inputTopic>

/**
 * Each family of operators behind a source, its results counted and not written, against a loop over the same bytes that does
 * the same work, and at its end encodes its state into batches, as ours does into a changelog at each commit. Ours also writes these to
 * a log, and keeps the rows in a store engine in memory.
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
  let rows = 0
  const result = await compare(
    'operators',
    () => {
      hand = 0
      rows = loop(
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
  const logs = rows === 0 ? 'encodes no state' : `encodes ${rows} rows of state at its end`
  return { ...result, note: `${(ours / recordCount).toFixed(2)} results a record; hand: Maps, ${logs}` }
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

/** Returns how many rows of state it encoded. */
function loop(bytes: Buffer, { take, eachRow }: Hand): number {
  decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, keyEnd, valueStart) => {
    take(bytes.toString('latin1', keyStart, keyEnd), bytes.readDoubleBE(valueStart), timestamp)
  })
  return encodeState(eachRow)
}

/** Encodes rows as batches of 64 KiB. */
function encodeState(eachRow: Hand['eachRow']): number {
  const out = Buffer.alloc(128 * 1024)
  const keyBytes = Buffer.alloc(64)
  const valueBytes = Buffer.alloc(8)
  let end = 61
  let inBatch = 0
  let rows = 0
  eachRow((key, time, value) => {
    const keyEnd = keyBytes.write(key, 0, 'latin1')
    keyBytes.writeDoubleBE(time, keyEnd)
    valueBytes.writeDoubleBE(value, 0)
    end = putRecord(out, end, 0, inBatch, keyBytes, 0, keyEnd + 8, undefined, valueBytes, 8)
    inBatch++
    rows++
    if (end < 64 * 1024) return
    finishBatch(out, 0, end, inBatch, time, time)
    end = 61
    inBatch = 0
  })
  if (inBatch > 0) finishBatch(out, 0, end, inBatch, 0, 0)
  return rows
}

/** The rows of a Map of numbers. */
function eachRowOf(values: ReadonlyMap<string, number>): Hand['eachRow'] {
  return (log) => {
    for (const [key, value] of values) log(key, 0, value)
  }
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
  hand: (emit) => ({
    take(_key, value) {
      if (value <= 20) return
      const doubled = value * 2
      for (const one of [doubled, doubled + 1]) if (one >= 0) emit()
    },
    eachRow() {},
  }),
}

function counting(keyCount: number): Family {
  return {
    keyCount,
    build(builder, input, emit) {
      builder.stream(input).groupByKey().count({ store: 'counts' }).toStream().foreach(emit)
    },
    hand(emit) {
      const counts = new Map<string, number>()
      return {
        take(key) {
          counts.set(key, (counts.get(key) ?? 0) + 1)
          emit()
        },
        eachRow: eachRowOf(counts),
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
    return {
      take(key, value) {
        const sum = sums.get(key)
        sums.set(key, sum === undefined ? value : sum + value)
        emit()
      },
      eachRow: eachRowOf(sums),
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
    return {
      take(key, _value, timestamp) {
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
      },
      eachRow(log) {
        for (const [start, counts] of windows) for (const [key, count] of counts) log(key, start, count)
      },
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
    interface Window {
      readonly start: number
      count: number
    }
    const byKey = new Map<string, { last: number; readonly open: Window[]; readonly ended: Window[] }>()
    return {
      take(key, _value, timestamp) {
        let windows = byKey.get(key)
        if (windows === undefined) {
          windows = { last: -1, open: [], ended: [] }
          byKey.set(key, windows)
        }
        const { last, open, ended } = windows
        // The window behind the record before this one.
        if (last >= timestamp - 5 * second && last !== timestamp) open.push({ start: last + 1, count: 0 })
        while (open.length > 0 && (open[0] as Window).start < timestamp - 5 * second) ended.push(open.shift() as Window)
        let inWindow = 1
        for (let i = 0; i < open.length; i++) {
          const window = open[i] as Window
          window.count++
          inWindow = Math.max(inWindow, window.count + 1)
          emit()
        }
        // The window that ends with this one has, beside what the first open one has, the record before that; they may be one.
        if (open[0]?.start !== timestamp - 5 * second) {
          ended.push({ start: timestamp - 5 * second, count: inWindow })
          emit()
        }
        while (ended.length > 0 && (ended[0] as Window).start < timestamp - 15 * second) ended.shift()
        windows.last = timestamp
      },
      eachRow(log) {
        for (const [key, { open, ended }] of byKey) {
          for (const window of open) log(key, window.start, window.count)
          for (const window of ended) log(key, window.start, window.count)
        }
      },
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
    return {
      take(key, _value, timestamp) {
        const session = open.get(key)
        if (session === undefined || timestamp - session.end > second) open.set(key, { end: timestamp, count: 1 })
        else {
          session.end = timestamp
          session.count++
        }
        emit()
      },
      eachRow(log) {
        for (const [key, { end, count }] of open) log(key, end, count)
      },
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
    return {
      take(key, _value, timestamp) {
        const own = timestamp - (timestamp % (10 * second))
        if (own !== start) {
          for (const count of counts.values()) if (count > 0) emit()
          counts = new Map()
          start = own
        }
        counts.set(key, (counts.get(key) ?? 0) + 1)
      },
      eachRow: (log) => eachRowOf(counts)(log),
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
    return {
      take(key, value) {
        latest.set(key, value)
        if (value + (latest.get(key) as number) >= 0) emit()
      },
      eachRow: eachRowOf(latest),
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
    interface Kept {
      readonly time: number
      readonly value: number
    }
    const sides: [Map<string, Kept[]>, Map<string, Kept[]>] = [new Map(), new Map()]
    let latest = 0
    return {
      take(key, value, timestamp) {
        const own = value < 50 ? 0 : 1
        const others = sides[own === 0 ? 1 : 0].get(key)
        if (others !== undefined) {
          while (others.length > 0 && (others[0] as Kept).time < timestamp - 2 * second) others.shift()
          for (let i = 0; i < others.length; i++) if (value + (others[i] as Kept).value >= 0) emit()
        }
        const mine = sides[own].get(key)
        if (mine === undefined) sides[own].set(key, [{ time: timestamp, value }])
        else mine.push({ time: timestamp, value })
        latest = timestamp
      },
      eachRow(log) {
        for (const side of sides) {
          for (const [key, kept] of side) {
            for (const { time, value } of kept) if (time >= latest - 4 * second) log(key, time, value)
          }
        }
      },
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
    return {
      take(key, value) {
        const own = value < 50 ? 0 : 1
        sides[own].set(key, value)
        if (sides[own === 0 ? 1 : 0].has(key)) emit()
      },
      eachRow(log) {
        for (const side of sides) eachRowOf(side)(log)
      },
    }
  },
}
