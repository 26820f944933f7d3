import { expect, it } from 'vitest'
import { run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { inMemory } from './readings.ts'

const numbers = topic('numbers', { key: serde.string, value: serde.int32 })
const keyCount = 45_000
const recordCount = 130_000

/** So many that stores are told of keys before their records come. */
it('counts, keeps and joins rows of very many keys', { timeout: 60_000 }, async () => {
  await using connection = await inMemory()
  await connection.cluster.createTopics([{ name: 'numbers', partitions: 1 }])
  const builder = new BatchBuilder()
  const text = Buffer.alloc(16)
  const keyOf = (i: number) => `k${(i * 7919) % keyCount}`
  for (let i = 0; i < recordCount; i++) {
    const end = text.write(keyOf(i), 'latin1')
    const value = Buffer.alloc(4)
    value.writeInt32BE(i)
    builder.append(i, text, 0, end, value, 0, 4)
    if (i % 1_000 !== 999) continue
    await connection.cluster.append({ topic: 'numbers', partition: 0 }, builder.finish())
    builder.clear()
  }

  const counts = new Map<string, number>()
  const differences: number[] = []
  const streams = new StreamsBuilder()
  const input = streams.stream(numbers)
  const even = input.filter((value) => value % 2 === 0)
  even
    .groupByKey()
    .count()
    .toStream()
    .foreach((count, key) => counts.set(key, count))
  input
    .join(input.toTable({ store: 'rows' }), (value, row) => value - row)
    .foreach((difference) => differences.push(difference))
  await using app = await run(streams.build(), { applicationId: 'many', cluster: connection, commitInterval: '20ms' })
  await app.caughtUp()

  const expected = new Map<string, number>()
  for (let i = 0; i < recordCount; i += 2) expected.set(keyOf(i), (expected.get(keyOf(i)) ?? 0) + 1)
  expect(counts.size).toBe(expected.size)
  expect([...counts].filter(([key, count]) => expected.get(key) !== count)).toEqual([])
  expect(differences.length).toBe(recordCount)
  // The table comes first: each record meets the row that it made.
  expect(differences.every((difference) => difference === 0)).toBe(true)
})
