import { describe, expect, it } from 'vitest'
import { defaultGroupSettings } from '../../../../src/broker/group/classic-group.ts'
import { defaultConsumerGroupSettings } from '../../../../src/broker/group/consumer/consumer-group.ts'
import { ConsumerGroupCoordinator } from '../../../../src/broker/group/consumer/consumer-group-coordinator.ts'
import type { ConsumerGroupRecord } from '../../../../src/broker/group/consumer/consumer-group-event.ts'
import { noPartitions } from '../../../../src/broker/group/consumer/partition-set.ts'
import type { ClassicGroups } from '../../../../src/broker/group/group-conversion.ts'
import { virtualEnvironment } from '../../../../src/env/virtual-environment.ts'
import { LetterTopics, partitionsAsText } from './consumer-transcript.ts'
import { KeptGroup } from './kept-group.ts'

const saying = {
  memberId: 'a',
  instanceId: null,
  rackId: null,
  clientId: 'client',
  clientHost: '/host',
  topicRegex: null,
  assignor: null,
}
const joining = { ...saying, memberEpoch: 0, rebalanceTimeoutMs: 10_000, topicNames: ['t'], owned: noPartitions }
const beating = { ...saying, memberEpoch: 1, rebalanceTimeoutMs: -1, topicNames: null, owned: null }

const settings = { ...defaultGroupSettings, ...defaultConsumerGroupSettings }
const noClassicGroups: ClassicGroups = {
  release: async () => 'NONE',
  membersOf: () => undefined,
  giveUp: () => {},
  adopt: async () => false,
}

describe('a coordinator whose log takes nothing', () => {
  it('asks members to try again, and keeps everything when the log takes it again', async () => {
    const { clock, timers, random } = virtualEnvironment({ seed: 1 })
    const log = new KeptGroup()
    let isFull = true
    const coordinator = new ConsumerGroupCoordinator({
      clock,
      timers,
      random,
      settings,
      topics: new LetterTopics({ t: 2 }),
      classic: noClassicGroups,
      keep: async (_group, records: readonly ConsumerGroupRecord[]) => {
        if (isFull) throw new Error('no space')
        log.keep(records)
      },
    })
    expect((await coordinator.heartbeat('g', joining)).error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(log.kept).toBeUndefined()
    isFull = false
    expect((await coordinator.heartbeat('g', beating)).error).toBe('NONE')
    expect(log.kept?.members.get('a')?.topicNames).toEqual(['t'])
    expect(partitionsAsText(log.kept?.assignments.get('a')?.assigned ?? noPartitions)).toBe('t0,t1')
    expect([log.kept?.epoch, log.kept?.targetEpoch]).toEqual([1, 1])
    coordinator.close()
  })

  it('makes no group of a member that was refused', async () => {
    const coordinator = new ConsumerGroupCoordinator({
      ...virtualEnvironment({ seed: 1 }),
      settings,
      topics: new LetterTopics({}),
      classic: noClassicGroups,
      keep: async () => {},
    })
    const { error } = await coordinator.heartbeat('g', { ...joining, topicNames: null, topicRegex: '(' })
    expect([error, coordinator.list()]).toEqual(['INVALID_REGULAR_EXPRESSION', []])
    expect((await coordinator.heartbeat('g', beating)).error).toBe('GROUP_ID_NOT_FOUND')
    coordinator.close()
  })
})
