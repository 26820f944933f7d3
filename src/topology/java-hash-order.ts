/**
 * The order in which Java's HashMap and HashSet hand out strings. Kafka Streams prints names in that order, so a text that
 * equals its own byte for byte has to reproduce it: buckets by hash, doubled as the table fills, and within a bucket the
 * order of insertion. Java turns a bucket of nine or more, in a table of 64 or more, into a tree; its order is not reproduced.
 */

const defaultCapacity = 16
const treeifyAbove = 8
const minTreeifyCapacity = 64

/** The order of a HashMap or HashSet into which the names were put one by one. */
export function javaHashOrder(names: Iterable<string>): string[] {
  return hashOrder(names, defaultCapacity)
}

/** The order of `new HashSet<>(names)`: Java (to version 18) gives a copy the capacity that its contents need at three quarters full. */
export function javaHashCopyOrder(names: readonly string[]): string[] {
  const needed = Math.max(Math.floor(names.length / 0.75) + 1, defaultCapacity)
  return hashOrder(names, 2 ** Math.ceil(Math.log2(needed)))
}

/** `String.hashCode` of Java: 31 times the hash so far plus the next UTF-16 unit, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

function hashOrder(names: Iterable<string>, initialCapacity: number): string[] {
  let capacity = initialCapacity
  let buckets = emptyBuckets(capacity)
  let size = 0
  const grow = (): void => {
    capacity *= 2
    const larger = emptyBuckets(capacity)
    for (const bucket of buckets) for (const name of bucket) larger[bucketOf(name, capacity)].push(name)
    buckets = larger
  }
  for (const name of names) {
    const bucket = buckets[bucketOf(name, capacity)]
    if (bucket.includes(name)) continue
    bucket.push(name)
    if (bucket.length > treeifyAbove && capacity < minTreeifyCapacity) grow()
    if (++size > capacity * 0.75) grow()
  }
  return buckets.flat()
}

function emptyBuckets(capacity: number): string[][] {
  return Array.from({ length: capacity }, () => [])
}

function bucketOf(name: string, capacity: number): number {
  const hash = javaStringHash(name)
  return (hash ^ (hash >>> 16)) & (capacity - 1)
}
