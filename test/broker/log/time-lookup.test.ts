import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { firstOffsetSince, offsetOfLargestTimestamp } from '../../../src/broker/log/time-lookup.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { batchOfRecords, failureOf, worldOn } from '../records.ts'

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const settings = { segmentBytes: 1_000, indexIntervalBytes: 150 }

async function open(environment: VirtualEnvironment, flush: 'fsync' | 'page-cache' = 'page-cache'): Promise<Broker> {
  const broker = await openBroker({ directory: 'data', environment, flush, settings })
  await broker.createTopics([{ name: 't', partitions: 1 }])
  return broker
}

/** What a look at every record finds. */
function scanSince(timestamps: readonly number[], time: number): { offset: number; timestamp: number } | undefined {
  const offset = timestamps.findIndex((timestamp) => timestamp >= time)
  return offset < 0 ? undefined : { offset, timestamp: timestamps[offset] as number }
}

function expectAllLookups(log: PartitionLog, timestamps: readonly number[]): void {
  const largest = Math.max(...timestamps)
  for (let time = -1; time <= largest + 1; time++) {
    expect([time, firstOffsetSince(log, time)]).toEqual([time, scanSince(timestamps, time)])
  }
  const offset = timestamps.indexOf(largest)
  expect(offsetOfLargestTimestamp(log)).toEqual({ offset, timestamp: largest })
}

describe('a look-up by time', () => {
  it('finds the same record as a look at all of them, plain and compressed, before and after a restart', async () => {
    const batches = fc.array(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 40,
    })
    const restarts = fc.constantFrom('none', 'clean', 'crash')
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.constantFrom(...codecNames),
        restarts,
        async (timesOfBatches, compression, restart) => {
          const environment = worldOn()
          const broker = await open(environment)
          for (const times of timesOfBatches) {
            const records = times.map((timestamp) => ({ timestamp, value: 'x'.repeat(timestamp) }))
            broker.log('t', 0).append(batchOfRecords(records, { compression }))
          }
          let reopened = broker
          if (restart === 'clean') {
            await broker.close()
            reopened = await open(environment)
          } else if (restart === 'crash') {
            reopened = await open(worldOn(environment.disk.crash({ keepUnsynced: 'all' })))
          }
          expectAllLookups(reopened.log('t', 0), timesOfBatches.flat())
        },
      ),
      { numRuns: 60 },
    )
  })

  it('finds the same after the log was truncated', async () => {
    const broker = await open(worldOn())
    const log = broker.log('t', 0)
    const times = Array.from({ length: 200 }, (_, i) => (i * 37) % 101)
    for (let i = 0; i < times.length; i += 2) {
      log.append(batchOfRecords(times.slice(i, i + 2).map((timestamp) => ({ timestamp }))))
    }
    for (const end of [150, 90, 88, 22, 2]) {
      log.lowerRecoveryPoint(end)
      log.truncate(end)
      expectAllLookups(log, times.slice(0, end))
    }
  })

  it('gives nothing that readers may not see yet', async () => {
    const log = (await open(worldOn(), 'fsync')).log('t', 0)
    log.append(batchOfRecords([{ timestamp: 5 }]))
    expect([firstOffsetSince(log, 0), offsetOfLargestTimestamp(log)]).toEqual([undefined, undefined])
    await log.acknowledged()
    expect(firstOffsetSince(log, 0)).toEqual({ offset: 0, timestamp: 5 })
  })

  it('finds nothing in an empty log, nor where records have no time', async () => {
    const log = (await open(worldOn())).log('t', 0)
    expect([firstOffsetSince(log, 0), offsetOfLargestTimestamp(log)]).toEqual([undefined, undefined])
    log.append(batchOfRecords([{ timestamp: -1 }]))
    expect([firstOffsetSince(log, 0), offsetOfLargestTimestamp(log)]).toEqual([undefined, undefined])
  })

  it.each(['.timeindex', '.index'])(
    'does not trust a %s that is missing, short or of another log',
    async (extension) => {
      const beyond = Buffer.from(extension === '.index' ? '0000ffff0000ffff' : '00000000000000ff0000ffff', 'hex')
      const times = Array.from({ length: 100 }, (_, i) => (i * 37) % 101)
      for (const harm of ['remove', 'empty', 'shift', 'beyond'] as const) {
        const environment = worldOn()
        const broker = await open(environment)
        for (const timestamp of times) broker.log('t', 0).append(batchOfRecords([{ timestamp }]))
        await broker.close()
        for (const name of environment.disk.list('data/t-0').filter((name) => name.endsWith(extension))) {
          const file = environment.disk.open(`data/t-0/${name}`)
          if (harm === 'remove') environment.disk.remove(`data/t-0/${name}`)
          else if (harm === 'empty') file.truncate(0)
          else if (harm === 'shift') file.truncate(Math.max(file.size() - 3, 0))
          else file.write(beyond, file.size())
        }
        expectAllLookups((await open(environment)).log('t', 0), times)
      }
    },
  )

  it('reports a damaged batch where it is', async () => {
    const environment = worldOn()
    const log = (await open(environment)).log('t', 0)
    log.append(batchOfRecords([{ timestamp: 5 }]))
    environment.disk.flipBit(log.segments[0]?.path as string, 8)
    const error = await failureOf(() => firstOffsetSince(log, 0))
    expect([error.code, error.at.topic, error.at.partition]).toEqual(['CORRUPT_BATCH', 't', 0])
  })
})
