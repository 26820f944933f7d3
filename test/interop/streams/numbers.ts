import { serde, type Topic, topic } from '../../../src/index.ts'

/** The topics of Kafka Streams' tests: numbers by texts, in five partitions. */
export const partitions = 5

export const least = -0x8000_0000
export const greatest = 0x7fff_ffff

export function ints(name: string): Topic<string, number> {
  return topic(name, { key: serde.string, value: serde.int32, partitions })
}

export function longs(name: string): Topic<string, bigint> {
  return topic(name, { key: serde.string, value: serde.int64, partitions })
}
