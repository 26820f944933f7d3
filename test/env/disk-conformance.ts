/** What every disk has to do; called with each of them. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Disk, DiskFile } from '../../src/env/environment.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** An empty directory. */
  readonly root: string
  dispose?(): void
}

export function describeDisk(name: string, makeDisk: () => DiskUnderTest): void {
  describe(`disk: ${name}`, () => {
    let under: DiskUnderTest
    let disk: Disk
    const at = (path: string) => `${under.root}/${path}`
    const create = (path: string, content = '') => {
      const file = disk.open(at(path), { create: true })
      file.write(Buffer.from(content), 0)
      return file
    }
    const contentOf = (path: string) => textIn(disk.open(at(path)))

    beforeEach(() => {
      under = makeDisk()
      disk = under.disk
    })
    afterEach(() => under.dispose?.())

    describe('files', () => {
      it('reads what was written', () => {
        const file = create('a', 'hello')
        expect(textIn(file)).toBe('hello')
        expect(file.size()).toBe(5)
      })

      it('opens a file for reading alone', () => {
        create('a', 'hello').close()
        const file = disk.open(at('a'), { isReadOnly: true })
        expect(textIn(file)).toBe('hello')
        file.close()
        expect(() => disk.open(at('none'), { isReadOnly: true })).toThrow(expect.objectContaining({ code: 'ENOENT' }))
      })

      it('reads fewer bytes at the end of the file and none beyond it', () => {
        const file = create('a', 'hello')
        const into = Buffer.alloc(4, '.')
        expect(file.read(into, 3)).toBe(2)
        expect(into.toString()).toBe('lo..')
        expect(file.read(into, 5)).toBe(0)
        expect(file.read(into, 5_000_000)).toBe(0)
        expect(into.toString()).toBe('lo..')
      })

      it('fills a gap before a write with zeros', () => {
        const file = create('a', 'ab')
        file.write(Buffer.from('z'), 3_000_000)
        expect(file.size()).toBe(3_000_001)
        const gap = Buffer.alloc(2_999_999, '.')
        expect(file.read(gap, 2)).toBe(gap.length)
        expect(gap.subarray(0, -1).every((byte) => byte === 0)).toBe(true)
        expect(gap.at(-1)).toBe('z'.charCodeAt(0))
      })

      it('cuts a file, and shows zeros where it grows again', () => {
        const file = create('a', 'abcdef')
        file.truncate(2)
        expect(textIn(file)).toBe('ab')
        file.truncate(4)
        expect(textIn(file)).toBe('ab\0\0')
        file.truncate(2)
        file.write(Buffer.from('z'), 5)
        expect(textIn(file)).toBe('ab\0\0\0z')
      })

      it('writes a view of a larger buffer and not the rest of it', () => {
        const file = create('a')
        file.write(Buffer.from('..hello..').subarray(2, 7), 0)
        const into = Buffer.alloc(9, '.')
        file.read(into.subarray(2, 7), 0)
        expect(into.toString()).toBe('..hello..')
      })

      it('keeps no hold of the bytes of a write', () => {
        const file = create('a')
        const bytes = Buffer.from('hello')
        file.write(bytes, 0)
        bytes.fill('x')
        expect(textIn(file)).toBe('hello')
      })

      it('shows one content to all who have the file open', () => {
        const first = create('a', 'hello')
        const second = disk.open(at('a'))
        first.write(Buffer.from('J'), 0)
        expect(textIn(second)).toBe('Jello')
      })

      it('throws EBADF after close, and closes twice quietly', async () => {
        const file = create('a', 'hello')
        file.close()
        file.close()
        expect(codeOf(() => file.size())).toBe('EBADF')
        expect(codeOf(() => file.read(Buffer.alloc(1), 0))).toBe('EBADF')
        expect(codeOf(() => file.write(Buffer.alloc(1), 0))).toBe('EBADF')
        expect(codeOf(() => file.truncate(0))).toBe('EBADF')
        await expect(file.sync()).rejects.toMatchObject({ code: 'EBADF' })
      })

      it('refuses negative positions', () => {
        const file = create('a', 'hello')
        expect(() => file.read(Buffer.alloc(1), -1)).toThrow('negative')
        expect(() => file.write(Buffer.alloc(1), -1)).toThrow('negative')
        expect(textIn(file)).toBe('hello')
      })

      it('ends a sync under way although the file is closed', async () => {
        const file = create('a', 'hello')
        const synced = file.sync()
        file.close()
        await expect(synced).resolves.toBeUndefined()
        expect(contentOf('a')).toBe('hello')
      })

      it('behaves as an array of bytes', () => {
        // The places where an implementation may change from one piece of its storage to the next.
        const position = fc
          .tuple(fc.constantFrom(0, 4096, 65_536, 1_048_576, 2_097_152), fc.integer({ min: -40, max: 40 }))
          .map(([edge, by]) => Math.max(0, edge + by))
        const step = fc.oneof(
          fc.record({ do: fc.constant('write' as const), position, length: fc.integer({ min: 0, max: 70_000 }) }),
          fc.record({ do: fc.constant('truncate' as const), position }),
          fc.record({ do: fc.constant('read' as const), position, length: fc.integer({ min: 0, max: 70_000 }) }),
        )
        let files = 0
        const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
          files += 1
          const file = create(`property-${files}`)
          const model = Buffer.alloc(2_300_000)
          let size = 0
          for (const [i, one] of steps.entries()) {
            if (one.do === 'write' && one.length > 0) {
              const bytes = Buffer.alloc(one.length, i + 1)
              file.write(bytes, one.position)
              bytes.copy(model, one.position)
              size = Math.max(size, one.position + one.length)
            } else if (one.do === 'truncate') {
              file.truncate(one.position)
              size = one.position
              model.fill(0, size)
            } else if (one.do === 'read') {
              const into = Buffer.alloc(one.length)
              const count = file.read(into, one.position)
              expect(count).toBe(Math.max(0, Math.min(one.length, size - one.position)))
              expect(into.subarray(0, count).equals(model.subarray(one.position, one.position + count))).toBe(true)
            }
            expect(file.size()).toBe(size)
          }
          const all = Buffer.alloc(size)
          expect(file.read(all, 0)).toBe(size)
          expect(all.equals(model.subarray(0, size))).toBe(true)
          file.close()
          disk.remove(at(`property-${files}`))
        })
        fc.assert(property, { numRuns: 60 })
      })
    })

    describe('names', () => {
      it('opens a missing file only when asked to create it', () => {
        expect(codeOf(() => disk.open(at('a')))).toBe('ENOENT')
        expect(disk.exists(at('a'))).toBe(false)
        expect(disk.open(at('a'), { create: true }).size()).toBe(0)
        expect(disk.exists(at('a'))).toBe(true)
      })

      it('keeps the content when it opens an existing file with create', () => {
        create('a', 'hello').close()
        expect(textIn(disk.open(at('a'), { create: true }))).toBe('hello')
      })

      it('does not create a file in a missing directory, in a file, or in place of a directory', () => {
        create('file')
        disk.makeDirectory(at('dir'))
        expect(codeOf(() => create('missing/a'))).toBe('ENOENT')
        expect(codeOf(() => create('file/a'))).toBe('ENOTDIR')
        expect(codeOf(() => create('dir'))).toBe('EISDIR')
      })

      it('lists names sorted by their code units', () => {
        for (const file of ['b', 'a', 'B', '10', '9', '.x']) create(file)
        disk.makeDirectory(at('c/d'))
        expect(disk.list(under.root)).toEqual(['.x', '10', '9', 'B', 'a', 'b', 'c'])
        expect(disk.list(at('c'))).toEqual(['d'])
        expect(disk.list(at('c/d'))).toEqual([])
      })

      it('does not list what is missing or a file', () => {
        create('file')
        expect(codeOf(() => disk.list(at('missing')))).toBe('ENOENT')
        expect(codeOf(() => disk.list(at('file')))).toBe('ENOTDIR')
      })

      it('makes a directory with those above it, and again without harm', () => {
        disk.makeDirectory(at('a/b/c'))
        create('a/b/c/file', 'hello')
        disk.makeDirectory(at('a/b/c'))
        expect(contentOf('a/b/c/file')).toBe('hello')
      })

      it('does not make a directory where a file is', () => {
        create('file')
        expect(codeOf(() => disk.makeDirectory(at('file')))).toBe('EEXIST')
        expect(codeOf(() => disk.makeDirectory(at('file/a')))).toBe('ENOTDIR')
      })

      it('renames over an existing file', () => {
        create('a', 'new')
        create('b', 'old')
        disk.rename(at('a'), at('b'))
        expect(contentOf('b')).toBe('new')
        expect(disk.list(under.root)).toEqual(['b'])
      })

      it('leaves a file alone that is renamed to itself', () => {
        create('a', 'hello')
        disk.rename(at('a'), at('a'))
        expect(contentOf('a')).toBe('hello')
      })

      it('renames a directory with all in it, over an empty one at most', () => {
        disk.makeDirectory(at('a'))
        create('a/file', 'hello')
        disk.makeDirectory(at('empty'))
        disk.rename(at('a'), at('empty'))
        expect(contentOf('empty/file')).toBe('hello')
        disk.makeDirectory(at('other'))
        expect(codeOf(() => disk.rename(at('other'), at('empty')))).toBe('ENOTEMPTY')
      })

      it('refuses renames that make no sense', () => {
        create('file')
        disk.makeDirectory(at('dir'))
        expect(codeOf(() => disk.rename(at('missing'), at('a')))).toBe('ENOENT')
        expect(codeOf(() => disk.rename(at('file'), at('missing/a')))).toBe('ENOENT')
        expect(codeOf(() => disk.rename(at('file'), at('dir')))).toBe('EISDIR')
        expect(codeOf(() => disk.rename(at('dir'), at('file')))).toBe('ENOTDIR')
        expect(codeOf(() => disk.rename(at('dir'), at('dir/inside')))).toBe('EINVAL')
        expect(disk.list(under.root)).toEqual(['dir', 'file'])
      })

      it('moves between directories', () => {
        disk.makeDirectory(at('from'))
        disk.makeDirectory(at('to'))
        create('from/a', 'hello')
        disk.rename(at('from/a'), at('to/b'))
        expect(disk.list(at('from'))).toEqual([])
        expect(contentOf('to/b')).toBe('hello')
      })

      it('removes files and whole directories, and does nothing where there is none', () => {
        create('a')
        disk.makeDirectory(at('dir/inner'))
        create('dir/inner/file')
        disk.remove(at('a'))
        disk.remove(at('dir'))
        disk.remove(at('missing'))
        disk.remove(at('missing/file'))
        expect(disk.list(under.root)).toEqual([])
      })

      it('goes on reading and writing an open file that was removed or renamed', () => {
        const removed = create('a', 'hello')
        disk.remove(at('a'))
        create('a', 'another')
        removed.write(Buffer.from('J'), 0)
        expect(textIn(removed)).toBe('Jello')
        expect(contentOf('a')).toBe('another')
        const renamed = create('b', 'hello')
        disk.rename(at('b'), at('c'))
        renamed.write(Buffer.from('J'), 0)
        expect(contentOf('c')).toBe('Jello')
      })

      it('syncs a directory, and fails for one that is missing', async () => {
        create('a')
        await expect(disk.syncDirectory(under.root)).resolves.toBeUndefined()
        await expect(disk.syncDirectory(at('missing'))).rejects.toMatchObject({ code: 'ENOENT' })
      })
    })

    describe('locks', () => {
      it('gives a lock to one at a time', () => {
        const lock = disk.lock(at('lock'))
        expect(lock).toBeDefined()
        expect(disk.exists(at('lock'))).toBe(true)
        expect(disk.lock(at('lock'))).toBeUndefined()
        lock!.release()
        const next = disk.lock(at('lock'))
        expect(next).toBeDefined()
        next!.release()
      })

      it('lets a lock go once: releasing it again does not release the next one', () => {
        const lock = disk.lock(at('lock'))!
        lock.release()
        const next = disk.lock(at('lock'))!
        lock.release()
        expect(disk.lock(at('lock'))).toBeUndefined()
        next.release()
      })

      it('keeps the lock when others open, read and close the file', () => {
        const lock = disk.lock(at('lock'))!
        const file = disk.open(at('lock'))
        file.read(Buffer.alloc(8), 0)
        file.close()
        expect(disk.lock(at('lock'))).toBeUndefined()
        lock.release()
      })

      it('fails where the directory is missing', () => {
        expect(codeOf(() => disk.lock(at('missing/lock')))).toBe('ENOENT')
      })
    })
  })
}

export function textIn(file: DiskFile): string {
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  return bytes.toString()
}

/** The system's code of the error that the call throws. */
export function codeOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'no error'
}
