import { expect, expectTypeOf, it } from 'vitest'
import { keyValueStore, StreamsBuilder, serde, type Topology, topic, windowStore } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const counts = keyValueStore('counts', { key: serde.string, value: serde.json<number>() })
const minutes = windowStore('minutes', { key: serde.string, value: serde.string, size: 60, retention: 120 })

function counting(): Topology {
  const builder = new StreamsBuilder()
  builder.stream(words).process(
    () => ({
      process({ key, value, timestamp }, context) {
        const store = context.store(counts)
        store.put(key as string, (store.get(key as string) ?? 0) + 1)
        context.store(minutes).put(key as string, value, timestamp - (timestamp % 60))
      },
    }),
    { stores: [counts, minutes] },
  )
  return builder.build()
}

it('reads stores by their declarations, typed, what is expired left out and counted', () => {
  using driver = new TopologyTestDriver(counting())
  for (const [key, timestamp] of [
    ['a', 0],
    ['b', 70],
    ['a', 130],
    ['c', 5],
  ] as const) {
    driver.input(words).pipe({ key, value: `at ${timestamp}`, timestamp })
  }
  const store = driver.store(counts)
  expectTypeOf(store.get('a')).toEqualTypeOf<number | undefined>()
  expect([...store.range({ from: 'a', to: 'b' })]).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  expect('put' in store).toBe(false)
  driver.restart()
  const windows = [...driver.store(minutes).all()].map(([{ key, window }, value]) => [key, window.start, value])
  expect(windows).toEqual([
    ['b', 60, 'at 70'],
    ['a', 120, 'at 130'],
  ])
  expect(driver.drops().map(({ reason, count }) => `${count} ${reason}`)).toEqual(['1 late'])
})

it('refuses a declaration of another store of the same name', () => {
  using driver = new TopologyTestDriver(counting())
  const other = keyValueStore('counts', { key: serde.int32, value: serde.string })
  expect(() => driver.store(other)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})
