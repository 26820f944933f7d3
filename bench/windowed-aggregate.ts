import { type ByteWriter, connect, StreamsBuilder, serde, TimeWindows, topic } from 'millrace'
import { countOf, runToEnd } from './application-run.ts'
import { type Events, numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { decodeBatches, finishBatch, putRecord } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const recordCount = 1_000_000
const rounds = 5
const windowMs = 60_000

interface Stats {
  count: number
  sum: number
  min: number
  max: number
}

const statsSerde = {
  name: 'stats',
  write(stats: Stats, out: ByteWriter): void {
    const at = out.reserve(32)
    out.buffer.writeDoubleBE(stats.count, at)
    out.buffer.writeDoubleBE(stats.sum, at + 8)
    out.buffer.writeDoubleBE(stats.min, at + 16)
    out.buffer.writeDoubleBE(stats.max, at + 24)
  },
  read: (bytes: Buffer, start: number): Stats => ({
    count: bytes.readDoubleBE(start),
    sum: bytes.readDoubleBE(start + 8),
    min: bytes.readDoubleBE(start + 16),
    max: bytes.readDoubleBE(start + 24),
  }),
}

const newStats = (): Stats => ({ count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY })

function addTo(stats: Stats, value: number): Stats {
  stats.count++
  stats.sum += value
  if (value < stats.min) stats.min = value
  if (value > stats.max) stats.max = value
  return stats
}

/** Count, sum, minimum and maximum per key in tumbling windows of a minute, every update written to the output topic. */
export async function windowedAggregate(keyCount: number): Promise<Comparison> {
  const events = numberEvents(recordCount, keyCount)
  const connection = await connect('memory:')
  const input = topic('in', { key: serde.string, value: serde.float64 })
  const bytes = await fillTopic(connection, input.name, events)
  let outputs = 0
  let updates = 0
  const ours = async () => {
    const output = topic(`out-${outputs++}`, { key: serde.windowed(serde.string), value: statsSerde })
    const builder = new StreamsBuilder()
    builder
      .stream(input)
      .groupByKey()
      .windowedBy(TimeWindows.of(windowMs))
      .aggregate(newStats, addTo, { store: 'stats', value: statsSerde })
      .toStream()
      .to(output)
    const count = await runToEnd(connection, builder.build())
    updates = await countOf(connection, output.name)
    return count
  }
  const hand = () => {
    const count = fusedLoop(bytes, events)
    if (updates !== 0 && updates !== count) throw new Error(`the two sides make ${updates} and ${count} updates`)
    return count
  }
  const result = await compare(`windowed aggregate, ${keyCount} keys`, hand, ours, {
    rounds,
    note: 'ours also keeps the state in a store with a changelog, commits it and its offsets, and writes to the log',
  })
  await connection.close()
  return result
}

/** Decode, look up in a Map of strings per window, update, encode: what one writes by hand, with state that dies with the process. */
function fusedLoop(bytes: Buffer, events: Events): number {
  const out = Buffer.alloc(128 * 1024)
  const scratch = Buffer.alloc(32)
  const start8 = Buffer.alloc(8)
  let window = new Map<string, Stats>()
  let windowStart = -1
  let end = 61
  let inBatch = 0
  let first = 0
  let last = 0
  let updates = 0
  decodeBatches(bytes, 0, bytes.length, (timestamp, keyStart, keyEnd, valueStart) => {
    const start = timestamp - (timestamp % windowMs)
    if (start !== windowStart) {
      window = new Map()
      windowStart = start
      start8.writeBigInt64BE(BigInt(start))
    }
    const key = bytes.toString('latin1', keyStart, keyEnd)
    let stats = window.get(key)
    if (stats === undefined) {
      stats = newStats()
      window.set(key, stats)
    }
    addTo(stats, bytes.readDoubleBE(valueStart))
    scratch.writeDoubleBE(stats.count, 0)
    scratch.writeDoubleBE(stats.sum, 8)
    scratch.writeDoubleBE(stats.min, 16)
    scratch.writeDoubleBE(stats.max, 24)
    if (inBatch === 0) first = timestamp
    last = timestamp
    end = putRecord(out, end, timestamp - first, inBatch, bytes, keyStart, keyEnd, start8, scratch, 32)
    inBatch++
    updates++
    if (end < 64 * 1024) return
    finishBatch(out, 0, end, inBatch, first, last)
    end = 61
    inBatch = 0
  })
  if (inBatch > 0) finishBatch(out, 0, end, inBatch, first, last)
  if (updates !== events.count) throw new Error('a record was left out')
  return updates
}
