import { describe, expect, it } from 'vitest'
import { TimeIndex } from '../../../src/broker/log/time-index.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'

function indexOf(disk: MemoryDisk, ...entries: [timestamp: number, offset: number][]): TimeIndex {
  const index = new TimeIndex(disk, '0.timeindex', 100)
  for (const [timestamp, offset] of entries) index.append(timestamp, offset)
  return index
}

/** A file with entries of timestamp and relative offset. */
function diskWith(entries: readonly (readonly [bigint, number])[]): MemoryDisk {
  const disk = new MemoryDisk()
  const bytes = Buffer.alloc(entries.length * 12)
  for (const [i, [timestamp, offset]] of entries.entries()) {
    bytes.writeBigInt64BE(timestamp, i * 12)
    bytes.writeInt32BE(offset, i * 12 + 8)
  }
  disk.open('0.timeindex', { create: true }).write(bytes, 0)
  return disk
}

describe('a time index', () => {
  it('finds from which offset on a timestamp may be reached', () => {
    const index = indexOf(new MemoryDisk(), [1_000, 110], [2_000, 120], [5_000, 150])
    const times = [0, 1_000, 1_001, 2_000, 2_001, 5_000, 9_999]
    expect(times.map((time) => index.lookup(time))).toEqual([100, 100, 110, 110, 120, 120, 150])
  })

  it('gives the same answers from its file as from memory', () => {
    const disk = new MemoryDisk()
    const index = new TimeIndex(disk, '0.timeindex', 0)
    for (let i = 1; i <= 2_000; i++) index.append(i * 10, i)
    const answers = () => [5, 10, 11, 9_999, 10_000, 20_000, 20_001].map((time) => index.lookup(time))
    const expected = [0, 0, 1, 999, 999, 1_999, 2_000]
    expect(answers()).toEqual(expected)
    index.file.save()
    index.file.rest()
    expect([answers(), index.file.memoryBytes]).toEqual([expected, 0])
    index.truncateAbove(700)
    expect([index.length, index.lastTimestamp, index.lookup(99_999)]).toEqual([700, 7_000, 700])
  })

  it('takes only timestamps above the last one', () => {
    const index = indexOf(new MemoryDisk(), [1_000, 110], [1_000, 120], [999, 130])
    expect([index.length, index.lastTimestamp, index.lastOffset]).toEqual([1, 1_000, 110])
  })

  it('holds more entries than it begins with room for, and forgets the last ones', () => {
    const index = new TimeIndex(new MemoryDisk(), '0.timeindex', 0)
    for (let i = 1; i <= 1_000; i++) index.append(i * 10, i)
    expect([10, 5_001, 10_000].map((time) => index.lookup(time))).toEqual([0, 500, 999])
    index.truncateAbove(500)
    expect([index.length, index.lastTimestamp, index.lastOffset]).toEqual([500, 5_000, 500])
  })

  it('writes the format of Kafka: timestamp and relative offset, big-endian', () => {
    const disk = new MemoryDisk()
    indexOf(disk, [1_785_000_000_000, 110], [1_785_000_000_001, 120]).file.save()
    const bytes = Buffer.alloc(24)
    const file = disk.open('0.timeindex')
    expect(file.size()).toBe(24)
    file.read(bytes, 0)
    expect([bytes.readBigInt64BE(0), bytes.readInt32BE(8)]).toEqual([1_785_000_000_000n, 10])
    expect([bytes.readBigInt64BE(12), bytes.readInt32BE(20)]).toEqual([1_785_000_000_001n, 20])
  })

  it('comes back from its file, also where it was written in parts and cut in between', () => {
    const disk = new MemoryDisk()
    const index = indexOf(disk, [1_000, 110], [2_000, 120])
    index.file.save()
    index.truncateAbove(119)
    index.file.save()
    expect(disk.open('0.timeindex').size()).toBe(12)
    index.append(3_000, 130)
    index.file.save()
    const loaded = new TimeIndex(disk, '0.timeindex', 100)
    expect(loaded.load()).toBe(true)
    expect([loaded.length, loaded.lookup(3_000), loaded.lastTimestamp]).toEqual([2, 110, 3_000])
  })

  it.each<[string, [bigint, number][]]>([
    [
      'timestamps that do not grow',
      [
        [10n, 1],
        [10n, 2],
      ],
    ],
    [
      'offsets that do not grow',
      [
        [10n, 1],
        [11n, 1],
      ],
    ],
    ['an offset below the segment', [[10n, -1]]],
    ['a timestamp that no number holds', [[2n ** 60n, 1]]],
    [
      'zeros',
      [
        [0n, 0],
        [0n, 0],
      ],
    ],
  ])('must be made again where the file has %s', (_, entries) => {
    const index = new TimeIndex(diskWith(entries), '0.timeindex', 0)
    expect([index.load(), index.length]).toEqual([false, 0])
  })

  it('must be made again where there is no file', () => {
    expect(new TimeIndex(new MemoryDisk(), '0.timeindex', 0).load()).toBe(false)
  })
})
