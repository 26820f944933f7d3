import { describe, expect, it } from 'vitest'
import { readText } from '../../src/broker/durable-file.ts'
import { readOffsetCheckpoint, writeOffsetCheckpoint } from '../../src/broker/offset-checkpoint.ts'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { failureOf } from './records.ts'

const entries = [
  { topic: 'orders', partition: 0, offset: 12 },
  { topic: 'a-1', partition: 10, offset: 2 ** 53 - 1 },
]

function diskWith(text: string): MemoryDisk {
  const disk = new MemoryDisk()
  disk.open('checkpoint', { create: true }).write(Buffer.from(text), 0)
  return disk
}

describe('an offset checkpoint', () => {
  it('has the text format of Kafka', async () => {
    const disk = new MemoryDisk()
    await writeOffsetCheckpoint(disk, '.', 'checkpoint', entries)
    expect(readText(disk, 'checkpoint')).toBe('0\n2\norders 0 12\na-1 10 9007199254740991\n')
    expect(readOffsetCheckpoint(disk, 'checkpoint')).toEqual(entries)
  })

  it('is empty where there is no file', () => {
    expect(readOffsetCheckpoint(new MemoryDisk(), 'checkpoint')).toEqual([])
  })

  it.each([
    ['', 1],
    ['1\n0\n', 1],
    ['0\n2\norders 0 12\n', 2],
    ['0\n1\norders 0\n', 3],
    ['0\n1\norders 0 -1\n', 3],
    ['0\n1\norders 0 9007199254740992\n', 3],
    ['\0\0\0\0\0\0\0\0', 1],
  ])('that reads %j is refused, with the line', async (text, line) => {
    const error = await failureOf(() => readOffsetCheckpoint(diskWith(text), 'checkpoint'))
    expect([error.code, error.at]).toEqual(['DIRECTORY_UNUSABLE', { path: 'checkpoint', line }])
  })

  it('is the old one or the new one after a power failure, never a part', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new MemoryDisk({ tracksCrashes: true })
      await writeOffsetCheckpoint(disk, '.', 'checkpoint', entries)
      const writing = writeOffsetCheckpoint(disk, '.', 'checkpoint', entries.slice(1)).catch(() => {})
      for (let i = 0; i < seed; i++) await undefined
      const found = readOffsetCheckpoint(disk.crash({ keepUnsynced: 'random' }), 'checkpoint')
      expect([entries, entries.slice(1)]).toContainEqual(found)
      await writing
    }
  })
})
