import { describe, expect, it } from 'vitest'
import { OffsetIndex } from '../../../src/broker/log/offset-index.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'

function indexOf(...entries: [offset: number, position: number][]): OffsetIndex {
  const index = new OffsetIndex('0.index', 100)
  for (const [offset, position] of entries) index.append(offset, position)
  return index
}

describe('an offset index', () => {
  it('finds the last batch that ends at or before an offset, and the start of the file before the first', () => {
    const index = indexOf([110, 5_000], [120, 10_000], [150, 15_000])
    const offsets = [100, 109, 110, 119, 120, 149, 150, 9_999]
    expect(offsets.map((offset) => index.lookup(offset))).toEqual([0, 0, 5_000, 5_000, 10_000, 10_000, 15_000, 15_000])
  })

  it('holds more entries than it begins with room for', () => {
    const index = new OffsetIndex('0.index', 0)
    for (let i = 1; i <= 1_000; i++) index.append(i * 10, i * 4_096)
    expect(index.length).toBe(1_000)
    expect([10, 5_005, 10_000].map((offset) => index.lookup(offset))).toEqual([4_096, 2_048_000, 4_096_000])
  })

  it('writes the format of Kafka: relative offset and position, big-endian', () => {
    const disk = new MemoryDisk()
    indexOf([110, 5_000], [120, 10_000]).save(disk)
    const bytes = Buffer.alloc(16)
    const file = disk.open('0.index')
    expect(file.size()).toBe(16)
    file.read(bytes, 0)
    expect([0, 4, 8, 12].map((at) => bytes.readInt32BE(at))).toEqual([10, 5_000, 20, 10_000])
  })

  it('comes back from its file, also where it was written in parts and cut in between', () => {
    const disk = new MemoryDisk()
    const index = indexOf([110, 5_000], [120, 10_000])
    index.save(disk)
    index.truncateFrom(120)
    index.append(130, 11_000)
    index.append(140, 16_000)
    index.save(disk)
    const loaded = new OffsetIndex('0.index', 100)
    loaded.load(disk, 20_000)
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
    const index = new OffsetIndex('0.index', 0)
    index.load(disk, 20_000)
    expect(index.length).toBe(0)
  })

  it('takes the whole entries of a file that was cut in the middle of one', () => {
    const disk = new MemoryDisk()
    indexOf([110, 5_000], [120, 10_000]).save(disk)
    disk.open('0.index').truncate(13)
    const index = new OffsetIndex('0.index', 100)
    index.load(disk, 20_000)
    expect(index.length).toBe(1)
    expect(index.lookup(125)).toBe(5_000)
  })
})
