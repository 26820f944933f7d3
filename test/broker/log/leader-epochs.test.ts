import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { LeaderEpochs, truncationOf } from '../../../src/broker/log/leader-epochs.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { batchOf, worldOn } from '../records.ts'

const path = 'leader-epoch-checkpoint'

function epochsOf(...entries: [epoch: number, startOffset: number][]): LeaderEpochs {
  const disk = new MemoryDisk()
  const epochs = new LeaderEpochs(disk, '.')
  for (const [epoch, offset] of entries) epochs.note(epoch, offset)
  return epochs
}

/** The epoch of each offset, as a log that is written and cut has them. */
class Model {
  epochs: number[] = []

  endOf(epoch: number): { epoch: number; endOffset: number } | undefined {
    const latest = this.epochs.at(-1)
    if (latest === undefined || epoch > latest) return undefined
    const end = this.epochs.findIndex((other) => other > epoch)
    const floor = this.epochs.findLast((other) => other <= epoch) ?? epoch
    return { epoch: floor, endOffset: end < 0 ? this.epochs.length : end }
  }
}

describe('leader epochs', () => {
  it('tell where each epoch ends, as a list of the epoch of every offset does', () => {
    const step = fc.oneof(
      fc.record({ appends: fc.integer({ min: 1, max: 5 }), newEpochs: fc.nat({ max: 2 }) }),
      fc.record({ keeps: fc.nat({ max: 40 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const model = new Model()
        const epochs = epochsOf()
        let epoch = 0
        for (const step of steps) {
          if ('keeps' in step) {
            model.epochs = model.epochs.slice(0, step.keeps)
            epochs.truncateEnd(model.epochs.length)
            epoch += 1
          } else {
            epoch += step.newEpochs
            epochs.note(epoch, model.epochs.length)
            for (let i = 0; i < step.appends; i++) model.epochs.push(epoch)
          }
          for (let asked = 0; asked <= epoch + 1; asked++) {
            expect(epochs.endOf(asked, model.epochs.length)).toEqual(model.endOf(asked))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('begin where the log begins', () => {
    const epochs = epochsOf([0, 0], [2, 10], [5, 20])
    expect([epochs.truncateStart(15), epochs.entries]).toEqual([
      true,
      [
        { epoch: 2, startOffset: 15 },
        { epoch: 5, startOffset: 20 },
      ],
    ])
    expect([epochs.truncateStart(20), epochs.entries]).toEqual([true, [{ epoch: 5, startOffset: 20 }]])
    expect(epochs.truncateStart(20)).toBe(false)
    expect(epochs.endOf(1, 30)).toEqual({ epoch: 1, endOffset: 20 })
  })

  it('are in a file in the format of Kafka, and not taken from one that cannot be right', () => {
    const disk = new MemoryDisk()
    const epochs = new LeaderEpochs(disk, '.')
    epochs.note(3, 0)
    epochs.note(7, 12)
    epochs.save()
    const file = disk.open(path)
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    expect(bytes.toString()).toBe('0\n2\n3 0\n7 12\n')
    const loaded = new LeaderEpochs(disk, '.')
    expect([loaded.load(), loaded.entries]).toEqual([true, epochs.entries])
    for (const text of ['', '0\n1\n', '1\n0\n', '0\n1\nx 0\n', '0\n2\n3 0\n3 5\n', '0\n2\n3 5\n4 5\n', '0\n1\n3 0']) {
      file.truncate(0)
      file.write(Buffer.from(text), 0)
      expect([text, new LeaderEpochs(disk, '.').load()]).toEqual([text, false])
    }
  })
})

describe('the truncation of a follower', () => {
  it('goes to where the epochs part, not to its high watermark (KIP-101)', () => {
    const own = epochsOf([0, 0], [1, 10])
    // The leader has records of epoch 1 up to 14 only; the follower has 20.
    expect(truncationOf(own, 20, { epoch: 1, endOffset: 14 })).toEqual({ offset: 14, isComplete: true })
    expect(truncationOf(own, 12, { epoch: 1, endOffset: 14 })).toEqual({ offset: 12, isComplete: true })
  })

  it('asks again where it does not know the epoch that the leader answers with (KIP-279)', () => {
    const own = epochsOf([0, 0], [3, 10])
    // Asked about 3, the leader knows 2 as the largest below it, which the follower has never seen.
    expect(truncationOf(own, 20, { epoch: 2, endOffset: 15 })).toEqual({ offset: 10, isComplete: false })
  })

  it('takes the leader at its word where it knows nothing itself', () => {
    expect(truncationOf(epochsOf(), 20, { epoch: 1, endOffset: 14 })).toEqual({ offset: 14, isComplete: true })
  })

  it('makes two logs equal after any elections', () => {
    const epochsOfLog = fc.array(fc.nat({ max: 5 }), { maxLength: 12 }).map((list) => list.sort((a, b) => a - b))
    fc.assert(
      // Two logs that share a beginning: a record is known by its offset and epoch.
      fc.property(epochsOfLog, epochsOfLog, epochsOfLog, (shared, more, others) => {
        const last = shared.at(-1) ?? 0
        // No two leaders have one epoch: behind what is shared the epochs of the two are odd and even.
        const leader = [...shared, ...more.map((epoch) => last + 1 + 2 * epoch)]
        let follower = [...shared, ...others.map((epoch) => last + 2 + 2 * epoch)]
        const fill = (log: readonly number[]) => {
          const epochs = epochsOf()
          for (const [offset, epoch] of log.entries()) epochs.note(epoch, offset)
          return epochs
        }
        const known = fill(leader)
        // A leader notes its own epoch where its log ends when it is elected, above all before.
        known.note(1_000, leader.length)
        for (let rounds = 0, isComplete = false; !isComplete; rounds++) {
          expect(rounds).toBeLessThan(20)
          const own = fill(follower)
          const answer = known.endOf(own.latest?.epoch ?? 0, leader.length)
          const truncation = truncationOf(own, follower.length, answer ?? { epoch: 0, endOffset: 0 })
          follower = follower.slice(0, truncation.offset)
          isComplete = truncation.isComplete
        }
        expect(follower).toEqual(leader.slice(0, follower.length))
        expect(follower.length).toBeGreaterThanOrEqual(Math.min(shared.length, leader.length))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the file of epochs', () => {
  it('is not found with what a crash had left under its temporary name', async () => {
    const disk = new MemoryDisk({ tracksCrashes: true })
    const left = disk.open('leader-epoch-checkpoint.tmp', { create: true })
    left.write(Buffer.from('0\n1\n0 0\n'), 0)
    await left.sync()
    left.close()
    await disk.syncDirectory('.')
    const epochs = new LeaderEpochs(disk, '.')
    epochs.note(1, 0)
    epochs.save()
    await disk.syncDirectory('.')
    // Its content was not synced: none is found, and the batches tell.
    expect(new LeaderEpochs(disk.crash({ keepUnsynced: 'none' }), '.').load()).toBe(false)
  })
})

describe('the epochs of a log', () => {
  async function open(environment: VirtualEnvironment): Promise<{ log: PartitionLog; close: () => Promise<void> }> {
    const settings = { segmentBytes: 200, indexIntervalBytes: 100 }
    const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings })
    await broker.createTopics([{ name: 't', partitions: 1 }])
    return { log: broker.log('t', 0), close: () => broker.close() }
  }

  it('are those of its batches, after a crash, a truncation, a deletion and without the file', async () => {
    const environment = worldOn()
    const { log } = await open(environment)
    for (const epoch of [0, 0, 2, 2, 2, 5]) {
      log.leaderEpoch = epoch
      log.append(batchOf('x', 'y'))
    }
    const entries = [
      { epoch: 0, startOffset: 0 },
      { epoch: 2, startOffset: 4 },
      { epoch: 5, startOffset: 10 },
    ]
    expect(log.epochs.entries).toEqual(entries)
    const again = await open(worldOn(environment.disk.crash({ keepUnsynced: 'all' })))
    expect(again.log.epochs.entries).toEqual(entries)
    await again.close()
    const disk = environment.disk.crash({ keepUnsynced: 'all' })
    disk.remove('data/t-0/leader-epoch-checkpoint')
    const without = await open(worldOn(disk))
    expect(without.log.epochs.entries).toEqual(entries)
    without.log.lowerRecoveryPoint(8)
    without.log.truncate(8)
    expect(without.log.epochs.entries).toEqual(entries.slice(0, 2))
    without.log.raiseLogStart(6)
    expect(without.log.epochs.entries).toEqual([{ epoch: 2, startOffset: 6 }])
  })
})
