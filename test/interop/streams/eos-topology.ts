import { StreamsBuilder, serde, type TopicSpec, type Topology } from '../../../src/index.ts'
import { greatest, ints, least, longs } from './numbers.ts'

/**
 * The topology of Kafka Streams' own test of exactly once (`EosTestClient`, with its repartitioning), whose verifier computes from the
 * input, record by record, what must be in every other topic.
 */

const data = ints('data')
const echo = ints('echo')
const min = ints('min')
const sum = longs('sum')
const repartitioned = ints('repartition')
const max = ints('max')
const count = longs('cnt')

export const eosTopics: readonly TopicSpec[] = [data, echo, min, sum, repartitioned, max, count]

export function eosTopology(): Topology {
  const builder = new StreamsBuilder()
  const source = builder.stream(data)
  source.to(echo)
  const grouped = source.groupByKey()
  grouped
    .aggregate(
      () => greatest,
      (aggregate, value) => Math.min(aggregate, value),
      { value: serde.int32 },
    )
    .toStream()
    .to(min)
  grouped
    .aggregate(
      () => 0n,
      (aggregate, value) => aggregate + BigInt(value),
      { value: serde.int64 },
    )
    .toStream()
    .to(sum)
  source.to(repartitioned)
  const again = builder.stream(repartitioned).groupByKey()
  again
    .aggregate(
      () => least,
      (aggregate, value) => Math.max(aggregate, value),
      { value: serde.int32 },
    )
    .toStream()
    .to(max)
  again
    .count()
    .mapValues((n) => BigInt(n))
    .toStream()
    .to(count)
  return builder.build()
}
