import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { foldedState, liveState } from '../folded-state.ts'
import { failureOf, worldOn } from '../records.ts'

const withoutMembers = { protocolType: 'consumer', generation: 3, protocolName: null, leaderId: null, members: [] }

const newcomer = {
  memberId: '',
  instanceId: null,
  clientId: 'client',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 60_000,
  rebalanceTimeoutMs: 60_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
  requiresKnownMemberId: false,
  knowsSkipAssignment: true,
}

describe('a group on a full disk', () => {
  it('hands out no work that it could not keep, and does when there is room again', async () => {
    const environment = worldOn()
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync' })
    await broker.offsets.partitionFor('g')
    const join = async (memberId: string) => {
      const joined = broker.groups.join('g', { ...newcomer, memberId })
      await environment.clock.advanceAsync(10_000)
      return joined
    }
    const sync = ({ memberId, generation }: { readonly memberId: string; readonly generation: number }) => {
      const assignments = new Map([[memberId, Buffer.from('work')]])
      const identity = { memberId, instanceId: null, generation, protocolType: null, protocolName: null }
      return broker.groups.sync('g', { ...identity, assignments })
    }
    const joined = await join('')
    environment.disk.capacityBytes = environment.disk.usedBytes
    expect((await sync(joined)).error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(broker.offsets.keptGroups.size).toBe(0)
    environment.disk.capacityBytes = Number.POSITIVE_INFINITY
    const synced = await sync(await join(joined.memberId))
    expect([synced.error, synced.assignment.toString()]).toEqual(['NONE', 'work'])
    expect(liveState(broker)).toEqual(foldedState(broker))
    await broker.close()
  })
})

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
