import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import type { MemoryDisk } from '../../src/env/memory-disk.ts'
import { failureOf, worldOn } from './records.ts'

function open(disk?: MemoryDisk): Promise<Broker> {
  return openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync' })
}

async function allocate(broker: Broker, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => broker.producerIds.allocate()))
}

describe('producer ids', () => {
  it('are given out once, also over blocks and power failures', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    const given = await allocate(broker, 2_500)
    const later = await allocate(await open(environment.disk.crash({ keepUnsynced: 'none' })), 10)
    expect(new Set([...given, ...later]).size).toBe(2_510)
    expect(Math.min(...later)).toBeGreaterThan(Math.max(...given))
  })

  it('are not given out where they cannot be set aside; the next who asks tries again', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    environment.disk.failNext('write', 'ENOSPC')
    expect((await failureOf(() => broker.producerIds.allocate())).code).toBe('DISK_FULL')
    expect(await broker.producerIds.allocate()).toBe(0)
  })
})
