import { describe, expect, it } from 'vitest'
import type { AppendResult } from '../../src/cluster/cluster.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Committer } from '../../src/runtime/committer.ts'
import { RecordCollector } from '../../src/runtime/record-collector.ts'

const partition = { topic: 't', partition: 0 }

/** A cluster that acknowledges when it is told to. */
function slowCluster() {
  const appends: PromiseWithResolvers<AppendResult>[] = []
  const cluster = {
    append: () => {
      const append = Promise.withResolvers<AppendResult>()
      appends.push(append)
      return append.promise
    },
  } as unknown as Committer
  return { cluster, appends }
}

describe('RecordCollector', () => {
  it('is full beyond its bound, until enough is acknowledged', async () => {
    const { cluster, appends } = slowCluster()
    const collector = new RecordCollector(cluster, 100)
    void collector.append(partition, Buffer.alloc(80))
    expect(collector.isFull).toBe(false)
    void collector.append(partition, Buffer.alloc(80))
    expect(collector.isFull).toBe(true)
    let hasRoom = false
    const room = collector.room().then(() => {
      hasRoom = true
    })
    await Promise.resolve()
    expect(hasRoom).toBe(false)
    appends[0].resolve({ baseOffset: 0 })
    await room
    expect(collector.isFull).toBe(false)
    expect(collector.isIdle).toBe(false)
    appends[1].resolve({ baseOffset: 1 })
    await collector.acknowledged()
    expect(collector.isIdle).toBe(true)
  })

  it('tells the first failure to everybody who asks, and takes nothing more', async () => {
    const { cluster, appends } = slowCluster()
    const collector = new RecordCollector(cluster, 100)
    const first = collector.append(partition, Buffer.alloc(10))
    const second = collector.append(partition, Buffer.alloc(10))
    const failure = new MillraceError('DISK_FULL', 'The disk is full')
    appends[0].reject(failure)
    appends[1].reject(new Error('later'))
    await expect(first).rejects.toBe(failure)
    await expect(second).rejects.toThrow('later')
    await expect(collector.acknowledged()).rejects.toBe(failure)
    await expect(collector.room()).rejects.toBe(failure)
    await expect(collector.append(partition, Buffer.alloc(1))).rejects.toBe(failure)
    expect(appends).toHaveLength(2)
  })
})
