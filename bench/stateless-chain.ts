import { connect, StreamsBuilder, serde, topic } from 'millrace'
import { countOf, runToEnd } from './application-run.ts'
import { type Events, jsonEvents, numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { decodeBatches, finishBatch, putRecord } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const recordCount = 500_000
const rounds = 5

interface Visit {
  readonly user: string
  readonly page: string
  readonly amount: number
  readonly type: string
}

/** What both sides do to a value: drop some, change the rest. */
interface Work<V> {
  readonly keeps: (value: V) => boolean
  readonly maps: (value: V) => V
  readonly read: (bytes: Buffer, start: number, end: number) => V
  readonly write: (value: V, out: Buffer) => number
}

/** Filter and mapValues over float64 values: nearly all of the time is the engine's. */
export function numberChain(): Promise<Comparison> {
  const work: Work<number> = {
    keeps: (celsius) => celsius > 20,
    maps: (celsius) => celsius * 1.8 + 32,
    read: (bytes, start) => bytes.readDoubleBE(start),
    write: (value, out) => out.writeDoubleBE(value, 0),
  }
  const types = { key: serde.string, value: serde.float64 }
  return chain('stateless chain, numbers', numberEvents(recordCount, 1_000), work, topic('in', types), () =>
    topic(`out-${outputs++}`, types),
  )
}

/** The same over JSON, where parsing and writing JSON is most of the time on both sides. */
export function jsonChain(): Promise<Comparison> {
  const work: Work<Visit> = {
    keeps: (visit) => visit.amount > 2_800,
    maps: (visit) => ({ ...visit, amount: visit.amount / 100 }),
    read: (bytes, start, end) => JSON.parse(bytes.toString('utf8', start, end)),
    write: (value, out) => out.write(JSON.stringify(value), 0, 'utf8'),
  }
  const types = { key: serde.string, value: serde.json<Visit>() }
  return chain('stateless chain, JSON', jsonEvents(recordCount, 1_000), work, topic('in', types), () =>
    topic(`out-${outputs++}`, types),
  )
}

let outputs = 0

async function chain<V>(
  name: string,
  events: Events,
  work: Work<V>,
  input: ReturnType<typeof topic<string, V>>,
  nextOutput: () => ReturnType<typeof topic<string, V>>,
): Promise<Comparison> {
  const connection = await connect('memory:')
  const bytes = await fillTopic(connection, input.name, events)
  let kept = 0
  const ours = async () => {
    const output = nextOutput()
    const builder = new StreamsBuilder()
    builder.stream(input).filter(work.keeps).mapValues(work.maps).to(output)
    const count = await runToEnd(connection, builder.build())
    kept = await countOf(connection, output.name)
    return count
  }
  const hand = () => {
    const count = fusedLoop(bytes, events.count, work)
    if (kept !== 0 && kept !== count) throw new Error(`the two sides keep ${kept} and ${count} records`)
    return events.count
  }
  const result = await compare(name, hand, ours, {
    rounds,
    note: 'filter + mapValues + to; hand: one loop from batches in memory to batches in memory',
  })
  await connection.close()
  return result
}

/** Decode, filter, map, encode in one loop; returns how many records were kept. */
function fusedLoop<V>(bytes: Buffer, _count: number, work: Work<V>): number {
  const out = Buffer.alloc(128 * 1024)
  const scratch = Buffer.alloc(4_096)
  let end = 61
  let inBatch = 0
  let first = 0
  let last = 0
  let kept = 0
  decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, keyEnd, valueStart, valueEnd) => {
    const value = work.read(bytes, valueStart, valueEnd)
    if (!work.keeps(value)) return
    const length = work.write(work.maps(value), scratch)
    if (inBatch === 0) first = timestamp
    last = timestamp
    end = putRecord(out, end, timestamp - first, inBatch, bytes, keyStart, keyEnd, undefined, scratch, length)
    inBatch++
    kept++
    if (end < 64 * 1024) return
    finishBatch(out, 0, end, inBatch, first, last)
    end = 61
    inBatch = 0
  })
  if (inBatch > 0) finishBatch(out, 0, end, inBatch, first, last)
  return kept
}
