import {
  type KTable,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topic,
  type TopicSpec,
  type Topology,
  topic,
  untilWindowCloses,
  type Windowed,
} from '../../../src/index.ts'
import { greatest, ints, least, longs, partitions } from './numbers.ts'

/**
 * The topology of Kafka Streams' own smoke test (`SmokeTestClient`), whose driver knows only topics and bytes: it sends numbers for
 * 20 keys and checks what comes of them. Some tables are of topics that the application itself writes.
 */

const data = ints('data')
const echo = ints('echo')
const min = ints('min')
const minRaw = ints('min-raw')
const minSuppressed = ints('min-suppressed')
const max = ints('max')
const sum = longs('sum')
const smallSumRaw = ints('sws-raw')
const smallSumSuppressed = ints('sws-suppressed')
const difference = ints('dif')
const count = longs('cnt')
const average = topic('avg', { key: serde.string, value: serde.float64, partitions })
const countsOfCounts = longs('tagg')
/** Written by the driver, for a test that this one is not. */
const foreignKeys = topic('fk', { key: serde.int32, value: serde.string, partitions })

export const smokeTopics: readonly TopicSpec[] = [
  ...[data, echo, min, minRaw, minSuppressed, max, sum, smallSumRaw, smallSumSuppressed],
  ...[difference, count, average, countsOfCounts, foreignKeys],
]

/** The driver's last record for each partition, which moves event time and is no data. */
const isFlush = (key: string): boolean => key === 'flush'

export function smokeTopology(): Topology {
  const builder = new StreamsBuilder()
  const source = builder.stream(data)
  source.filterNot((_, key) => isFlush(key)).to(echo)
  const grouped = source.filter((value) => value !== greatest).groupByKey()

  const minima = grouped.windowedBy(TimeWindows.of('1d').grace('1m')).aggregate(
    () => greatest,
    (aggregate, value) => Math.min(aggregate, value),
    { store: 'uwin-min', value: serde.int32, retention: '25h' },
  )
  writeWindows(minima, minRaw)
  writeWindows(minima.suppress(untilWindowCloses()), minSuppressed)
  writeKeys(minima, min)
  const minTable = builder.table(min, { store: 'minStoreName' })

  const smallSums = grouped
    .windowedBy(TimeWindows.of('2s').advanceBy('1s').grace('30s'))
    .reduce((a, b) => a + b, { value: serde.int32 })
  writeWindows(smallSums, smallSumRaw)
  writeWindows(smallSums.suppress(untilWindowCloses()), smallSumSuppressed)

  const twoDays = grouped.windowedBy(TimeWindows.of('2d'))
  const maxima = twoDays.aggregate(
    () => least,
    (aggregate, value) => Math.max(aggregate, value),
    { store: 'uwin-max', value: serde.int32 },
  )
  writeKeys(maxima, max)
  const maxTable = builder.table(max, { store: 'maxStoreName' })
  const sums = twoDays.aggregate(
    () => 0n,
    (aggregate, value) => aggregate + BigInt(value),
    { store: 'win-sum', value: serde.int64 },
  )
  writeKeys(sums, sum)
  const sumTable = builder.table(sum)
  const counts = twoDays.count({ store: 'uwin-cnt' })
  writeKeys(
    counts.mapValues((n) => BigInt(n)),
    count,
  )
  const countTable = builder.table(count, { store: 'cntStoreName' })

  maxTable
    .join(minTable, (a, b) => a - b)
    .toStream()
    .filterNot((_, key) => isFlush(key))
    .to(difference)
  sumTable
    .join(countTable, (a, b) => Number(a) / Number(b))
    .toStream()
    .filterNot((_, key) => isFlush(key))
    .to(average)
  countTable
    .groupBy((n) => [String(n), 1n], { key: serde.string, value: serde.int64 })
    .aggregate(
      () => 0n,
      (aggregate, one) => aggregate + one,
      (aggregate, one) => aggregate - one,
      { store: 'cntByCnt', value: serde.int64 },
    )
    .toStream()
    .to(countsOfCounts)
  return builder.build()
}

/** The results under their keys and windows, as the text that Java makes of these. */
function writeWindows(table: KTable<Windowed<string>, number>, to: Topic<string, number>): void {
  table
    .toStream()
    .filterNot((_, { key }) => isFlush(key))
    .selectKey((_, { key, window }) => `[${key}@${window.start}/${window.end}]`)
    .to(to)
}

function writeKeys<V>(table: KTable<Windowed<string>, V>, to: Topic<string, V>): void {
  table
    .toStream((_, { key }) => key)
    .filterNot((_, key) => isFlush(key))
    .to(to)
}
