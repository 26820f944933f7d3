import { describe, expect, it } from 'vitest'
import { murmur2, partitionFor } from '../../src/record/partitioner.ts'

/** The first six are those of Kafka's UtilsTest; all were computed by kafka-clients 4.1.0. */
const hashes: readonly [string, number][] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
  ['device-7', -1_690_467_389],
  ['ключ', 2_122_343_024],
  ['', 275_646_681],
]

describe('murmur2', () => {
  it.each(hashes)('of %j is what Kafka computes', (key, hash) => {
    const bytes = Buffer.from(`..${key}..`)
    expect(murmur2(bytes, 2, bytes.length - 2)).toBe(hash)
  })
})

describe('partitionFor', () => {
  it.each([
    ['21', 0],
    ['foobar', 6],
    ['device-7', 3],
    ['ключ', 8],
    ['', 9],
  ])('puts the key %j where Kafka puts it, of 12 partitions', (key, partition) => {
    const bytes = Buffer.from(key)
    expect(partitionFor(bytes, 0, bytes.length, 12)).toBe(partition)
  })
})
