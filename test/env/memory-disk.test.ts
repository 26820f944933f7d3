import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { codeOf, describeDisk, textIn } from './disk-conformance.ts'

describeDisk('memory', () => ({ disk: new MemoryDisk(), root: '' }))

function trackingDisk(seed = 1): MemoryDisk {
  return new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) })
}

function bytesIn(disk: MemoryDisk, path: string): Buffer {
  const file = disk.open(path)
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  return bytes
}

describe('the capacity of a memory disk', () => {
  it('writes as much as fits, then fails with ENOSPC', () => {
    const disk = new MemoryDisk({ capacityBytes: 10 })
    const file = disk.open('a', { create: true })
    file.write(Buffer.from('12345678'), 0)
    expect(codeOf(() => file.write(Buffer.from('abcd'), 8))).toBe('ENOSPC')
    expect(textIn(file)).toBe('12345678ab')
    file.write(Buffer.from('xx'), 0)
    expect(textIn(file)).toBe('xx345678ab')
    expect(codeOf(() => file.write(Buffer.from('z'), 10))).toBe('ENOSPC')
    expect(codeOf(() => file.truncate(11))).toBe('ENOSPC')
    expect(file.size()).toBe(10)
  })

  it('gets space back by truncation, removal and replacement', () => {
    const disk = new MemoryDisk({ capacityBytes: 10 })
    const file = disk.open('a', { create: true })
    file.write(Buffer.alloc(10), 0)
    file.truncate(4)
    expect(disk.usedBytes).toBe(4)
    const other = disk.open('b', { create: true })
    other.write(Buffer.alloc(6), 0)
    other.close()
    disk.rename('a', 'b')
    expect(disk.usedBytes).toBe(4)
    disk.makeDirectory('d')
    disk.rename('b', 'd/b')
    disk.remove('d')
    expect(disk.usedBytes).toBe(4)
    file.close()
    expect(disk.usedBytes).toBe(0)
  })

  it('reads as zeros what was never written in space that was used before', () => {
    const disk = new MemoryDisk()
    const size = 5 * 1024 * 1024
    disk.open('a', { create: true }).write(Buffer.alloc(size, 'x'), 0)
    disk.open('a').truncate(0)
    const file = disk.open('b', { create: true })
    file.write(Buffer.from('z'), size - 1)
    file.write(Buffer.from('z'), 2_500_000)
    const bytes = bytesIn(disk, 'b')
    expect(bytes.filter((byte) => byte !== 0).toString()).toBe('zz')
  })
})

describe('the ordered failures of a memory disk', () => {
  it('fail the calls that they were ordered for, and no others', () => {
    const disk = new MemoryDisk()
    const file = disk.open('a', { create: true })
    file.write(Buffer.from('hello'), 0)
    disk.failNext('read', 'EIO', 2, 1)
    const read = () => file.read(Buffer.alloc(5), 0)
    expect([codeOf(read), codeOf(read), codeOf(read), codeOf(read)]).toEqual(['no error', 'EIO', 'EIO', 'no error'])
  })

  it('come in the order in which they were ordered', () => {
    const disk = new MemoryDisk()
    disk.failNext('makeDirectory', 'EIO')
    disk.failNext('makeDirectory', 'ENOSPC')
    const codes = [1, 2, 3].map((i) => codeOf(() => disk.makeDirectory(`d${i}`)))
    expect(codes).toEqual(['EIO', 'ENOSPC', 'no error'])
    expect(disk.list('')).toEqual(['d3'])
  })

  it.each(['open', 'list', 'makeDirectory', 'rename', 'remove', 'lock', 'size', 'truncate'] as const)(
    'of %s change nothing',
    (operation) => {
      const disk = new MemoryDisk()
      const file = disk.open('a', { create: true })
      file.write(Buffer.from('hello'), 0)
      const calls = {
        open: () => disk.open('new', { create: true }),
        list: () => disk.list(''),
        makeDirectory: () => disk.makeDirectory('new'),
        rename: () => disk.rename('a', 'new'),
        remove: () => disk.remove('a'),
        lock: () => disk.lock('new'),
        size: () => file.size(),
        truncate: () => file.truncate(0),
      }
      disk.failNext(operation, 'EIO')
      expect(codeOf(calls[operation])).toBe('EIO')
      expect(disk.list('')).toEqual(['a'])
      expect(textIn(file)).toBe('hello')
    },
  )

  it('of write leave a part of the bytes behind', () => {
    const disk = new MemoryDisk()
    const file = disk.open('a', { create: true })
    const sizes = new Set<number>()
    for (let i = 0; i < 50; i++) {
      file.truncate(0)
      disk.failNext('write', 'EIO')
      expect(codeOf(() => file.write(Buffer.from('abc'), 0))).toBe('EIO')
      sizes.add(file.size())
      expect('abc'.startsWith(textIn(file))).toBe(true)
    }
    expect([...sizes].sort()).toEqual([0, 1, 2, 3])
  })

  it('of sync and syncDirectory reject', async () => {
    const disk = new MemoryDisk()
    const file = disk.open('a', { create: true })
    disk.failNext('sync', 'EIO')
    disk.failNext('syncDirectory', 'EIO')
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await expect(disk.syncDirectory('')).rejects.toMatchObject({ code: 'EIO' })
    await expect(file.sync()).resolves.toBeUndefined()
  })

  it('flip a bit at rest', () => {
    const disk = new MemoryDisk()
    disk.open('a', { create: true }).write(Buffer.from('hello'), 0)
    disk.flipBit('a', 1)
    expect(textIn(disk.open('a'))).toBe('hdllo')
    disk.flipBit('a', 0, 5)
    expect(textIn(disk.open('a'))).toBe('Hdllo')
    expect(codeOf(() => disk.flipBit('a', 5))).toBe('EINVAL')
  })
})

describe('a power loss of a memory disk', () => {
  async function diskWithSyncedFile(content: string, seed?: number) {
    const disk = trackingDisk(seed)
    const file = disk.open('a', { create: true })
    file.write(Buffer.from(content), 0)
    await file.sync()
    await disk.syncDirectory('')
    return { disk, file }
  }

  it('takes what was written after the last sync', async () => {
    const { disk, file } = await diskWithSyncedFile('hello')
    file.write(Buffer.from('J'), 0)
    file.write(Buffer.alloc(10_000, 'x'), 5)
    expect(textIn(disk.crash({ keepUnsynced: 'none' }).open('a'))).toBe('hello')
  })

  it('brings back what was cut off after the last sync', async () => {
    const { disk, file } = await diskWithSyncedFile('x'.repeat(10_000))
    file.truncate(3)
    file.write(Buffer.from('y'), 9_000)
    expect(textIn(disk.crash({ keepUnsynced: 'none' }).open('a'))).toBe('x'.repeat(10_000))
  })

  it('may take nothing', async () => {
    const { disk, file } = await diskWithSyncedFile('hello')
    file.write(Buffer.from('J'), 0)
    disk.open('b', { create: true }).write(Buffer.from('new'), 0)
    const found = disk.crash({ keepUnsynced: 'all' })
    expect(textIn(found.open('a'))).toBe('Jello')
    expect(textIn(found.open('b'))).toBe('new')
  })

  it('takes what a sync under way has not yet saved, and that sync fails', async () => {
    const { disk, file } = await diskWithSyncedFile('hello')
    file.write(Buffer.from('J'), 0)
    const sync = file.sync()
    expect(textIn(disk.crash({ keepUnsynced: 'none' }).open('a'))).toBe('hello')
    await expect(sync).rejects.toMatchObject({ code: 'EIO' })
  })

  it('leaves what was written before the call of a sync, not what was written during it', async () => {
    const { disk, file } = await diskWithSyncedFile('hello')
    file.write(Buffer.from('J'), 0)
    const sync = file.sync()
    file.write(Buffer.from('!'), 4)
    await sync
    expect(textIn(disk.crash({ keepUnsynced: 'none' }).open('a'))).toBe('Jello')
  })

  it('takes what a failed sync did not save, although a later sync succeeds', async () => {
    const { disk, file } = await diskWithSyncedFile('a'.repeat(8192))
    file.write(Buffer.from('B'), 0)
    disk.failNext('sync', 'EIO')
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    file.write(Buffer.from('C'), 5000)
    await file.sync()
    const found = bytesIn(disk.crash({ keepUnsynced: 'none' }), 'a')
    expect([found.toString('latin1', 0, 1), found.toString('latin1', 5000, 5001)]).toEqual(['a', 'C'])
  })

  it('leaves what was written again after a failed sync, and then synced', async () => {
    const { disk, file } = await diskWithSyncedFile('a'.repeat(8192))
    file.write(Buffer.from('B'), 0)
    disk.failNext('sync', 'EIO')
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    file.write(Buffer.from('B'), 0)
    await file.sync()
    expect(bytesIn(disk.crash({ keepUnsynced: 'none' }), 'a').toString('latin1', 0, 2)).toBe('Ba')
  })

  it('makes everything that was opened before fail', async () => {
    const { disk, file } = await diskWithSyncedFile('hello')
    const lock = disk.lock('lock')
    const found = disk.crash({ keepUnsynced: 'all' })
    expect(codeOf(() => file.read(Buffer.alloc(1), 0))).toBe('EIO')
    expect(codeOf(() => file.write(Buffer.alloc(1), 0))).toBe('EIO')
    expect(codeOf(() => disk.open('a'))).toBe('EIO')
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    await expect(disk.syncDirectory('')).rejects.toMatchObject({ code: 'EIO' })
    file.close()
    expect(lock).toBeDefined()
    expect(found.lock('lock')).toBeDefined()
  })

  it('takes unsynced creations, renames and removals', async () => {
    const { disk } = await diskWithSyncedFile('hello')
    const created = disk.open('b', { create: true })
    created.write(Buffer.from('new'), 0)
    await created.sync()
    disk.rename('a', 'c')
    expect(disk.crash({ keepUnsynced: 'none' }).list('')).toEqual(['a'])
    const second = await diskWithSyncedFile('hello')
    second.disk.remove('a')
    expect(textIn(second.disk.crash({ keepUnsynced: 'none' }).open('a'))).toBe('hello')
  })

  it('leaves creations, renames and removals that were synced', async () => {
    const { disk } = await diskWithSyncedFile('hello')
    disk.open('b', { create: true })
    disk.makeDirectory('d')
    disk.rename('a', 'c')
    await disk.syncDirectory('')
    disk.open('d/lost', { create: true })
    const found = disk.crash({ keepUnsynced: 'none' })
    expect(found.list('')).toEqual(['b', 'c', 'd'])
    expect(found.list('d')).toEqual([])
    expect(textIn(found.open('c'))).toBe('hello')
  })

  it('leaves either the old or the new file of a rename, never neither', async () => {
    const outcomes = new Set<string>()
    const { disk } = await diskWithSyncedFile('old')
    const file = disk.open('a.new', { create: true })
    file.write(Buffer.from('new'), 0)
    await file.sync()
    disk.rename('a.new', 'a')
    for (let i = 0; i < 40; i++) outcomes.add(textIn(disk.crash({ keepUnsynced: 'random' }).open('a')))
    expect([...outcomes].sort()).toEqual(['new', 'old'])
  })

  it('can tear an append and lose its pages in any order', async () => {
    const { disk, file } = await diskWithSyncedFile('s'.repeat(4096))
    file.write(Buffer.alloc(3 * 4096, 'x'), 4096)
    const outcomes = new Set<string>()
    for (let i = 0; i < 200; i++) {
      const found = bytesIn(disk.crash({ keepUnsynced: 'random' }), 'a')
      expect(found.subarray(0, 4096).every((byte) => byte === 's'.charCodeAt(0))).toBe(true)
      if (found.length % 4096 !== 0) outcomes.add('cut within a page')
      const pages = [1, 2, 3].map((page) => found.toString('latin1', page * 4096, page * 4096 + 1))
      outcomes.add(pages.join('').replaceAll('\0', '-'))
    }
    for (const outcome of ['cut within a page', 'xxx', 'x-x', '-xx', '---', '']) expect(outcomes).toContain(outcome)
  })

  it('gives the same outcome for the same seed', async () => {
    const outcome = async (seed: number) => {
      const { disk, file } = await diskWithSyncedFile('s'.repeat(50_000), seed)
      file.write(Buffer.alloc(100_000, 'x'), 20_000)
      return bytesIn(disk.crash({ keepUnsynced: 'random' }), 'a')
    }
    expect((await outcome(7)).equals(await outcome(7))).toBe(true)
    expect((await outcome(7)).equals(await outcome(8))).toBe(false)
  })

  it('can happen again to the disk that it left, and keeps the capacity', async () => {
    const disk = new MemoryDisk({ tracksCrashes: true, capacityBytes: 8 })
    const file = disk.open('a', { create: true })
    file.write(Buffer.from('hello'), 0)
    await file.sync()
    await disk.syncDirectory('')
    const found = disk.crash({ keepUnsynced: 'none' })
    expect(found.usedBytes).toBe(5)
    expect(codeOf(() => found.open('a').write(Buffer.from(' world'), 5))).toBe('ENOSPC')
    expect(textIn(found.open('a'))).toBe('hello wo')
    expect(textIn(found.crash({ keepUnsynced: 'none' }).open('a'))).toBe('hello')
  })

  it('cannot be had from a disk that does not keep track', () => {
    expect(() => new MemoryDisk().crash({ keepUnsynced: 'none' })).toThrow('tracksCrashes')
  })

  it('never takes a synced byte, whatever was done', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('write' as const),
        position: fc.integer({ min: 0, max: 30_000 }),
        length: fc.integer({ min: 1, max: 9_000 }),
      }),
      fc.record({ do: fc.constant('truncate' as const), size: fc.integer({ min: 0, max: 30_000 }) }),
      fc.record({ do: fc.constant('sync' as const) }),
    )
    const property = fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.nat(), async (steps, seed) => {
      const disk = trackingDisk(seed)
      const file = disk.open('a', { create: true })
      await disk.syncDirectory('')
      let synced: Buffer = Buffer.alloc(0)
      const touched = new Set<number>()
      for (const [i, one] of steps.entries()) {
        if (one.do === 'sync') {
          await file.sync()
          synced = bytesIn(disk, 'a')
          touched.clear()
        } else {
          const before = file.size()
          if (one.do === 'write') file.write(Buffer.alloc(one.length, i + 1), one.position)
          else file.truncate(one.size)
          const from = one.do === 'write' ? Math.min(before, one.position) : Math.min(before, one.size)
          const to = Math.max(before, file.size(), one.do === 'write' ? one.position + one.length : 0)
          for (let page = Math.floor(from / 4096); page * 4096 < to; page++) touched.add(page)
        }
      }
      const current = bytesIn(disk, 'a')
      expect(bytesIn(disk.crash({ keepUnsynced: 'none' }), 'a').equals(synced)).toBe(true)
      expect(bytesIn(disk.crash({ keepUnsynced: 'all' }), 'a').equals(current)).toBe(true)
      const found = bytesIn(disk.crash({ keepUnsynced: 'random' }), 'a')
      for (let page = 0; page * 4096 < synced.length; page++) {
        if (touched.has(page)) continue
        const [from, to] = [page * 4096, Math.min((page + 1) * 4096, synced.length)]
        expect(found.subarray(from, to).equals(synced.subarray(from, to))).toBe(true)
      }
    })
    await fc.assert(property, { numRuns: 150 })
  })
})
