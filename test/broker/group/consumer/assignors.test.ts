import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AssignedMember, AssignorInput } from '../../../../src/broker/group/consumer/assignor.ts'
import { assignors } from '../../../../src/broker/group/consumer/assignors.ts'
import {
  countPartitions,
  filterPartitions,
  hasPartition,
  noPartitions,
  type PartitionSet,
  partitionListOf,
} from '../../../../src/broker/group/consumer/partition-set.ts'
import { assignRanges } from '../../../../src/broker/group/consumer/range-assignor.ts'
import { assignUniformly } from '../../../../src/broker/group/consumer/uniform-assignor.ts'

type Sizes = Readonly<Record<string, number>>

function inputOf(sizes: Sizes, subscriptions: Readonly<Record<string, string>>): AssignorInput {
  const members = Object.entries(subscriptions).map(([id, topics]) => memberOf(id, topics.split('')))
  return { members, partitionsOf: (topicId) => sizes[topicId] ?? 0 }
}

function memberOf(id: string, topics: readonly string[], previous: PartitionSet = noPartitions): AssignedMember {
  return { id, instanceId: null, topicIds: new Set(topics), previous }
}

/** `m: a0 a1 b2`, by member. */
function asText(assignment: ReadonlyMap<string, PartitionSet>): string[] {
  return [...assignment]
    .map(([id, partitions]) => {
      const names = partitionListOf(partitions).flatMap(({ topicId, partitions: all }) => all.map((p) => topicId + p))
      return `${id}: ${names.sort().join(' ')}`.trim()
    })
    .sort()
}

const sizes = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) })
const subscriptions = fc.uniqueArray(
  fc.tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.subarray(['a', 'b', 'c'])),
  {
    selector: ([id]) => id,
    minLength: 1,
    maxLength: 8,
  },
)

describe.each([...assignors])('the assignor %s', (_, assign) => {
  it('gives each partition that somebody subscribes to, to one who does', () => {
    fc.assert(
      fc.property(sizes, subscriptions, (topicSizes, members) => {
        const input = inputOf(topicSizes, Object.fromEntries(members.map(([id, topics]) => [id, topics.join('')])))
        const assignment = assign(input)
        for (const [topicId, size] of Object.entries(topicSizes)) {
          const subscribers = input.members.filter(({ topicIds }) => topicIds.has(topicId)).map(({ id }) => id)
          for (let partition = 0; partition < size; partition++) {
            const owners = [...assignment].filter(([, has]) => hasPartition(has, topicId, partition)).map(([id]) => id)
            expect(owners.length).toBe(subscribers.length === 0 ? 0 : 1)
            expect(subscribers).toEqual(expect.arrayContaining(owners))
          }
        }
        const total = [...assignment.values()].reduce((sum, has) => sum + countPartitions(has), 0)
        expect(total).toBeLessThanOrEqual(topicSizes.a + topicSizes.b + topicSizes.c)
      }),
    )
  })
})

describe('ranges', () => {
  it('are next to each other, the first ones longer, alike for topics of one size', () => {
    expect(asText(assignRanges(inputOf({ a: 5, b: 5 }, { m1: 'ab', m2: 'ab' })))).toEqual([
      'm1: a0 a1 a2 b0 b1 b2',
      'm2: a3 a4 b3 b4',
    ])
  })

  it('leave members without a partition where there are more of them', () => {
    expect(asText(assignRanges(inputOf({ a: 2 }, { m1: 'a', m2: 'a', m3: 'a' })))).toEqual(['m1: a0', 'm2: a1', 'm3:'])
  })

  it('are those of the subscribers of each topic', () => {
    expect(asText(assignRanges(inputOf({ a: 2, b: 4 }, { m1: 'ab', m2: 'b' })))).toEqual([
      'm1: a0 a1 b0 b1',
      'm2: b2 b3',
    ])
  })

  it('begin with static members, by their names, whatever their ids', () => {
    const topicIds = new Set(['a'])
    const input = {
      members: [
        { id: 'x', instanceId: null, topicIds, previous: noPartitions },
        { id: 'z', instanceId: 'one', topicIds, previous: noPartitions },
        { id: 'y', instanceId: 'two', topicIds, previous: noPartitions },
      ],
      partitionsOf: () => 3,
    }
    expect([...assignRanges(input).keys()]).toEqual(['z', 'y', 'x'])
  })
})

describe('the uniform assignor', () => {
  it('gives all who subscribe to the same as many, give or take one', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 8 }), (topicSizes, count) => {
        const members = Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 'abc']))
        const counts = [...assignUniformly(inputOf(topicSizes, members)).values()].map(countPartitions)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('leaves no partition with a member that has two more than another that subscribes to its topic', () => {
    fc.assert(
      fc.property(sizes, subscriptions, (topicSizes, members) => {
        const input = inputOf(topicSizes, Object.fromEntries(members.map(([id, topics]) => [id, topics.join('')])))
        const assignment = assignUniformly(input)
        const countOf = (id: string) => countPartitions(assignment.get(id) ?? noPartitions)
        for (const [id, has] of assignment) {
          for (const topicId of has.keys()) {
            for (const other of input.members.filter(({ topicIds }) => topicIds.has(topicId))) {
              expect(countOf(id) - countOf(other.id)).toBeLessThanOrEqual(1)
            }
          }
        }
      }),
    )
  })

  it('moves nothing when it is asked again', () => {
    fc.assert(
      fc.property(sizes, subscriptions, (topicSizes, members) => {
        const input = inputOf(topicSizes, Object.fromEntries(members.map(([id, topics]) => [id, topics.join('')])))
        const first = assignUniformly(input)
        const again = input.members.map((member) => ({ ...member, previous: first.get(member.id) ?? noPartitions }))
        expect(asText(assignUniformly({ ...input, members: again }))).toEqual(asText(first))
      }),
    )
  })

  it('moves only what a new member is to have', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 6 }), (topicSizes, count) => {
        const ids = Array.from({ length: count }, (_, at) => `m${at}`)
        const input = inputOf(topicSizes, Object.fromEntries(ids.map((id) => [id, 'abc'])))
        const first = assignUniformly(input)
        const members = [
          ...ids.map((id) => memberOf(id, ['a', 'b', 'c'], first.get(id))),
          memberOf('new', ['a', 'b', 'c']),
        ]
        const second = assignUniformly({ ...input, members })
        for (const id of ids) {
          const gained = filterPartitions(second.get(id) ?? noPartitions, (topicId, partition) => {
            return !hasPartition(first.get(id) ?? noPartitions, topicId, partition)
          })
          expect(countPartitions(gained)).toBe(0)
        }
      }),
    )
  })

  it('does not give what a topic has no more', () => {
    const previous = new Map([['a', new Set([0, 1, 7])]])
    const members = [memberOf('m', ['a'], previous)]
    expect(asText(assignUniformly({ members, partitionsOf: () => 2 }))).toEqual(['m: a0 a1'])
  })

  it('takes one of two that both had a partition', () => {
    const previous = new Map([['a', new Set([0])]])
    const members = [memberOf('m', ['a'], previous), memberOf('n', ['a'], previous)]
    expect(asText(assignUniformly({ members, partitionsOf: () => 1 }))).toEqual(['m: a0', 'n:'])
  })
})
