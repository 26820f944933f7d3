import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  EngineBatch,
  EngineEntry,
  EngineOperation,
  StoreEngine,
  StoreEngineFactory,
} from '../../src/state/store-engine.ts'

/** What every store engine must do, told from outside. `makeDirectory` makes a new empty directory for each test. */
export function storeEngineConformance(
  makeFactory: () => StoreEngineFactory,
  makeDirectory: () => string,
  { hasRanges = true }: { hasRanges?: boolean } = {},
): void {
  const factory = makeFactory()
  let directory: string
  let engine: StoreEngine

  const open = async (store: string): Promise<StoreEngine> => {
    await factory.prepare?.({ directory, store })
    return factory.open({ directory, store })
  }
  /** The rows, as far as the engine can say: those of the keys asked for, in their order, where it has no ranges. */
  const rowsOf = (...keys: string[]): string[] => {
    if (hasRanges) return rows(engine)
    return keys.flatMap((key) => {
      const value = engine.get(bytes(key))
      return value === undefined ? [] : [`${key}=${value}`]
    })
  }

  beforeEach(async () => {
    directory = makeDirectory()
    engine = await open('counts')
  })

  afterEach(() => engine.close())

  describe('reads and writes', () => {
    it('is empty, at position 0, when it is new', () => {
      expect(engine.position()).toBe(0)
      expect(engine.get(bytes('a'))).toBeUndefined()
      expect(engine.isEmpty()).toBe(true)
      expect(rowsOf('a')).toEqual([])
    })

    it('has what a batch put, and its position', () => {
      engine.write({ operations: [put('a', '1'), put('', 'empty key'), put('b', '')], position: 7 })
      expect(engine.get(bytes('a'))?.toString()).toBe('1')
      expect(engine.get(bytes(''))?.toString()).toBe('empty key')
      expect(engine.get(bytes('b'))).toHaveLength(0)
      expect(engine.position()).toBe(7)
      expect(engine.isEmpty()).toBe(false)
      if (hasRanges) expect(engine.size()).toBe(3)
    })

    it('applies the operations of a batch in order', () => {
      engine.write({ operations: [put('c', '1'), { kind: 'delete', key: bytes('c') }, put('c', '3')], position: 2 })
      expect(rowsOf('b', 'c')).toEqual(['c=3'])
    })

    it.runIf(hasRanges)('deletes ranges in that order too', () => {
      const all: EngineOperation = { kind: 'delete-range', from: bytes('a'), to: bytes('z') }
      engine.write({ operations: [put('a', '1'), put('b', '1'), all, put('b', '2'), put('c', '1')], position: 1 })
      engine.write({ operations: [{ kind: 'delete', key: bytes('c') }, put('c', '3')], position: 2 })
      expect(rows(engine)).toEqual(['b=2', 'c=3'])
    })

    it.runIf(hasRanges)(
      'ranges from the lower bound, with it, to the upper one, without it, in both directions',
      () => {
        engine.write({ operations: ['a', 'ab', 'b', 'c'].map((key) => put(key, '.')), position: 1 })
        expect(rows(engine, 'a', 'b')).toEqual(['a=.', 'ab=.'])
        expect(rows(engine, 'ab', undefined, true)).toEqual(['c=.', 'b=.', 'ab=.'])
        expect(rows(engine, undefined, 'b', true)).toEqual(['ab=.', 'a=.'])
        expect(rows(engine, 'c', 'a')).toEqual([])
      },
    )

    it('lends a value of exactly its own bytes', () => {
      const large = Buffer.alloc(70_000, 5)
      engine.write({
        operations: [put('small', 'abc'), { kind: 'put', key: bytes('large'), value: large }],
        position: 1,
      })
      expect(Buffer.compare(engine.get(bytes('large')) as Buffer, large)).toBe(0)
      expect(Buffer.compare(engine.get(bytes('small')) as Buffer, bytes('abc'))).toBe(0)
    })

    it.runIf(hasRanges)('leaves the key and value of an earlier entry alone while a range goes on', () => {
      engine.write({ operations: [put('a', 'first'), put('b', 'second')], position: 1 })
      const entries: EngineEntry[] = [...engine.range(undefined, undefined)]
      expect(entries.map((entry) => `${entry.key}=${entry.value}`)).toEqual(['a=first', 'b=second'])
    })

    it.runIf(hasRanges)('can be left in the middle of a range and written afterwards', () => {
      engine.write({ operations: [put('a', '1'), put('b', '1')], position: 1 })
      for (const entry of engine.range(undefined, undefined)) {
        expect(entry.key.toString()).toBe('a')
        break
      }
      engine.write({ operations: [put('c', '1')], position: 2 })
      expect(rows(engine)).toEqual(['a=1', 'b=1', 'c=1'])
    })

    it('is as new after clear', () => {
      engine.write({ operations: [put('a', '1')], position: 9 })
      engine.clear()
      expect(engine.position()).toBe(0)
      expect(rowsOf('a')).toEqual([])
      expect(engine.isEmpty()).toBe(true)
      engine.write({ operations: [put('b', '2')], position: 3 })
      expect(rowsOf('a', 'b')).toEqual(['b=2'])
    })

    it('takes positions up to 2^53 - 1', () => {
      engine.write({ operations: [], position: Number.MAX_SAFE_INTEGER })
      expect(engine.position()).toBe(Number.MAX_SAFE_INTEGER)
    })

    it('keeps stores of the same directory apart', async () => {
      const other = await open('sums')
      other.write({ operations: [put('a', 'other')], position: 5 })
      expect(engine.get(bytes('a'))).toBeUndefined()
      expect(engine.position()).toBe(0)
      other.close()
      engine.write({ operations: [put('a', '1')], position: 1 })
      expect(rowsOf('a')).toEqual(['a=1'])
    })
  })

  it('behaves as a sorted list of entries does, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.array(hasRanges ? batchOf : pointBatchOf, { maxLength: 8 }),
        boundOf,
        boundOf,
        (batches, from, to) => {
          engine.clear()
          const model = new Map<string, string>()
          for (const batch of batches) {
            engine.write(batch)
            for (const operation of batch.operations) applyToModel(model, operation)
            expect(engine.position()).toBe(batch.position)
          }
          for (const [key, value] of model) expect(text(engine.get(Buffer.from(key, 'latin1')))).toBe(value)
          if (!hasRanges) return
          for (const reverse of [false, true]) {
            expect(listed(engine.range(from, to, { reverse }))).toEqual(listedModel(model, from, to, reverse))
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  describe.runIf(factory.durable)('on disk', () => {
    it('has contents and position when it is opened again', async () => {
      engine.write({ operations: [put('a', '1'), put('k'.repeat(5_000), 'long')], position: 12 })
      engine.close()
      engine = await open('counts')
      expect(engine.position()).toBe(12)
      expect(engine.get(bytes('k'.repeat(5_000)))?.toString()).toBe('long')
      expect(engine.isEmpty()).toBe(false)
      expect(rowsOf('a', 'k'.repeat(5_000))).toHaveLength(2)
    })

    it('refuses to be used after it was closed', () => {
      engine.close()
      expect(() => engine.get(bytes('a'))).toThrow(expect.objectContaining({ code: 'CLOSED' }))
      expect(() => engine.write({ operations: [], position: 1 })).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    })
  })
}

export function put(key: string, value: string): EngineOperation {
  return { kind: 'put', key: bytes(key), value: bytes(value) }
}

export function rows(engine: StoreEngine, from?: string, to?: string, reverse = false): string[] {
  const entries = engine.range(from === undefined ? undefined : bytes(from), to === undefined ? undefined : bytes(to), {
    reverse,
  })
  return [...entries].map((entry) => `${entry.key}=${entry.value}`)
}

function bytes(content: string): Buffer {
  return Buffer.from(content)
}

/** Short keys that collide often, every byte value, and keys around and beyond the longest that LMDB takes. */
const keyOf: fc.Arbitrary<Buffer> = fc
  .record({
    stem: fc.constantFrom('', '', '', 'p'.repeat(1_899), 'p'.repeat(1_900), 'p'.repeat(1_990), 'q'.repeat(1_900)),
    rest: fc.uint8Array({ maxLength: 2 }),
  })
  .map(({ stem, rest }) => Buffer.concat([Buffer.from(stem), rest.map((byte) => (byte % 2 === 0 ? byte : byte % 4))]))

const boundOf: fc.Arbitrary<Buffer | undefined> = fc.option(keyOf, { nil: undefined })

const operationOf: fc.Arbitrary<EngineOperation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), key: keyOf, value: anyValue() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keyOf }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-range' as const), from: keyOf, to: keyOf }) },
)

const pointBatchOf: fc.Arbitrary<EngineBatch> = fc.record({
  operations: fc.array(
    operationOf.filter(({ kind }) => kind !== 'delete-range'),
    { maxLength: 12 },
  ),
  position: fc.maxSafeNat(),
})

const batchOf: fc.Arbitrary<EngineBatch> = fc.record({
  operations: fc.array(operationOf, { maxLength: 12 }),
  position: fc.maxSafeNat(),
})

function anyValue(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 5 }).map((value) => Buffer.from(value))
}

function applyToModel(model: Map<string, string>, operation: EngineOperation): void {
  if (operation.kind === 'put') model.set(text(operation.key), text(operation.value))
  else if (operation.kind === 'delete') model.delete(text(operation.key))
  else {
    for (const key of [...model.keys()]) {
      if (key >= text(operation.from) && key < text(operation.to)) model.delete(key)
    }
  }
}

function listedModel(
  model: Map<string, string>,
  from: Buffer | undefined,
  to: Buffer | undefined,
  reverse: boolean,
): string[][] {
  const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
  const within = sorted.filter(
    ([key]) => (from === undefined || key >= text(from)) && (to === undefined || key < text(to)),
  )
  return reverse ? within.reverse() : within
}

function listed(entries: Iterable<EngineEntry>): string[][] {
  return [...entries].map(({ key, value }) => [text(key), text(value)])
}

function text(content: Buffer | undefined): string {
  return content === undefined ? 'absent' : content.toString('latin1')
}
