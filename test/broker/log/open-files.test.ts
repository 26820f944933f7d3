import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import { OpenFiles } from '../../../src/broker/log/open-files.ts'
import type { Disk, DiskFile } from '../../../src/env/environment.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { batchOf, recordsIn, worldOn } from '../records.ts'

/** A disk that counts how many files of logs are open. */
function counting(disk: MemoryDisk): { disk: Disk; open: Set<DiskFile>; most: () => number } {
  const open = new Set<DiskFile>()
  let most = 0
  const counted = new Proxy(disk, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (name !== 'open') return typeof value === 'function' ? value.bind(target) : value
      return (path: string, options?: { create?: boolean }) => {
        const file = target.open(path, options)
        if (!path.endsWith('.log')) return file
        open.add(file)
        most = Math.max(most, open.size)
        const close = file.close.bind(file)
        file.close = () => {
          open.delete(file)
          close()
        }
        return file
      }
    },
  })
  return { disk: counted, open, most: () => most }
}

describe('the open files of logs', () => {
  it('are those used last, and others are opened again when they are used', async () => {
    const disk = new MemoryDisk()
    const files = new OpenFiles(disk, 2)
    const made = ['a', 'b', 'c', 'd'].map((path) => files.file(path, { create: true }))
    expect(files.openCount).toBe(2)
    for (const [i, file] of made.entries()) file.write(Buffer.from([i]), 0)
    expect(files.openCount).toBe(4)
    for (const file of made) {
      await file.sync()
    }
    const again = files.file('a', { create: false })
    const read = (file: DiskFile) => {
      const byte = Buffer.alloc(1)
      file.read(byte, 0)
      return byte[0]
    }
    expect(read(again)).toBe(0)
    expect(files.openCount).toBe(2)
    expect([...made, ...made].map(read)).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
    expect(files.openCount).toBe(2)
    made[3]?.write(Buffer.from([9]), 0)
    expect(made.slice(0, 3).map(read)).toEqual([0, 1, 2])
    expect([files.openCount, read(made[3] as DiskFile)]).toEqual([2, 9])
    for (const file of [...made, again]) file.close()
    expect(files.openCount).toBe(0)
    expect(() => made[0]?.size()).toThrow('EBADF')
  })

  it('stay within their bound over a thousand partitions that are written, read, closed and opened', async () => {
    const memory = new MemoryDisk()
    for (const round of [0, 1]) {
      const { disk, open, most } = counting(memory)
      const environment = { ...worldOn(memory), disk }
      const broker = await openBroker({
        directory: 'data',
        environment,
        flush: 'fsync',
        settings: { maxOpenFiles: 50, segmentBytes: 200 },
      })
      await broker.createTopics([{ name: 't', partitions: 1_000 }])
      for (let partition = 0; partition < 1_000; partition++) {
        const log = broker.log('t', partition)
        for (const value of ['one', 'two', 'three']) log.append(batchOf(`${value} ${partition} ${round}`))
        if (partition % 25 === 24) await log.flushed()
      }
      for (let partition = 0; partition < 1_000; partition += 1) await broker.log('t', partition).flushed()
      for (let partition = 999; partition >= 0; partition--) {
        const cursor = new LogCursor(broker.log('t', partition), 3 * round, 10_000)
        expect(recordsIn(cursor.read())[0]?.value).toBe(`one ${partition} ${round}`)
      }
      expect(open.size).toBeLessThanOrEqual(50)
      // Beside the bound only what was written to and not flushed yet: three segments of up to 25 partitions.
      expect(most()).toBeLessThanOrEqual(50 + 75)
      await broker.close()
      expect(open.size).toBe(0)
    }
  })
})
