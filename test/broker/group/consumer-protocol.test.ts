import { describe, expect, it } from 'vitest'
import {
  readConsumerGroupValue,
  writeConsumerGroupValue,
} from '../../../src/broker/group/consumer/consumer-group-log-record.ts'
import { readAssignment, readSubscription, writeAssignment } from '../../../src/broker/group/consumer-protocol.ts'

// Made by ConsumerProtocol and GroupCoordinatorRecordHelpers of Apache Kafka 4.1.
const subscription0 = '000000000002000174000175ffffffff'
const owned = '000000020001740000000100000001000175000000020000000000000002'
const subscription1 = `000100000002000174000175ffffffff${owned}`
const subscription2 = `000200000002000174000175ffffffff${owned}00000007`
const subscription3 = `000300000002000174000175ffffffff${owned}0000000700047261636b`
const classicMember =
  '00000369310107636c69656e74062f686f73740302740275000000ea6000010013010000afc8020672616e676505000301020000'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const partitions = [
  { topic: 't', partitions: [1] },
  { topic: 'u', partitions: [0, 2] },
]

describe("what consumers of the classic protocol say, in Kafka's bytes", () => {
  it('is read in all its versions, and in later ones as the latest', () => {
    const bare = { topics: ['t', 'u'], userData: null, ownedPartitions: [], generationId: -1, rackId: null }
    expect(readSubscription(bytes(subscription0))).toEqual(bare)
    const owning = { ...bare, ownedPartitions: partitions }
    expect(readSubscription(bytes(subscription1))).toEqual(owning)
    expect(readSubscription(bytes(subscription2))).toEqual({ ...owning, generationId: 7 })
    const latest = { ...owning, generationId: 7, rackId: 'rack' }
    expect(readSubscription(bytes(subscription3))).toEqual(latest)
    expect(readSubscription(bytes(`0004${subscription3.slice(4)}ffff`))).toEqual(latest)
  })

  it('is nothing where it is cut off, of no version or not there', () => {
    for (let length = 0; length < subscription3.length / 2; length++) {
      expect(readSubscription(bytes(subscription3).subarray(0, length))).toBeUndefined()
    }
    expect(readSubscription(bytes(`ffff${subscription0.slice(4)}`))).toBeUndefined()
    expect(readAssignment(bytes('0000ffff'))).toBeUndefined()
    expect(readAssignment(Buffer.alloc(0))).toEqual({ assignedPartitions: [], userData: null })
  })

  it('is answered in the version that it was said in', () => {
    const answers = [subscription0, subscription1, subscription2, subscription3].map((said) => {
      return writeAssignment(partitions, bytes(said)).toString('hex')
    })
    expect(answers).toEqual(['0000', '0001', '0002', '0003'].map((version) => `${version}${owned}ffffffff`))
    expect(readAssignment(bytes(answers[3] as string))).toEqual({ assignedPartitions: partitions, userData: null })
  })

  it('is kept with its member in a group of the consumer protocol', () => {
    const value = bytes(classicMember)
    const kept = readConsumerGroupValue({ part: 'member', group: 'g', memberId: 'a' }, value, 0, value.length)
    expect(kept).toEqual({
      part: 'member',
      memberId: 'a',
      value: {
        instanceId: 'i1',
        rackId: '',
        clientId: 'client',
        clientHost: '/host',
        topicNames: ['t', 'u'],
        topicRegex: null,
        rebalanceTimeoutMs: 60_000,
        assignor: null,
        classic: { sessionTimeoutMs: 45_000, protocols: [{ name: 'range', metadata: bytes('00030102') }] },
      },
    })
    expect(writeConsumerGroupValue(kept)?.toString('hex')).toBe(classicMember)
  })
})
