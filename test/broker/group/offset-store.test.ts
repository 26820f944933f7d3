import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import {
  readOffsetCommitKey,
  readOffsetCommitValue,
  writeOffsetCommitKey,
  writeOffsetCommitValue,
} from '../../../src/broker/group/offset-commit-record.ts'
import type { FlushPolicy } from '../../../src/broker/log/partition-log.ts'
import { ByteWriter } from '../../../src/bytes/byte-writer.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { failureOf, worldOn } from '../records.ts'

function open(disk: MemoryDisk, flush: FlushPolicy = 'fsync'): Promise<Broker> {
  const settings = { segmentBytes: 600, offsetsTopicPartitions: 2 }
  return openBroker({ directory: 'data', environment: worldOn(disk), flush, settings })
}

const groups = ['g', 'app-1', 'grüppe']
const partitions = [0, 1, 2]

/** Everything that is committed, as one value to compare. */
function allOf(broker: Broker): unknown {
  return groups.map((group) => partitions.map((partition) => broker.offsets.committed(group, 'a-1', partition)))
}

describe('the records of commits', () => {
  it('are those of Kafka', () => {
    const out = new ByteWriter()
    writeOffsetCommitKey({ group: 'gü', topic: 't', partition: 258 }, out)
    const keyBytes = Buffer.from('0001' + '000367c3bc' + '000174' + '00000102', 'hex')
    expect(out.toBuffer()).toEqual(keyBytes)
    out.clear()
    writeOffsetCommitValue({ offset: 2 ** 40 + 1, metadata: 'm' }, 1_767_225_600_000, out)
    const valueBytes = Buffer.from('0003' + '0000010000000001' + 'ffffffff' + '00016d' + '0000019b76daa800', 'hex')
    expect(out.toBuffer().toString('hex')).toBe(valueBytes.toString('hex'))
    expect(readOffsetCommitKey(keyBytes, 0, keyBytes.length)).toEqual({ group: 'gü', topic: 't', partition: 258 })
    expect(readOffsetCommitValue(valueBytes, 0, valueBytes.length)).toEqual({ offset: 2 ** 40 + 1, metadata: 'm' })
  })

  it('of older versions are read, and those of groups are told apart', () => {
    const older = Buffer.from('0001' + '0000000000000007' + '00016d' + '0000000000000000' + '0000000000000000', 'hex')
    expect(readOffsetCommitValue(older, 0, older.length)).toEqual({ offset: 7, metadata: 'm' })
    expect(readOffsetCommitKey(Buffer.from('0002' + '000167', 'hex'), 0, 5)).toBeUndefined()
  })
})

describe('committed offsets', () => {
  it('are nothing for a group that never committed', async () => {
    const broker = await open(new MemoryDisk())
    expect(broker.offsets.committed('g', 't', 0)).toBeUndefined()
    expect(broker.topics.list()).toEqual([])
  })

  it('are there when the commit resolves, not before, and after a power failure', async () => {
    const disk = new MemoryDisk({ tracksCrashes: true })
    const broker = await open(disk)
    await broker.offsets.commit('g', [{ topic: 'a-1', partition: 0, offset: 5, metadata: 'x' }])
    const second = broker.offsets.commit('g', [{ topic: 'a-1', partition: 0, offset: 6, metadata: '' }])
    expect(broker.offsets.committed('g', 'a-1', 0)).toEqual({ offset: 5, metadata: 'x' })
    await second
    expect(broker.offsets.committed('g', 'a-1', 0)).toEqual({ offset: 6, metadata: '' })
    const again = await open(disk.crash({ keepUnsynced: 'none' }))
    expect(again.offsets.committed('g', 'a-1', 0)).toEqual({ offset: 6, metadata: '' })
  })

  it('are all of a commit or none of it after a power failure in the middle', async () => {
    for (let turns = 0; turns < 12; turns++) {
      for (const keepUnsynced of ['none', 'all', 'random'] as const) {
        const disk = new MemoryDisk({ tracksCrashes: true })
        const broker = await open(disk)
        const at = (offset: number) =>
          partitions.map((partition) => ({ topic: 'a-1', partition, offset, metadata: '' }))
        await broker.offsets.commit('g', at(1))
        const metadata = 'm'.repeat(3_000)
        const committing = broker.offsets
          .commit(
            'g',
            at(2).map((one) => ({ ...one, metadata })),
          )
          .catch(() => {})
        for (let i = 0; i < turns; i++) await undefined
        const again = await open(disk.crash({ keepUnsynced }))
        await committing
        const found = partitions.map((partition) => again.offsets.committed('g', 'a-1', partition)?.offset)
        expect([
          [1, 1, 1],
          [2, 2, 2],
        ]).toContainEqual(found)
      }
    }
  })

  it('stay as they were where the commit could not be written', async () => {
    const disk = new MemoryDisk()
    const broker = await open(disk)
    await broker.offsets.commit('g', [{ topic: 'a-1', partition: 0, offset: 5, metadata: '' }])
    disk.failNext('write', 'ENOSPC')
    const failed = broker.offsets.commit('g', [{ topic: 'a-1', partition: 0, offset: 6, metadata: '' }])
    expect((await failureOf(() => failed)).code).toBe('DISK_FULL')
    expect(broker.offsets.committed('g', 'a-1', 0)?.offset).toBe(5)
    disk.failNext('sync', 'EIO')
    const lost = broker.offsets.commit('g', [{ topic: 'a-1', partition: 0, offset: 7, metadata: '' }])
    expect((await failureOf(() => lost)).code).toBe('STORAGE_FAILED')
    expect(broker.offsets.committed('g', 'a-1', 0)?.offset).toBe(5)
  })

  it.each([
    ['', 0, ''],
    ['g', -1, ''],
    ['g', 1.5, ''],
    ['g', 2 ** 53, ''],
    ['g', 0, 'm'.repeat(40_000)],
  ])('of group %j at %d are refused', async (group, offset, metadata) => {
    const broker = await open(new MemoryDisk())
    const commit = () => broker.offsets.commit(group, [{ topic: 't', partition: 0, offset, metadata }])
    expect((await failureOf(commit)).code).toBe('INVALID_ARGUMENT')
  })

  it('are what a restart finds, whatever was committed before', async () => {
    const offset = fc.record({
      topic: fc.constant('a-1'),
      partition: fc.constantFrom(...partitions),
      offset: fc.nat(),
      metadata: fc.string({ maxLength: 20 }),
    })
    const commits = fc.array(fc.record({ group: fc.constantFrom(...groups), offsets: fc.array(offset) }))
    await fc.assert(
      fc.asyncProperty(commits, fc.constantFrom<FlushPolicy>('fsync', 'page-cache'), async (some, flush) => {
        const disk = new MemoryDisk({ tracksCrashes: true })
        const broker = await open(disk, flush)
        const expected = new Map<string, unknown>()
        await Promise.all(some.map(({ group, offsets }) => broker.offsets.commit(group, offsets)))
        for (const { group, offsets } of some) {
          for (const { partition, offset, metadata } of offsets)
            expected.set(`${group} ${partition}`, { offset, metadata })
        }
        const live = allOf(broker)
        expect(live).toEqual(
          groups.map((group) => partitions.map((partition) => expected.get(`${group} ${partition}`))),
        )
        expect(allOf(await open(disk.crash({ keepUnsynced: 'all' })))).toEqual(live)
      }),
      { numRuns: 50 },
    )
  })
})
