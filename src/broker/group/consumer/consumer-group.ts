import type { KafkaError } from '../../protocol/error-codes.ts'
import { consumerProtocol, readSubscription } from '../consumer-protocol.ts'
import { assignmentFor, type MigrationPolicy, partitionsOf } from '../group-conversion.ts'
import {
  type JoinReply,
  joinRefusal,
  type MemberIdentity,
  type SyncEvent,
  type SyncReply,
  syncFailure,
} from '../group-event.ts'
import { assignors, defaultAssignor } from './assignors.ts'
import { type ClassicJoin, isSupported, protocolNameOf, withJoin } from './classic-member.ts'
import { type GroupTopics, type HeartbeatEvent, type HeartbeatReply, Refusal } from './consumer-group-event.ts'
import { ConsumerGroupState } from './consumer-group-state.ts'
import { type ConsumerMember, leaveEpoch, staticLeaveEpoch } from './consumer-member.ts'
import { hasPartition, isSamePartitions, isSubset, noPartitions, type PartitionSet } from './partition-set.ts'
import { isReconciledTo, reconcile } from './reconciliation.ts'
import { Subscriptions } from './subscriptions.ts'
import { TopicRegex } from './topic-regex.ts'

export interface ConsumerGroupSettings {
  /** A member that is not heard of for so long is no member any more (`group.consumer.session.timeout.ms`). Default: 45 s. */
  readonly consumerSessionTimeoutMs: number
  /** How often members are to be heard of (`group.consumer.heartbeat.interval.ms`). Default: 5 s. */
  readonly consumerHeartbeatIntervalMs: number
  /** The most members of a group (`group.consumer.max.size`). Default: 10,000. Kafka has no bound. */
  readonly consumerMaxMembers: number
  /** Which groups with members change their protocol (`group.consumer.migration.policy`). Default: `bidirectional`. */
  readonly consumerMigrationPolicy: MigrationPolicy
}

export const defaultConsumerGroupSettings: ConsumerGroupSettings = {
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 5_000,
  consumerMaxMembers: 10_000,
  consumerMigrationPolicy: 'bidirectional',
}

/** Kafka's names. `Assigning`: it is not decided yet who is to have what; `Reconciling`: not everyone has it yet. */
export type ConsumerGroupStateName = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

interface Deadlines {
  readonly sessionEndsMs: number
  /** When it must have given up what it is not to keep. */
  readonly rebalanceEndsMs: number
  /** When a member of the classic protocol must have joined again, as it was told to; */
  readonly joinEndsMs: number
  /** and have asked for what it has. */
  readonly syncEndsMs: number
}

const never = Number.POSITIVE_INFINITY

/**
 * A group of the consumer protocol (KIP-848): the broker decides who is to have which partitions, and leads each member there,
 * heartbeat by heartbeat, without stopping the others. Nothing here waits or reads a clock: every call is given the time and does
 * one step; what has changed is then taken from `state` and kept, before the reply is sent. After Kafka's GroupMetadataManager.
 *
 * What holds between steps: no partition is assigned to two members, and none is while another has not given it up.
 */
export class ConsumerGroup {
  readonly id: string
  readonly state: ConsumerGroupState
  readonly #settings: ConsumerGroupSettings
  readonly #topics: GroupTopics
  readonly #subscriptions: Subscriptions
  readonly #deadlines = new Map<string, Deadlines>()
  /** The version of the topics that the epoch has seen. */
  #topicsVersion = -1

  constructor(
    id: string,
    settings: ConsumerGroupSettings,
    topics: GroupTopics,
    state: ConsumerGroupState = new ConsumerGroupState(),
  ) {
    this.id = id
    this.state = state
    this.#settings = settings
    this.#topics = topics
    this.#subscriptions = new Subscriptions(topics)
  }

  /** Gives members of a group that was kept a whole session to be heard of again, and a whole rebalance to those that give up partitions. */
  begin(nowMs: number): void {
    for (const member of this.state.members()) this.#expectAgain(member, nowMs, true)
  }

  get stateName(): ConsumerGroupStateName {
    const { state } = this
    if (state.size === 0) return 'Empty'
    if (state.epoch > state.targetEpoch) return 'Assigning'
    for (const member of state.members()) if (!isReconciledTo(member, state.targetEpoch)) return 'Reconciling'
    return 'Stable'
  }

  /** The assignor that most members would like. */
  get assignorName(): string {
    const votes = new Map<string, number>()
    for (const { assignor } of this.state.members()) {
      if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
    }
    const [most] = [...votes].sort(([, a], [, b]) => b - a)
    return most?.[0] ?? defaultAssignor
  }

  heartbeat(event: HeartbeatEvent, nowMs: number): HeartbeatReply {
    const memberId = event.memberId === '' ? event.newMemberId : event.memberId
    const isLeaving = event.memberEpoch === leaveEpoch || event.memberEpoch === staticLeaveEpoch
    const reply = isLeaving ? this.#leave(event) : this.#beat(memberId, event, nowMs)
    if (!(reply instanceof Refusal)) return reply
    return { error: reply.error, message: reply.message, memberId, memberEpoch: 0, assigned: null }
  }

  /** Whether a member reads the topic. */
  isSubscribedTo(topic: string): boolean {
    for (const member of this.state.members()) if (this.#subscriptions.topicsOf(member).has(topic)) return true
    return false
  }

  /** Whether a member may commit offsets, or ask for them; members of the classic protocol say its epoch as their generation. */
  epochError(memberId: string, memberEpoch: number): KafkaError {
    const member = this.state.get(memberId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (member.epoch === memberEpoch) return 'NONE'
    return member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
  }

  /**
   * A member joins that speaks the classic protocol: it is told its epoch as the generation, and that somebody else leads. What it
   * owns it says in its subscription; what it is to have it asks for next.
   */
  join(event: ClassicJoin, nowMs: number): JoinReply {
    const memberId = event.memberId === '' ? event.newMemberId : event.memberId
    const before = this.#joiningMember(memberId, event)
    if (!('id' in before)) return joinRefusal(memberId, before.error)
    const said = event.protocols[0] && readSubscription(event.protocols[0].metadata)
    if (said === undefined) return joinRefusal(memberId, 'INCONSISTENT_GROUP_PROTOCOL')
    const owned = partitionsOf(said.ownedPartitions, this.#topics)
    const after = this.#admit(before, withJoin(before, event, said), owned, nowMs)
    this.#expect(after, { joinEndsMs: never, syncEndsMs: nowMs + after.rebalanceTimeoutMs })
    return {
      ...{ error: 'NONE', memberId: after.id, generation: after.epoch },
      ...{ protocolType: consumerProtocol, protocolName: protocolNameOf(after) },
      ...{ leaderId: '', skipAssignment: false, members: [] },
    }
  }

  /** A member of the classic protocol asks for what it has. */
  sync(event: Omit<SyncEvent, 'token'>, nowMs: number): SyncReply {
    const member = this.#classicMember(event)
    if (!('id' in member)) return syncFailure(member.error)
    const isOther = (own: string | null, said: string | null): boolean => said !== null && own !== said
    if (isOther(consumerProtocol, event.protocolType) || isOther(protocolNameOf(member), event.protocolName)) {
      return syncFailure('INCONSISTENT_GROUP_PROTOCOL')
    }
    // Who has yet to give up partitions does that first.
    if (this.state.epoch > member.epoch && member.state !== 'unrevoked') {
      this.#awaitJoin(member, nowMs)
      return syncFailure('REBALANCE_IN_PROGRESS')
    }
    this.#hear(member, nowMs)
    this.#expect(member, { syncEndsMs: never })
    const assignment = assignmentFor(member, member.assigned, this.#topics)
    return { error: 'NONE', protocolType: event.protocolType, protocolName: event.protocolName, assignment }
  }

  /** A member of the classic protocol is heard of; it is to join again where that leads it on. */
  classicHeartbeat(identity: MemberIdentity, nowMs: number): KafkaError {
    const member = this.#classicMember(identity)
    if (!('id' in member)) return member.error
    this.#hear(member, nowMs)
    this.#followTopics(false)
    const isBehind = member.epoch < this.state.epoch || member.state === 'unrevoked'
    if (!isBehind && (member.state !== 'unreleased' || this.#isWaitingForOthers(member))) return 'NONE'
    this.#awaitJoin(member, nowMs)
    return 'REBALANCE_IN_PROGRESS'
  }

  /** Takes a member out at the wish of somebody else. */
  expel(memberId: string, instanceId: string | null): KafkaError {
    const member = instanceId === null ? this.state.get(memberId) : this.state.ofInstance(instanceId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (memberId !== '' && member.id !== memberId) return 'FENCED_INSTANCE_ID'
    this.#remove([member])
    return 'NONE'
  }

  /** When `tick` is next due; infinite where nothing waits. */
  get nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const deadlines of this.#deadlines.values()) next = Math.min(next, firstOf(deadlines))
    return next
  }

  /** Does what time alone does: members that are not heard of, or do not give up what they are to, are no members any more. */
  tick(nowMs: number): void {
    const late = [...this.state.members()].filter(({ id }) => firstOf(this.#deadlines.get(id) as Deadlines) <= nowMs)
    if (late.length > 0) this.#remove(late)
  }

  #beat(memberId: string, event: HeartbeatEvent, nowMs: number): HeartbeatReply | Refusal {
    const before = this.#memberFor(memberId, event)
    if (before instanceof Refusal) return before
    const said = withSubscription(before, event)
    const isNewRegex = said.topicRegex !== before.topicRegex
    if (isNewRegex && said.topicRegex && TopicRegex.compile(said.topicRegex) === undefined) {
      return new Refusal('INVALID_REGULAR_EXPRESSION', `${said.topicRegex} is not an expression of RE2.`)
    }
    const after = this.#admit(before, said, event.owned, nowMs)
    const isTold = event.memberEpoch === 0 || isFull(event) || !isSamePartitions(before.assigned, after.assigned)
    return {
      error: 'NONE',
      message: null,
      memberId: after.id,
      memberEpoch: after.epoch,
      assigned: isTold ? after.assigned : null,
    }
  }

  /** Takes in what a member says of itself, and leads it on from there. */
  #admit(before: ConsumerMember, said: ConsumerMember, owned: PartitionSet | null, nowMs: number): ConsumerMember {
    if (said.instanceId !== null) this.#replaceStatic(said.instanceId, before)
    this.state.put(said)
    this.#followTopics(said.topicRegex !== before.topicRegex || said.topicNames !== before.topicNames)
    if (this.state.epoch > this.state.targetEpoch) this.#retarget()
    const after = this.#reconcile(said, owned)
    this.#expectAgain(after, nowMs, after !== said)
    return after
  }

  /** The member as it is before it joins by the classic protocol, or why it may not. */
  #joiningMember(memberId: string, event: ClassicJoin): ConsumerMember | { readonly error: KafkaError } {
    const { instanceId, clientId, clientHost } = event
    const isUnknown = event.memberId === ''
    if (this.state.get(memberId) === undefined && this.state.size >= this.#settings.consumerMaxMembers) {
      return { error: 'GROUP_MAX_SIZE_REACHED' }
    }
    if (!isSupported(this.state.members(), event)) return { error: 'INCONSISTENT_GROUP_PROTOCOL' }
    if (isUnknown && instanceId === null && event.requiresKnownMemberId) return { error: 'MEMBER_ID_REQUIRED' }
    const fresh = { instanceId, rackId: null, clientId, clientHost }
    if (instanceId === null) return this.state.get(memberId) ?? newMember(memberId, fresh)
    const known = this.state.ofInstance(instanceId)
    if (isUnknown) {
      return known === undefined ? newMember(memberId, fresh) : { ...known, id: memberId, epoch: 0, previousEpoch: 0 }
    }
    if (known === undefined) return { error: 'UNKNOWN_MEMBER_ID' }
    return known.id === memberId ? known : { error: 'FENCED_INSTANCE_ID' }
  }

  /** A member that speaks the classic protocol in the generation that it is in, or why it is not one. */
  #classicMember(identity: MemberIdentity): ConsumerMember | { readonly error: KafkaError } {
    const { memberId, instanceId, generation } = identity
    const member = instanceId === null ? this.state.get(memberId) : this.state.ofInstance(instanceId)
    if (member === undefined) return { error: 'UNKNOWN_MEMBER_ID' }
    if (member.id !== memberId) return { error: 'FENCED_INSTANCE_ID' }
    if (member.classic === null) return { error: 'UNKNOWN_MEMBER_ID' }
    return member.epoch === generation ? member : { error: 'ILLEGAL_GENERATION' }
  }

  /** Whether something that the member is to have is still with another. */
  #isWaitingForOthers(member: ConsumerMember): boolean {
    for (const [topicId, partitions] of this.state.targetOf(member.id)) {
      for (const partition of partitions) {
        if (!hasPartition(member.assigned, topicId, partition) && this.state.isHeld(topicId, partition)) return true
      }
    }
    return false
  }

  #awaitJoin(member: ConsumerMember, nowMs: number): void {
    const { joinEndsMs } = this.#deadlines.get(member.id) as Deadlines
    if (joinEndsMs === never) this.#expect(member, { joinEndsMs: nowMs + member.rebalanceTimeoutMs })
  }

  #hear(member: ConsumerMember, nowMs: number): void {
    this.#expect(member, { sessionEndsMs: nowMs + this.#sessionMsOf(member) })
  }

  #sessionMsOf({ classic }: ConsumerMember): number {
    return classic?.sessionTimeoutMs ?? this.#settings.consumerSessionTimeoutMs
  }

  #expect({ id }: ConsumerMember, changed: Partial<Deadlines>): void {
    this.#deadlines.set(id, { ...(this.#deadlines.get(id) ?? noDeadlines), ...changed })
  }

  /** The member as it is before the step: one that joins is not in the group yet, and a static one that is back has its new id. */
  #memberFor(memberId: string, event: HeartbeatEvent): ConsumerMember | Refusal {
    const isJoining = event.memberEpoch === 0
    const known = event.instanceId === null ? this.state.get(memberId) : this.state.ofInstance(event.instanceId)
    if (known === undefined) {
      if (!isJoining) return new Refusal('UNKNOWN_MEMBER_ID', `${memberId} is not a member of the group.`)
      const { consumerMaxMembers } = this.#settings
      if (this.state.size < consumerMaxMembers) return newMember(memberId, event)
      return new Refusal('GROUP_MAX_SIZE_REACHED', `The group has ${consumerMaxMembers} members, which is the most.`)
    }
    if (event.instanceId === null) return epochRefusal(known, event) ?? known
    if (isJoining) {
      // Whoever has the name must have left for a while, or speak the protocol that the member has given up.
      if (known.epoch === staticLeaveEpoch || known.classic !== null)
        return { ...known, id: memberId, epoch: 0, previousEpoch: 0 }
      return new Refusal('UNRELEASED_INSTANCE_ID', `${event.instanceId} is in use by ${known.id}.`)
    }
    if (known.id !== memberId) return fencedInstance(event.instanceId, known)
    return epochRefusal(known, event) ?? known
  }

  /** A static member that is back has what it was to have under its old id. */
  #replaceStatic(instanceId: string, member: ConsumerMember): void {
    const known = this.state.ofInstance(instanceId)
    if (known === undefined || known.id === member.id) return
    const target = this.state.targetOf(known.id)
    this.state.remove(known.id)
    this.#deadlines.delete(known.id)
    this.state.put(member)
    this.state.setTarget(member.id, target)
  }

  #leave({ memberId, instanceId, memberEpoch }: HeartbeatEvent): HeartbeatReply | Refusal {
    const member = instanceId === null ? this.state.get(memberId) : this.state.ofInstance(instanceId)
    if (member === undefined) return new Refusal('UNKNOWN_MEMBER_ID', `${instanceId ?? memberId} is not a member.`)
    if (member.id !== memberId) return fencedInstance(instanceId as string, member)
    if (memberEpoch === staticLeaveEpoch && instanceId !== null) {
      // It has until the end of its session to come back.
      this.state.put({ ...member, epoch: staticLeaveEpoch, pendingRevocation: noPartitions })
    } else this.#remove([member])
    return { error: 'NONE', message: null, memberId, memberEpoch, assigned: null }
  }

  #remove(members: readonly ConsumerMember[]): void {
    for (const { id } of members) {
      this.state.remove(id)
      this.#deadlines.delete(id)
    }
    this.state.setEpoch(this.state.epoch + 1, this.#subscriptions.hashOf(this.state.members()))
  }

  /** A new epoch where subscriptions have changed, or the topics that are subscribed to. */
  #followTopics(hasNewSubscription: boolean): void {
    const { state } = this
    if (!hasNewSubscription && state.epoch > 0 && this.#topicsVersion === this.#topics.version) return
    this.#topicsVersion = this.#topics.version
    const hash = this.#subscriptions.hashOf(state.members())
    if (hasNewSubscription || state.epoch === 0 || hash !== state.metadataHash) state.setEpoch(state.epoch + 1, hash)
  }

  #retarget(): void {
    const { state } = this
    const partitionsById = new Map<string, number>()
    const members = [...state.members()].map((member) => {
      for (const name of this.#subscriptions.topicsOf(member)) {
        const topic = this.#topics.get(name)
        if (topic !== undefined) partitionsById.set(topic.id, topic.partitions)
      }
      const { id, instanceId } = member
      return { id, instanceId, topicIds: this.#subscriptions.topicIdsOf(member), previous: state.targetOf(id) }
    })
    const assign = assignors.get(this.assignorName) ?? assignors.get(defaultAssignor)
    const targets = assign?.({ members, partitionsOf: (topicId) => partitionsById.get(topicId) ?? 0 })
    for (const { id, previous } of members) {
      const target = targets?.get(id) ?? noPartitions
      if (!isSamePartitions(previous, target)) state.setTarget(id, target)
    }
    state.targetEpoch = state.epoch
  }

  #reconcile(member: ConsumerMember, owned: PartitionSet | null): ConsumerMember {
    const { state } = this
    const reconciled = reconcile(member, {
      target: state.targetOf(member.id),
      targetEpoch: state.targetEpoch,
      owned,
      isHeld: (topicId, partition) => state.isHeld(topicId, partition),
    })
    const next = isSameAssignment(member, reconciled) ? member : reconciled
    state.put(next)
    return next
  }

  /** `isNewAssignment`: the time to give up partitions begins now. */
  #expectAgain(member: ConsumerMember, nowMs: number, isNewAssignment: boolean): void {
    const running = this.#deadlines.get(member.id)?.rebalanceEndsMs ?? never
    const mustGiveUp = member.state === 'unrevoked'
    const rebalanceEndsMs = isNewAssignment ? (mustGiveUp ? nowMs + member.rebalanceTimeoutMs : never) : running
    this.#expect(member, { sessionEndsMs: nowMs + this.#sessionMsOf(member), rebalanceEndsMs })
  }
}

const noDeadlines: Deadlines = { sessionEndsMs: never, rebalanceEndsMs: never, joinEndsMs: never, syncEndsMs: never }

function firstOf({ sessionEndsMs, rebalanceEndsMs, joinEndsMs, syncEndsMs }: Deadlines): number {
  return Math.min(sessionEndsMs, rebalanceEndsMs, joinEndsMs, syncEndsMs)
}

type Newcomer = Pick<ConsumerMember, 'instanceId' | 'rackId' | 'clientId' | 'clientHost'>

function newMember(id: string, { instanceId, rackId, clientId, clientHost }: Newcomer): ConsumerMember {
  return {
    id,
    instanceId,
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs: -1,
    topicNames: noNames,
    topicRegex: null,
    assignor: null,
    classic: null,
    epoch: 0,
    previousEpoch: -1,
    state: 'stable',
    assigned: noPartitions,
    pendingRevocation: noPartitions,
  }
}

const noNames: readonly string[] = []

/** The member with what it says anew; what it says again stays the same object. */
function withSubscription(member: ConsumerMember, event: HeartbeatEvent): ConsumerMember {
  const names = event.topicNames === null ? member.topicNames : [...new Set(event.topicNames)].sort()
  const isSameNames =
    names.length === member.topicNames.length && names.every((name, at) => name === member.topicNames[at])
  return {
    ...member,
    instanceId: event.instanceId ?? member.instanceId,
    rackId: event.rackId ?? member.rackId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : event.rebalanceTimeoutMs,
    topicNames: isSameNames ? member.topicNames : names,
    topicRegex: event.topicRegex ?? member.topicRegex,
    assignor: event.assignor ?? member.assignor,
    classic: null,
  }
}

/** An answer with a new epoch may have been lost: then the old one is good as long as the member claims nothing that it has not. */
function epochRefusal(member: ConsumerMember, { memberEpoch, owned }: HeartbeatEvent): Refusal | undefined {
  if (memberEpoch === member.epoch) return undefined
  const isBehindByOne = memberEpoch < member.epoch && memberEpoch === member.previousEpoch
  if (isBehindByOne && owned !== null && isSubset(owned, member.assigned)) return undefined
  return new Refusal(
    'FENCED_MEMBER_EPOCH',
    `The member is in epoch ${member.epoch}, not in ${memberEpoch}. It must abandon all its partitions and rejoin.`,
  )
}

function fencedInstance(instanceId: string, by: ConsumerMember): Refusal {
  return new Refusal('FENCED_INSTANCE_ID', `${instanceId} is the name of member ${by.id} now.`)
}

/** A member says everything when it joins and after an error; then it is told everything. */
function isFull({ rebalanceTimeoutMs, topicNames, topicRegex, owned }: HeartbeatEvent): boolean {
  return rebalanceTimeoutMs !== -1 && (topicNames !== null || topicRegex !== null) && owned !== null
}

function isSameAssignment(one: ConsumerMember, other: ConsumerMember): boolean {
  return (
    one.epoch === other.epoch &&
    one.previousEpoch === other.previousEpoch &&
    one.state === other.state &&
    isSamePartitions(one.assigned, other.assigned) &&
    isSamePartitions(one.pendingRevocation, other.pendingRevocation)
  )
}
