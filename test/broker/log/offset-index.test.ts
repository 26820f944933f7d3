import { describe, expect, it } from 'vitest'
import { OffsetIndex } from '../../../src/broker/log/offset-index.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'

function indexOf(disk: MemoryDisk, ...entries: [offset: number, position: number][]): OffsetIndex {
  const index = new OffsetIndex(disk, '0.index', 100)
  for (const [offset, position] of entries) index.append(offset, position)
  return index
}

describe('an offset index', () => {
  it('gives the same answers whatever part of it is in the file, and keeps only what is not in memory', () => {
    const disk = new MemoryDisk()
    const index = new OffsetIndex(disk, '0.index', 0)
    for (let i = 1; i <= 3_000; i++) {
      index.append(i * 10, i * 4_096)
      if (i % 700 === 0) index.file.save()
    }
    const answers = () => {
      const looked = [1, 10, 6_995, 7_000, 7_001, 21_000, 21_005, 27_999, 28_000, 29_995, 99_999]
      const above = [...index.positionsAbove(2_990 * 4_096)].length
      return [...looked.map((offset) => index.lookup(offset) / 4_096), above, index.lastOffset, index.lastPosition]
    }
    const expected = [0, 1, 699, 700, 700, 2_100, 2_100, 2_799, 2_800, 2_999, 3_000, 10, 30_000, 3_000 * 4_096]
    expect(answers()).toEqual(expected)
    index.file.save()
    index.file.rest()
    expect([answers(), index.file.memoryBytes]).toEqual([expected, 0])
  })

  it.each([0, 1, 40, 41, 59, 60, 61, 100])(
    'forgets what lies behind entry %i, saved or not, and goes on there',
    (kept) => {
      const disk = new MemoryDisk()
      const index = new OffsetIndex(disk, '0.index', 0)
      for (let i = 1; i <= 100; i++) {
        index.append(i * 10, i * 4_096)
        if (i === 60) index.file.save()
      }
      index.truncateFrom(kept * 10 + 5)
      expect([index.length, index.lastPosition]).toEqual([kept, kept * 4_096])
      index.append(5_000, 500_000)
      index.file.save()
      const loaded = new OffsetIndex(disk, '0.index', 0)
      loaded.load(1_000_000)
      expect([loaded.length, loaded.lookup(kept * 10 + 3), loaded.lookup(5_000)]).toEqual([
        kept + 1,
        kept * 4_096,
        500_000,
      ])
    },
  )

  it('whose file was cut or removed behind its back says no position that is too far', () => {
    for (const harm of ['cut', 'removed']) {
      const disk = new MemoryDisk()
      const index = new OffsetIndex(disk, '0.index', 0)
      for (let i = 1; i <= 2_000; i++) index.append(i * 10, i * 4_096)
      index.file.save()
      if (harm === 'cut') disk.open('0.index').truncate(800)
      else disk.remove('0.index')
      expect(index.lookup(10_000)).toBeLessThanOrEqual(1_000 * 4_096)
      expect(index.lookup(505)).toBeLessThanOrEqual(50 * 4_096)
    }
  })

  it('finds the last batch that ends at or before an offset, and the start of the file before the first', () => {
    const index = indexOf(new MemoryDisk(), [110, 5_000], [120, 10_000], [150, 15_000])
    const offsets = [100, 109, 110, 119, 120, 149, 150, 9_999]
    expect(offsets.map((offset) => index.lookup(offset))).toEqual([0, 0, 5_000, 5_000, 10_000, 10_000, 15_000, 15_000])
  })

  it('holds more entries than it begins with room for', () => {
    const index = new OffsetIndex(new MemoryDisk(), '0.index', 0)
    for (let i = 1; i <= 1_000; i++) index.append(i * 10, i * 4_096)
    expect(index.length).toBe(1_000)
    expect([10, 5_005, 10_000].map((offset) => index.lookup(offset))).toEqual([4_096, 2_048_000, 4_096_000])
  })

  it('writes the format of Kafka: relative offset and position, big-endian', () => {
    const disk = new MemoryDisk()
    indexOf(disk, [110, 5_000], [120, 10_000]).file.save()
    const bytes = Buffer.alloc(16)
    const file = disk.open('0.index')
    expect(file.size()).toBe(16)
    file.read(bytes, 0)
    expect([0, 4, 8, 12].map((at) => bytes.readInt32BE(at))).toEqual([10, 5_000, 20, 10_000])
  })

  it('comes back from its file, also where it was written in parts and cut in between', () => {
    const disk = new MemoryDisk()
    const index = indexOf(disk, [110, 5_000], [120, 10_000])
    index.file.save()
    index.truncateFrom(120)
    index.append(130, 11_000)
    index.append(140, 16_000)
    index.file.save()
    const loaded = new OffsetIndex(disk, '0.index', 100)
    loaded.load(20_000)
    expect(loaded.length).toBe(3)
    expect([110, 130, 140].map((offset) => loaded.lookup(offset))).toEqual([5_000, 11_000, 16_000])
    expect([loaded.lastOffset, loaded.lastPosition]).toEqual([140, 16_000])
  })

  it.each([
    [
      'offsets that do not grow',
      [
        [10, 5_000],
        [10, 10_000],
      ],
    ],
    [
      'positions that do not grow',
      [
        [10, 5_000],
        [20, 5_000],
      ],
    ],
    [
      'zeros',
      [
        [0, 0],
        [0, 0],
      ],
    ],
    ['a position beyond the log', [[10, 20_000]]],
  ])('is empty where the file has %s', (_, entries) => {
    const disk = new MemoryDisk()
    const bytes = Buffer.alloc(entries.length * 8)
    for (const [i, number] of entries.flat().entries()) bytes.writeInt32BE(number, i * 4)
    disk.open('0.index', { create: true }).write(bytes, 0)
    const index = new OffsetIndex(disk, '0.index', 0)
    index.load(20_000)
    expect(index.length).toBe(0)
  })

  it('takes the whole entries of a file that was cut in the middle of one', () => {
    const disk = new MemoryDisk()
    indexOf(disk, [110, 5_000], [120, 10_000]).file.save()
    disk.open('0.index').truncate(13)
    const index = new OffsetIndex(disk, '0.index', 100)
    index.load(20_000)
    expect(index.length).toBe(1)
    expect(index.lookup(125)).toBe(5_000)
  })
})
