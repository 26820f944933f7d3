import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { foldedState, liveState } from '../folded-state.ts'
import { failureOf, worldOn } from '../records.ts'

const withoutMembers = { protocolType: 'consumer', generation: 3, protocolName: null, leaderId: null, members: [] }

describe('a group without members', () => {
  it('is forgotten when that is durable, and not where the disk had no room to say so', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    await broker.offsets.keepGroup('g', withoutMembers)
    broker.groups.restore('g', withoutMembers)
    environment.disk.failNext('write', 'ENOSPC')
    expect((await failureOf(() => broker.groups.delete('g'))).code).toBe('DISK_FULL')
    expect(broker.groups.get('g')?.state).toBe('Empty')
    expect(liveState(broker)).toEqual(foldedState(broker))
    expect(await broker.groups.delete('g')).toBe('NONE')
    expect(broker.groups.get('g')).toBeUndefined()
    const again = await openBroker({
      directory: 'data',
      environment: worldOn(environment.disk.crash({ keepUnsynced: 'none' })),
      flush: 'fsync',
    })
    expect(again.groups.list()).toEqual([])
  })
})
