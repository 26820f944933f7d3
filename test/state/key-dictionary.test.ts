import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeysAhead, mostKeysAhead } from '../../src/record/keys-ahead.ts'
import { serde } from '../../src/serde/serdes.ts'
import { KeyDictionary } from '../../src/state/key-dictionary.ts'

function idOf(dictionary: KeyDictionary, key: Uint8Array): number {
  return dictionary.idOf(key, 0, key.length)
}

function bytesOf(dictionary: KeyDictionary, id: number): Buffer {
  return dictionary.arena.subarray(dictionary.startOf(id), dictionary.endOf(id))
}

describe('KeyDictionary', () => {
  it('gives each key one id, dense from 0, whatever the keys are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9, max: 3 }), { maxLength: 200 }), (keys) => {
        const dictionary = new KeyDictionary()
        const ids = new Map<string, number>()
        for (const key of keys) {
          const text = Buffer.from(key).toString('latin1')
          expect(dictionary.find(key, 0, key.length)).toBe(ids.get(text) ?? -1)
          const id = idOf(dictionary, key)
          expect(id).toBe(ids.get(text) ?? ids.size)
          ids.set(text, id)
        }
        expect(dictionary.size).toBe(ids.size)
        for (const [text, id] of ids) expect(bytesOf(dictionary, id).toString('latin1')).toBe(text)
      }),
    )
  })

  it('keeps ids and bytes while it grows', () => {
    const dictionary = new KeyDictionary()
    const keys = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`key-${i}`.repeat(1 + (i % 5))))
    expect(keys.map((key) => idOf(dictionary, key))).toEqual(keys.map((_, i) => i))
    expect(keys.map((key) => dictionary.find(key, 0, key.length))).toEqual(keys.map((_, i) => i))
    for (const [i, key] of keys.entries()) expect(bytesOf(dictionary, i).equals(key)).toBe(true)
    expect(dictionary.byteLength).toBe(keys.reduce((sum, key) => sum + key.length, 0))
  })

  it('keeps ids and bytes where room is made for more', () => {
    const dictionary = new KeyDictionary()
    const keys = Array.from({ length: 3_000 }, (_, i) => Buffer.from(`key-${i}`))
    for (const [i, key] of keys.entries()) {
      if (i % 500 === 0) dictionary.reserve(i * 4)
      expect(idOf(dictionary, key)).toBe(i)
    }
    dictionary.reserve(1)
    expect(keys.map((key) => dictionary.find(key, 0, key.length))).toEqual(keys.map((_, i) => i))
    for (const [i, key] of keys.entries()) expect(bytesOf(dictionary, i).equals(key)).toBe(true)
  })

  it('names for expected keys ids that there are, nearly always their own, and stays as it is', () => {
    const dictionary = new KeyDictionary()
    const keys = Array.from({ length: 5_000 }, (_, i) => Buffer.from(`key-${i}`))
    for (const key of keys.slice(0, 4_000)) idOf(dictionary, key)
    const ahead = new KeysAhead(serde.string)
    const ids = new Int32Array(mostKeysAhead)
    let own = 0
    for (const key of keys) {
      Object.assign(ahead, { bytes: key, count: 1 })
      ahead.ends[0] = key.length
      dictionary.expect(ahead, ids)
      expect(ids[0]).toBeGreaterThanOrEqual(-1)
      expect(ids[0]).toBeLessThan(4_000)
      if (ids[0] === dictionary.find(key, 0, key.length)) own++
    }
    expect(own).toBeGreaterThan(3_500)
    expect(dictionary.size).toBe(4_000)
  })

  it('looks at the given range of the bytes only', () => {
    const dictionary = new KeyDictionary()
    const id = dictionary.idOf(Buffer.from('..abc..'), 2, 5)
    expect(dictionary.find(Buffer.from('abc'), 0, 3)).toBe(id)
    expect(dictionary.find(Buffer.from('abcd'), 0, 4)).toBe(-1)
  })

  it('orders keys as Buffer.compare does', () => {
    const someBytes = fc.uint8Array({ maxLength: 4 })
    fc.assert(
      fc.property(someBytes, someBytes, (left, right) => {
        const dictionary = new KeyDictionary()
        const order = dictionary.compare(idOf(dictionary, left), idOf(dictionary, right))
        expect(Math.sign(order)).toBe(Buffer.compare(left, right))
      }),
    )
  })

  it('is as new after clear', () => {
    const dictionary = new KeyDictionary()
    for (let i = 0; i < 2_000; i++) idOf(dictionary, Buffer.from(`key-${i}`))
    dictionary.clear()
    expect(dictionary.size).toBe(0)
    expect(dictionary.find(Buffer.from('key-1'), 0, 5)).toBe(-1)
    expect(idOf(dictionary, Buffer.from('key-7'))).toBe(0)
  })
})
