import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type KStream, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

/** The compiler takes an `async` function where nothing is to be returned, and nothing would wait for it. */
const words = topic('words', { key: serde.string, value: serde.string })

function driverOf(write: (words: KStream<string, string>) => void): TopologyTestDriver {
  const builder = new StreamsBuilder()
  write(builder.stream(words))
  return new TopologyTestDriver(builder.build())
}

async function failLater(): Promise<void> {
  await null
  throw new Error('nobody would see this')
}

const refused = (operator: string) =>
  expect.objectContaining({
    code: 'OPERATOR_FAILED',
    at: expect.objectContaining({ operator }),
    message: expect.stringContaining('promise'),
  })

describe('an async function', () => {
  it.each<[string, (words: KStream<string, string>) => void]>([
    ['foreach', (stream) => stream.foreach(failLater, { name: 'slow' })],
    ['peek', (stream) => stream.peek(failLater, { name: 'slow' })],
    // @ts-expect-error What is kept must be known at once.
    ['filter', (stream) => stream.filter(async () => false, { name: 'slow' })],
    // @ts-expect-error As above.
    ['filterNot', (stream) => stream.filterNot(async () => true, { name: 'slow' })],
    ['process', (stream) => stream.process(() => ({ process: failLater }), { name: 'slow' })],
    ['processValues', (stream) => stream.processValues(() => ({ process: failLater }), { name: 'slow' })],
  ])('is refused by %s, saying of which record', (_, write) => {
    using driver = driverOf(write)
    const pipe = () => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    expect(pipe).toThrow(refused('slow'))
    expect(pipe).toThrow(expect.objectContaining({ at: expect.objectContaining({ topic: 'words', partition: 0 }) }))
  })

  it('is refused as the init of a processor, when it starts', () => {
    const start = () =>
      driverOf((stream) => stream.process(() => ({ init: failLater, process: () => {} }), { name: 'slow' }))
    expect(start).toThrow(refused('slow'))
  })

  it('is refused as a punctuation', () => {
    using driver = driverOf((stream) =>
      stream.process(
        () => ({
          init: (context) => void context.schedule('1s', 'wall-clock', failLater),
          process: () => {},
        }),
        { name: 'slow' },
      ),
    )
    expect(() => driver.advanceWallClockTime('1s')).toThrow(refused('slow'))
  })

  it('is told also by what is only like a promise, as clients of databases return', () => {
    const promiseLike: unknown = runInNewContext('Promise.resolve()')
    expect(promiseLike).not.toBeInstanceOf(Promise)
    using driver = driverOf((stream) => stream.foreach(() => promiseLike, { name: 'query' }))
    expect(() => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })).toThrow(refused('query'))
  })

  it('is told from one that returns something else, which is not looked at', () => {
    const seen: string[] = []
    using driver = driverOf((stream) => stream.foreach((word) => seen.push(word)))
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    expect(seen).toEqual(['v'])
  })
})
