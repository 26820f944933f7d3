import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { segmentFileName } from '../../../src/broker/log/segment.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { batchOf, failureOf, worldOn } from '../records.ts'
import { marked, produced } from './producing.ts'

interface Setup {
  readonly broker: Broker
  readonly log: PartitionLog
  readonly environment: VirtualEnvironment
}

async function setUp(settings: Partial<BrokerSettings> = {}, disk?: MemoryDisk): Promise<Setup> {
  const environment = worldOn(disk)
  const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache', settings })
  await broker.createTopics([{ name: 't', partitions: 1 }])
  return { broker, log: broker.log('t', 0), environment }
}

describe('an idempotent producer', () => {
  it('that sends a batch again is told where it is, as long as it is one of the last five', async () => {
    const { log } = await setUp()
    for (let i = 0; i < 6; i++) expect(log.append(produced({ producerId: 1, sequence: i * 2, records: 2 }))).toBe(i * 2)
    for (let i = 1; i < 6; i++) expect(log.append(produced({ producerId: 1, sequence: i * 2, records: 2 }))).toBe(i * 2)
    expect(log.logEndOffset).toBe(12)
    const forgotten = await failureOf(() => log.append(produced({ producerId: 1, sequence: 0, records: 2 })))
    expect(forgotten).toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER', at: { topic: 't', partition: 0 } })
  })

  it.each(['after a clean end', 'after a crash'])(
    'may send its last five batches again %s, also those of the segment before',
    async (how) => {
      const { broker, log, environment } = await setUp({ segmentBytes: 400 })
      for (let i = 0; i < 12; i++) log.append(produced({ producerId: 1, sequence: i * 2, records: 2 }))
      expect(log.segments.length).toBeGreaterThan(2)
      await log.flushed()
      if (how === 'after a clean end') await broker.close()
      const { disk } = environment
      const again = await setUp(
        { segmentBytes: 400 },
        how === 'after a clean end' ? disk : disk.crash({ keepUnsynced: 'all' }),
      )
      for (let i = 7; i < 12; i++) {
        expect(again.log.append(produced({ producerId: 1, sequence: i * 2, records: 2 }))).toBe(i * 2)
      }
      expect(again.log.append(produced({ producerId: 1, sequence: 24 }))).toBe(24)
    },
  )

  it('may not leave a batch out, and one that was cut differently is not the same', async () => {
    const { log } = await setUp()
    log.append(produced({ producerId: 1, sequence: 0, records: 3 }))
    for (const batch of [
      { producerId: 1, sequence: 4 },
      { producerId: 1, sequence: 2 },
      { producerId: 1, sequence: 0, records: 2 },
      { producerId: 1, sequence: 5, epoch: 1 },
    ]) {
      expect((await failureOf(() => log.append(produced(batch)))).code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    }
    expect(log.append(produced({ producerId: 1, sequence: 3 }))).toBe(3)
  })

  it('counts on from 0 behind 2^31 - 1, also within a batch', async () => {
    const { log } = await setUp()
    log.append(produced({ producerId: 1, sequence: 2_147_483_645 }))
    const wrapping = { producerId: 1, sequence: 2_147_483_646, records: 4 }
    expect(log.append(produced(wrapping))).toBe(1)
    expect(log.append(produced(wrapping))).toBe(1)
    expect(log.append(produced({ producerId: 1, sequence: 2 }))).toBe(5)
    log.append(produced({ producerId: 2, sequence: 2_147_483_647 }))
    expect(log.append(produced({ producerId: 2, sequence: 0 }))).toBe(7)
  })

  it('with a later epoch starts at 0 and shuts the earlier one out', async () => {
    const { log } = await setUp()
    log.append(produced({ producerId: 1, sequence: 0 }))
    expect(log.append(produced({ producerId: 1, epoch: 2, sequence: 0 }))).toBe(1)
    const fenced = await failureOf(() => log.append(produced({ producerId: 1, epoch: 1, sequence: 1 })))
    expect(fenced.code).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('is known after a crash, and after an end in order', async () => {
    const { log, environment } = await setUp({ segmentBytes: 400 })
    for (let i = 0; i < 20; i++) log.append(produced({ producerId: 1, sequence: i }))
    const crashed = await setUp({ segmentBytes: 400 }, environment.disk.crash({ keepUnsynced: 'all' }))
    expect(crashed.log.append(produced({ producerId: 1, sequence: 18 }))).toBe(18)
    expect(crashed.log.append(produced({ producerId: 1, sequence: 20 }))).toBe(20)
    await crashed.broker.close()
    const reopened = await setUp({ segmentBytes: 400 }, crashed.environment.disk)
    expect(reopened.log.append(produced({ producerId: 1, sequence: 20 }))).toBe(20)
    expect((await failureOf(() => reopened.log.append(produced({ producerId: 1, sequence: 22 })))).code).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
  })

  it('is known where the snapshots are damaged or gone: the log is read again', async () => {
    const { log, broker, environment } = await setUp({ segmentBytes: 400 })
    for (let i = 0; i < 20; i++) log.append(produced({ producerId: 1, sequence: i }))
    await broker.close()
    const { disk } = environment
    const snapshots = disk.list('data/t-0').filter((name) => name.endsWith('.snapshot'))
    expect(snapshots).toContain(segmentFileName(20, '.snapshot'))
    for (const [i, name] of snapshots.entries()) {
      if (i % 2 === 0) disk.remove(`data/t-0/${name}`)
      else disk.open(`data/t-0/${name}`).write(Buffer.from([0x55]), 12)
    }
    const reopened = await setUp({ segmentBytes: 400 }, disk)
    expect(reopened.log.append(produced({ producerId: 1, sequence: 16 }))).toBe(16)
  })

  it('of a truncated log is known as of its new end', async () => {
    const { log } = await setUp({ segmentBytes: 400 })
    for (let i = 0; i < 20; i++) log.append(produced({ producerId: 1, sequence: i, isTransactional: true }))
    log.append(marked('abort', 1), 'coordinator')
    log.lowerRecoveryPoint(9)
    log.truncate(9)
    expect(log.abortedTransactions(0, 100)).toEqual([])
    expect(log.lastStableOffset).toBe(0)
    expect(log.append(produced({ producerId: 1, sequence: 9, isTransactional: true }))).toBe(9)
  })

  it('that was not heard of for long is forgotten, unless its transaction is open', async () => {
    const { log, environment } = await setUp({ producerIdExpirationMs: 1_000 })
    log.append(produced({ producerId: 1, sequence: 0 }))
    log.append(produced({ producerId: 2, sequence: 0, isTransactional: true }))
    environment.clock.advance(999)
    log.append(produced({ producerId: 3, sequence: 0 }))
    expect(log.producers.size).toBe(3)
    environment.clock.advance(2)
    log.append(produced({ producerId: 4, sequence: 0 }))
    expect([...log.producers.entries()].map((entry) => entry.producerId)).toEqual([2, 3, 4])
    // What is not known any more may go on with any number.
    expect(log.append(produced({ producerId: 1, sequence: 8 }))).toBe(4)
  })

  it('is refused what only the log may write, and what cannot be checked', async () => {
    const { log } = await setUp()
    for (const batches of [
      marked('commit', 1),
      produced({ producerId: 1, sequence: -1 }),
      produced({ producerId: -1, sequence: -1, isTransactional: true }),
      Buffer.concat([batchOf('a'), produced({ producerId: 1, sequence: 0 })]),
      Buffer.concat([produced({ producerId: 1, sequence: 0 }), produced({ producerId: 1, sequence: 1 })]),
    ]) {
      expect((await failureOf(() => log.append(batches))).code).toBe('INVALID_RECORD')
    }
    expect(log.logEndOffset).toBe(0)
  })
})

describe('transactions of a partition', () => {
  it('hold the last stable offset back from the first that is open on', async () => {
    const { log } = await setUp()
    log.append(batchOf('a'))
    expect(log.lastStableOffset).toBe(1)
    log.append(produced({ producerId: 1, sequence: 0, isTransactional: true }))
    log.append(produced({ producerId: 2, sequence: 0, isTransactional: true }))
    log.append(produced({ producerId: 1, sequence: 1, isTransactional: true }))
    log.append(marked('commit', 2), 'coordinator')
    expect(log.lastStableOffset).toBe(1)
    log.append(marked('abort', 1), 'coordinator')
    expect(log.lastStableOffset).toBe(6)
    expect(log.abortedTransactions(0, 6)).toEqual([
      { producerId: 1, firstOffset: 1, lastOffset: 5, isAborted: true, lastStableOffset: 6 },
    ])
    expect(log.abortedTransactions(6, 7)).toEqual([])
    expect(log.abortedTransactions(0, 1)).toEqual([])
  })

  it('are ended by their own coordinator: not an older one, nor by an older epoch', async () => {
    const { log } = await setUp()
    log.append(produced({ producerId: 1, epoch: 4, sequence: 0, isTransactional: true }))
    log.append(marked('commit', 1, 5, 3), 'coordinator')
    expect((await failureOf(() => log.append(marked('abort', 1, 4, 3), 'coordinator'))).code).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
    expect((await failureOf(() => log.append(marked('abort', 1, 5, 2), 'coordinator'))).code).toBe(
      'TRANSACTION_COORDINATOR_FENCED',
    )
    const late = produced({ producerId: 1, epoch: 4, sequence: 1, isTransactional: true })
    expect((await failureOf(() => log.append(late))).code).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('take no batch that is not part of them', async () => {
    const { log } = await setUp()
    log.append(produced({ producerId: 1, sequence: 0, isTransactional: true }))
    const outside = produced({ producerId: 1, sequence: 1 })
    expect((await failureOf(() => log.append(outside))).code).toBe('INVALID_TXN_STATE')
  })

  it('that are aborted are in the index before the marker is in the log, so that a full disk takes neither or both', async () => {
    const { log, environment } = await setUp()
    log.append(produced({ producerId: 1, sequence: 0, isTransactional: true }))
    for (const skips of [0, 1]) {
      environment.disk.failNext('write', 'ENOSPC', 1, skips)
      expect((await failureOf(() => log.append(marked('abort', 1), 'coordinator'))).code).toBe('DISK_FULL')
      expect(log.abortedTransactions(0, 10)).toEqual([])
      expect(log.lastStableOffset).toBe(0)
    }
    log.append(marked('abort', 1), 'coordinator')
    expect(log.abortedTransactions(0, 10)).toHaveLength(1)
  })
})
