/**
 * The partition of a record with a key, as every Kafka client chooses it (BuiltInPartitioner.partitionForKey): records of
 * one key go to one partition, whoever writes them.
 */
export function partitionFor(key: Buffer, start: number, end: number, partitions: number): number {
  return (murmur2(key, start, end) & 0x7fffffff) % partitions
}

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

/** MurmurHash2 of `bytes[start..end)` with Kafka's seed (org.apache.kafka.common.utils.Utils), as a signed 32-bit integer. */
export function murmur2(bytes: Buffer, start: number, end: number): number {
  let hash = seed ^ (end - start)
  let position = start
  for (const lastWord = end - 4; position <= lastWord; position += 4) {
    const word =
      bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)
    const mixed = Math.imul(word, multiplier)
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier)
  }
  if (position < end) {
    for (let shift = 0; position < end; position++, shift += 8) hash ^= bytes[position]! << shift
    hash = Math.imul(hash, multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
