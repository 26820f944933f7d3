import { expect } from 'vitest'
import type { ConsumerGroup } from '../../../../src/broker/group/consumer/consumer-group.ts'
import { noPartitions, type PartitionSet } from '../../../../src/broker/group/consumer/partition-set.ts'
import { readAssignment } from '../../../../src/broker/group/consumer-protocol.ts'
import { subscriptionOf } from '../consumer-protocol-bytes.ts'
import { parsePartitions, partitionsAsText } from './consumer-transcript.ts'

/** A member as a client, one request at a time: it works on what it owns, and gives up at once what it is not to keep. */
export interface HonestMember {
  readonly owned: PartitionSet
  readonly topics: readonly string[]
  subscribe(topics: readonly string[]): void
  /** The next request, with its answer, or without where that is lost. */
  beat(group: ConsumerGroup, nowMs: number, isAnswerLost?: boolean): void
  leave(group: ConsumerGroup, nowMs: number): void
}

const sessionTimeoutMs = 45_000
const rebalanceTimeoutMs = 300_000

/** Of the consumer protocol: it begins anew when it is fenced. */
export class ConsumerProtocolMember implements HonestMember {
  owned: PartitionSet = noPartitions
  topics: readonly string[] = ['t']
  readonly #id: string
  #epoch = 0
  /** Whether it says everything: when it begins, has changed or does not know what became of what it said last. */
  #hasNews = true

  constructor(id: string) {
    this.#id = id
  }

  subscribe(topics: readonly string[]): void {
    this.topics = topics
    this.#hasNews = true
  }

  beat(group: ConsumerGroup, nowMs: number, isAnswerLost = false): void {
    const { error, memberEpoch, assigned } = this.#send(group, this.#epoch, nowMs)
    if (isAnswerLost) {
      this.#hasNews = true
      return
    }
    if (error === 'NONE') {
      this.#epoch = memberEpoch
      this.owned = assigned ?? this.owned
      this.#hasNews = false
      return
    }
    expect(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND']).toContain(error)
    this.owned = noPartitions
    this.#epoch = 0
    this.#hasNews = true
  }

  leave(group: ConsumerGroup, nowMs: number): void {
    this.#send(group, -1, nowMs)
  }

  #send(group: ConsumerGroup, memberEpoch: number, nowMs: number) {
    const hasNews = this.#hasNews
    return group.heartbeat(
      {
        memberId: this.#id,
        newMemberId: this.#id,
        memberEpoch,
        instanceId: null,
        rackId: null,
        clientId: 'client',
        clientHost: '/host',
        rebalanceTimeoutMs: hasNews ? rebalanceTimeoutMs : -1,
        topicNames: hasNews ? this.topics : null,
        topicRegex: null,
        assignor: null,
        owned: this.owned,
      },
      nowMs,
    )
  }
}

/** Of the classic protocol: an eager one gives up everything before it joins, a cooperative one joins again when it has given something up. */
export class ClassicProtocolMember implements HonestMember {
  owned: PartitionSet = noPartitions
  topics: readonly string[] = ['t']
  readonly #id: string
  readonly #isEager: boolean
  #generation = -1
  #next: 'join' | 'sync' | 'beat' = 'join'

  constructor(id: string, isEager: boolean) {
    this.#id = id
    this.#isEager = isEager
  }

  subscribe(topics: readonly string[]): void {
    this.topics = topics
    this.#next = 'join'
  }

  beat(group: ConsumerGroup, nowMs: number, isAnswerLost = false): void {
    if (this.#next === 'join') this.#join(group, nowMs, isAnswerLost)
    else if (this.#next === 'sync') this.#sync(group, nowMs, isAnswerLost)
    else this.#heartbeat(group, nowMs, isAnswerLost)
  }

  leave(group: ConsumerGroup): void {
    group.expel(this.#id, null)
  }

  #join(group: ConsumerGroup, nowMs: number, isAnswerLost: boolean): void {
    if (this.#isEager) this.owned = noPartitions
    const metadata = subscriptionOf(this.topics, partitionsAsText(this.owned), this.#isEager ? 0 : 1)
    const { error, generation } = group.join(
      {
        memberId: this.#id,
        newMemberId: this.#id,
        instanceId: null,
        clientId: 'client',
        clientHost: '/host',
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocolType: 'consumer',
        protocols: [{ name: 'protocol', metadata }],
        requiresKnownMemberId: false,
        knowsSkipAssignment: true,
      },
      nowMs,
    )
    expect(error).toBe('NONE')
    if (isAnswerLost) return
    this.#generation = generation
    this.#next = 'sync'
  }

  #sync(group: ConsumerGroup, nowMs: number, isAnswerLost: boolean): void {
    const nothing = { protocolType: 'consumer', protocolName: 'protocol', assignments: new Map<string, Buffer>() }
    const { error, assignment } = group.sync({ ...this.#identity, ...nothing }, nowMs)
    if (isAnswerLost) this.#next = 'join'
    else if (error === 'NONE') this.#take(assignment)
    else this.#goBack(error)
  }

  #heartbeat(group: ConsumerGroup, nowMs: number, isAnswerLost: boolean): void {
    const error = group.classicHeartbeat(this.#identity, nowMs)
    if (error !== 'NONE' && !isAnswerLost) this.#goBack(error)
  }

  get #identity() {
    return { memberId: this.#id, instanceId: null, generation: this.#generation }
  }

  #take(assignment: Buffer): void {
    const partitions = (readAssignment(assignment)?.assignedPartitions ?? []).flatMap(({ topic, partitions }) => {
      return partitions.map((partition) => `${topic}${partition}`)
    })
    const hasGivenUp = partitionsAsText(this.owned)
      .split(',')
      .some((owned) => owned !== '' && !partitions.includes(owned))
    this.owned = parsePartitions(partitions.join(','))
    this.#next = hasGivenUp ? 'join' : 'beat'
  }

  #goBack(error: string): void {
    expect(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']).toContain(error)
    if (error !== 'REBALANCE_IN_PROGRESS') this.owned = noPartitions
    this.#next = 'join'
  }
}
