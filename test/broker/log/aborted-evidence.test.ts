import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { MillraceError } from '../../../src/errors.ts'
import { committedRecordsIn } from '../committed-records.ts'
import { failureOf, worldOn } from '../records.ts'
import { marked, produced } from './producing.ts'

const path = 'data/t-0/00000000000000000000.txnindex'

function open(disk: MemoryDisk): Promise<Broker> {
  return openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync' })
}

/** Offsets 0 to 8: of producers 1 and 2 one transaction each was aborted, of 3 one committed. Closed in order. */
async function closed(): Promise<MemoryDisk> {
  const { disk } = worldOn()
  const broker = await open(disk)
  await broker.createTopics([{ name: 't', partitions: 1 }])
  const log = broker.log('t', 0)
  const send = (producerId: number, sequence: number) =>
    log.append(produced({ producerId, sequence, isTransactional: true }))
  send(1, 0)
  send(2, 0)
  send(3, 0)
  send(1, 1)
  log.append(marked('abort', 1), 'coordinator')
  send(3, 1)
  log.append(marked('abort', 2), 'coordinator')
  log.append(marked('commit', 3), 'coordinator')
  send(1, 2)
  log.append(marked('commit', 1), 'coordinator')
  await broker.close()
  return disk
}

const committed = ['3/0/0', '3/0/1', '1/0/2']

describe('an index of aborted transactions', () => {
  it('is compared with the log when it is read again, whichever bit of its producers and offsets has changed', async () => {
    const disk = await closed()
    const bytes = disk.open(path).size()
    expect(bytes).toBe(2 * 34)
    const outcomes = new Set<string>()
    for (let at = 0; at < bytes; at++) {
      // The last stable offset only says where to stop looking: nothing in the log tells whether it is right.
      if (at % 34 >= 26) continue
      for (let bit = 0; bit < 8; bit++) {
        const damaged = disk.crash({ keepUnsynced: 'all' })
        damaged.flipBit(path, at, bit)
        const seen = await committedOf(damaged)
        expect([at, bit, seen === 'refused' || seen]).toEqual([at, bit, seen === 'refused' || committed])
        outcomes.add(seen === 'refused' ? 'refused' : 'right')
      }
    }
    expect([...outcomes].sort()).toEqual(['refused', 'right'])
  })

  it('says which file is damaged', async () => {
    const disk = await closed()
    disk.flipBit(path, 9, 7)
    const broker = await open(disk)
    const failure = await failureOf(() => committedRecordsIn(broker.log('t', 0)))
    expect([failure.code, failure.at.path]).toEqual(['CORRUPT_BATCH', path])
  })

  it('that ends beyond the log is made again', async () => {
    const disk = await closed()
    disk.flipBit(path, 34 + 24, 0)
    expect(await committedOf(disk)).toEqual(committed)
  })
})

async function committedOf(disk: MemoryDisk): Promise<string[] | 'refused'> {
  try {
    const broker = await open(disk)
    return committedRecordsIn(broker.log('t', 0)).map(({ value }) => value)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'CORRUPT_BATCH') return 'refused'
    throw error
  }
}
