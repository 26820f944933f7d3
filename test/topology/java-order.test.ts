import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { javaHashCopyOrder, javaHashOrder, javaStringHash } from '../../src/topology/java-hash-order.ts'
import { JavaTreeSet } from '../../src/topology/java-tree-set.ts'

describe("the order of Java's hash sets", () => {
  it.each([
    ['', 0],
    ['hello', 99_162_322],
    ['Aa', 2_112],
    ['BB', 2_112],
    ['polygenelubricants', -2_147_483_648],
  ])('comes from the hash of the string: %s', (text, hash) => {
    expect(javaStringHash(text)).toBe(hash)
  })

  it('is by bucket, and within a bucket by insertion', () => {
    expect(javaHashOrder(['b', 'a', 'BB', 'Aa'])).toEqual(['BB', 'Aa', 'a', 'b'])
    expect(javaHashOrder(['b', 'a', 'Aa', 'BB'])).toEqual(['Aa', 'BB', 'a', 'b'])
  })

  it('changes when the table grows past three quarters of its capacity', () => {
    // 'p' and '@' (112 and 64) share bucket 0 of 16 slots; of 32 slots 'p' is in bucket 16.
    const few = ['p', '@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
    expect(javaHashOrder(few)).toEqual(few)
    expect(javaHashOrder([...few, 'k'])).toEqual(['@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'p'])
    // A copy of twelve is made with room for more at once.
    expect(javaHashCopyOrder(few)).toEqual(['@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'p'])
  })

  it('has each name once', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 80 }), (names) => {
        expect(javaHashOrder(names).sort()).toEqual([...new Set(names)].sort())
      }),
    )
  })
})

describe("the order of Java's tree set", () => {
  it('is the sorted order while the order of elements stays the same', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const set = new JavaTreeSet<number>((a, b) => a - b)
        for (const each of numbers) set.add(each)
        expect(set.elements()).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      }),
    )
  })

  it('leaves elements where they are when their order changes, and adds others by the new one', () => {
    const a = { rank: 1 }
    const b = { rank: 2 }
    const c = { rank: 3 }
    const set = new JavaTreeSet<{ rank: number }>((x, y) => x.rank - y.rank)
    set.add(a)
    set.add(b)
    a.rank = 9
    set.add(c)
    expect(set.elements()).toEqual([c, a, b])
  })

  it('stays balanced, so that adding in order does not cost a walk through all elements', () => {
    let comparisons = 0
    const set = new JavaTreeSet<number>((a, b) => {
      comparisons++
      return a - b
    })
    for (let i = 0; i < 1_024; i++) set.add(i)
    // A red-black tree of n elements is at most 2 log2(n + 1) high.
    expect(comparisons).toBeLessThan(1_024 * 20)
  })
})
