import { describe, expect, it } from 'vitest'
import { keyValueStore, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { all, type Entry, inMemory, put } from './readings.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })

/** A promise, and what resolves it. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe('a running application', () => {
  it('calls punctuations of stream time between the records, however many are fetched at once', async () => {
    await using connection = await inMemory()
    const count = 1_000
    await put(
      connection,
      words,
      Array.from({ length: count }, (_, i): Entry<string, string> => ['k', 'v', i]),
    )
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .process(() => ({
        init(context) {
          context.schedule(100, 'stream-time', (timestamp) => context.forward({ key: 't', value: 'tick', timestamp }))
        },
        process() {},
      }))
      .to(texts)
    await using app = await run(builder.build(), { applicationId: 'ticks', cluster: connection })
    await app.caughtUp()
    const expected = Array.from({ length: 10 }, (_, i) => ['t', 'tick', i * 100])
    expect(await all(connection, texts)).toEqual(expected)
  })

  it('calls punctuations of the clock on the wall without any record, and commits what they did', async () => {
    await using connection = await inMemory()
    const called = signal()
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .process(() => ({
        init(context) {
          const cancel = context.schedule(1, 'wall-clock', () => {
            context.forward({ key: 't', value: 'tick', timestamp: 7 })
            cancel()
            called.resolve()
          })
        },
        process() {},
      }))
      .to(texts)
    const app = await run(builder.build(), { applicationId: 'ticks', cluster: connection })
    await called.promise
    await app.close()
    expect(await all(connection, texts)).toEqual([['t', 'tick', 7]])
    expect(app.metrics().commits).toBe(1)
  })

  it('commits when a processor asks, long before the interval is over', async () => {
    await using connection = await inMemory()
    const builder = new StreamsBuilder()
    builder.stream(words).process(() => ({ process: (_, context) => context.commit() }))
    await using app = await run(builder.build(), { applicationId: 'asks', cluster: connection, commitInterval: '1h' })
    await put(connection, words, [['k', 'v', 1]])
    await app.caughtUp()
    // The commit follows the record, maybe in the next round.
    await put(connection, words, [['k', 'v', 2]])
    await app.caughtUp()
    expect(app.metrics().commits).toBeGreaterThan(0)
  })

  it('ends with the error of a punctuation', async () => {
    await using connection = await inMemory()
    const builder = new StreamsBuilder()
    builder.stream(words).process(
      () => ({
        init: (context) =>
          void context.schedule(1, 'wall-clock', () => {
            throw new Error('no')
          }),
        process() {},
      }),
      { name: 'ticking' },
    )
    const app = await run(builder.build(), { applicationId: 'fails', cluster: connection })
    await expect(app.closed).rejects.toMatchObject({ code: 'OPERATOR_FAILED', at: { operator: 'ticking' } })
  })
})

describe('global stores of a running application', () => {
  const orders = topic('orders', { key: serde.string, value: serde.string, partitions: 2 })
  const names = topic('names', { key: serde.string, value: serde.string, partitions: 3 })
  const joined = () => {
    const builder = new StreamsBuilder()
    const table = builder.globalTable(names, { store: 'names' })
    builder
      .stream(orders)
      .leftJoin(table, (id, name) => `${id}:${name}`, { keySelector: (id) => id })
      .to(texts)
    return builder.build()
  }
  const ids = Array.from({ length: 50 }, (_, i) => `id-${i}`)

  it('have all rows of all partitions before the first record, and those that come later', async () => {
    await using connection = await inMemory()
    await put(
      connection,
      names,
      ids.map((id): Entry<string, string> => [id, `first ${id}`, 1_000]),
    )
    await put(
      connection,
      orders,
      ids.map((id): Entry<string, string> => [id, id, 1]),
    )
    await using app = await run(joined(), { applicationId: 'join', cluster: connection })
    await app.caughtUp()
    const first = (await all(connection, texts)).map(([, value]) => value)
    expect(first.toSorted()).toEqual(ids.map((id) => `${id}:first ${id}`).toSorted())

    await put(
      connection,
      names,
      ids.map((id): Entry<string, string> => [id, `then ${id}`, 1]),
    )
    await app.caughtUp()
    await put(
      connection,
      orders,
      ids.map((id): Entry<string, string> => [id, id, 2]),
    )
    await app.caughtUp()
    const then = (await all(connection, texts)).slice(ids.length).map(([, value]) => value)
    expect(then.toSorted()).toEqual(ids.map((id) => `${id}:then ${id}`).toSorted())
    expect(app.metrics().recordsIn).toBe(2 * ids.length)
    expect((await connection.describeTopics()).map(({ name }) => name)).not.toContain('join-names-changelog')
  })

  it('are full when processors are made', async () => {
    const known = keyValueStore('known', { key: serde.string, value: serde.string })
    await using connection = await inMemory()
    await put(
      connection,
      names,
      ids.map((id): Entry<string, string> => [id, id, 1]),
    )
    const found: (string | undefined)[] = []
    const builder = new StreamsBuilder()
    builder.addGlobalStore(known, names, () => ({
      process: ({ key, value }, context) => context.store(known).put(key, value),
    }))
    builder.stream(words).process(() => ({
      init: (context) => void found.push(...ids.map((id) => context.readOnlyStore(known).get(id))),
      process() {},
    }))
    await using app = await run(builder.build(), { applicationId: 'full', cluster: connection })
    expect(app.state).toBe('running')
    expect(found).toEqual(ids)
  })

  it('are filled anew by the next run', async () => {
    await using connection = await inMemory()
    for (const name of ['Ann', 'Bob']) {
      await put(connection, names, [['id', name, 1]])
      await put(connection, orders, [['id', 'id', 1]])
      await using app = await run(joined(), { applicationId: 'join', cluster: connection })
      await app.caughtUp()
    }
    expect((await all(connection, texts)).map(([, value]) => value)).toEqual(['id:Ann', 'id:Bob'])
  })
})
