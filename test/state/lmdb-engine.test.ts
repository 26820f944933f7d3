import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeEnvironment } from '../../src/env/node.ts'
import { lmdbEngine } from '../../src/state/lmdb-engine.ts'
import { put, rows, storeEngineConformance } from './store-engine-conformance.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-lmdb-'))
const { disk } = nodeEnvironment()
let directories = 0
const makeDirectory = (): string => join(root, `directory.${directories++}`)

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('lmdbEngine', () => {
  storeEngineConformance(lmdbEngine, makeDirectory)

  it('needs a directory', () => {
    const open = () => lmdbEngine().open({ directory: undefined, store: 'counts' })
    expect(open).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('says which directory it cannot use', () => {
    const notADirectory = join(root, 'file')
    writeFileSync(notADirectory, '')
    const open = () => lmdbEngine().open({ directory: notADirectory, store: 'counts' })
    expect(open).toThrow(expect.objectContaining({ code: 'DIRECTORY_UNUSABLE' }))
    expect(open).toThrow(notADirectory)
  })

  it('does not take files of something else, or damaged ones, for its own', () => {
    const whole = makeDirectory()
    const engine = lmdbEngine().open({ directory: whole, store: 'counts', disk })
    engine.write({ operations: [put('a', '1')], position: 1 })
    engine.close()
    lmdbEngine().open({ directory: whole, store: 'counts', disk }).close()
    const file = readFileSync(join(whole, 'data.mdb'))
    const overwritten = Buffer.from(file).fill(0xab, 0, 100)
    for (const content of [
      'short',
      Buffer.alloc(16_384),
      Buffer.alloc(16_384, 'text'),
      file.subarray(0, 5_000),
      overwritten,
    ]) {
      const directory = makeDirectory()
      mkdirSync(directory)
      writeFileSync(join(directory, 'data.mdb'), content)
      const open = () => lmdbEngine().open({ directory, store: 'counts', disk })
      expect(open).toThrow(expect.objectContaining({ code: 'DIRECTORY_UNUSABLE' }))
    }
  })

  it('keeps nothing of a batch that fails in the middle', () => {
    const engine = lmdbEngine().open({ directory: makeDirectory(), store: 'counts' })
    engine.write({ operations: [put('a', '1')], position: 1 })
    const broken = { kind: 'put', key: Buffer.from('b'), value: undefined as unknown as Buffer } as const
    expect(() => engine.write({ operations: [put('a', '2'), broken], position: 2 })).toThrow(
      expect.objectContaining({ code: 'STORAGE_FAILED' }),
    )
    expect(rows(engine)).toEqual(['a=1'])
    expect(engine.position()).toBe(1)
    engine.close()
  })

  it('deletes ranges of more keys than it collects at once', () => {
    const engine = lmdbEngine().open({ directory: makeDirectory(), store: 'counts' })
    const operations = Array.from({ length: 2_500 }, (_, i) => put(`key-${i}`, '.'))
    engine.write({ operations: [put('before', '.'), ...operations, put('later', '.')], position: 1 })
    const range = { kind: 'delete-range', from: Buffer.from('key-'), to: Buffer.from('key.') } as const
    engine.write({ operations: [range], position: 2 })
    expect(rows(engine)).toEqual(['before=.', 'later=.'])
    engine.close()
  })

  it('has the last whole batch after the process was killed at any point', async () => {
    const directory = makeDirectory()
    for (let round = 0; round < 4; round++) {
      const printed = await writeUntilKilled(directory, 5 + round * 7)
      const engine = lmdbEngine().open({ directory, store: 'counts' })
      const position = engine.position()
      // The last batch can have been written without having been printed.
      expect([printed, printed + 1]).toContain(position)
      const values = new Set([...engine.range(undefined, undefined)].map((entry) => entry.value.toString()))
      expect([...values]).toEqual([String(position)])
      expect(rows(engine, 'old-', 'old.')).toEqual([`old-${position}=${position}`])
      engine.close()
    }
  })
})

/** Resolves with the last number that the writer printed before it was killed, which is after it printed `batches`. */
function writeUntilKilled(directory: string, batches: number): Promise<number> {
  const node = join(import.meta.dirname, '../../node_modules/.bin/node')
  const writer = spawn(node, [join(import.meta.dirname, 'lmdb-writer.ts'), directory])
  let printed = ''
  let failure = ''
  writer.stderr.on('data', (chunk: Buffer) => {
    failure += chunk
  })
  writer.stdout.on('data', (chunk: Buffer) => {
    printed += chunk
    if (printed.split('\n').length > batches) writer.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    writer.on('close', () => {
      const numbers = printed.split('\n').slice(0, -1)
      if (numbers.length === 0) reject(new Error(`The writer wrote nothing: ${failure}`))
      else resolve(Number(numbers.at(-1)))
    })
  })
}
