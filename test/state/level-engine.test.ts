import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { connect, levelEngine, run, StreamsBuilder, serde, TimeWindows, topic } from '../../src/index.ts'
import { put, storeEngineConformance } from './store-engine-conformance.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-level-'))
let directories = 0
const makeDirectory = (): string => join(root, `directory.${directories++}`)

afterAll(() => rmSync(root, { recursive: true, force: true }))

async function opened(directory: string) {
  const factory = levelEngine()
  const location = { directory, store: 'counts' }
  await factory.prepare?.(location)
  return factory.open(location)
}

describe('levelEngine', () => {
  storeEngineConformance(levelEngine, makeDirectory, { hasRanges: false })

  it('needs a directory, and says which one it cannot use', async () => {
    const nowhere = levelEngine().prepare?.({ directory: undefined, store: 'counts' })
    await expect(nowhere).rejects.toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const notADirectory = join(root, 'file')
    writeFileSync(notADirectory, '')
    await expect(opened(notADirectory)).rejects.toThrow(expect.objectContaining({ code: 'DIRECTORY_UNUSABLE' }))
  })

  it('refuses ranges, and what deletes them, and goes on', async () => {
    const engine = await opened(makeDirectory())
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const all = { kind: 'delete-range', from: Buffer.from('a'), to: Buffer.from('b') } as const
    expect(() => engine.range(undefined, undefined)).toThrow(refused)
    expect(() => engine.size()).toThrow(refused)
    expect(() => engine.write({ operations: [put('a', '1'), all], position: 1 })).toThrow(refused)
    expect(engine.get(Buffer.from('a'))).toBeUndefined()
    expect(engine.position()).toBe(0)
    engine.close()
  })

  it('has after a crash one of the batches that were written, whole and with its position', async () => {
    const directory = makeDirectory()
    const engine = await opened(directory)
    for (let i = 1; i <= 200; i++) {
      engine.write({ operations: [put('a', `${i}`), put(`k${i}`, 'x'), put('b', `${i}`)], position: i })
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // What a killed process leaves: its files as they are.
    const left = makeDirectory()
    cpSync(directory, left, { recursive: true })
    const after = await opened(left)
    const position = after.position()
    const expected = position === 0 ? undefined : `${position}`
    expect(after.get(Buffer.from('a'))?.toString()).toBe(expected)
    expect(after.get(Buffer.from('b'))?.toString()).toBe(expected)
    expect(after.get(Buffer.from(`k${position + 1}`))).toBeUndefined()
    after.close()
    engine.close()
  })

  it('serves the tables of an application, over a restart, and refuses windows', async () => {
    const words = topic('words', { key: serde.string, value: serde.string })
    const engine = levelEngine()
    const seen: number[] = []
    const build = () => {
      const builder = new StreamsBuilder()
      const table = builder.stream(words).groupByKey().count({ store: 'by-word', engine })
      table.toStream().foreach((count) => seen.push(count))
      return builder.build()
    }
    await using connection = await connect('memory:')
    await connection.createTopics([words])
    const options = { applicationId: 'level', cluster: connection, stateDirectory: makeDirectory() }
    for (const times of [3, 2]) {
      const producer = connection.producer(words)
      for (let i = 0; i < times; i++) producer.send({ key: 'mill', value: 'x' })
      await producer.flush()
      await using app = await run(build(), options)
      await app.caughtUp()
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
    const windowed = new StreamsBuilder()
    windowed.stream(words).groupByKey().windowedBy(TimeWindows.of(10)).count({ engine })
    const refused = run(windowed.build(), { ...options, applicationId: 'windows' })
    await expect(refused).rejects.toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
