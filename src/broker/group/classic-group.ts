import type { KafkaError } from '../protocol/error-codes.ts'
import { consumerProtocol, subscribedTopics } from './consumer-protocol.ts'
import type {
  ClassicMembers,
  GroupEffects,
  GroupMetadata,
  GroupReply,
  JoinEvent,
  JoinReply,
  MemberIdentity,
  SyncEvent,
} from './group-event.ts'
import { type GroupMember, GroupMembers, hasSameProtocols, metadataOf } from './group-members.ts'

export interface GroupSettings {
  /** How long an empty group waits for more members before its first rebalance ends (`group.initial.rebalance.delay.ms`). Default: 3 s. */
  readonly initialRebalanceDelayMs: number
  /** The shortest session that a member may ask for (`group.min.session.timeout.ms`). Default: 6 s. */
  readonly minSessionTimeoutMs: number
  /** The longest (`group.max.session.timeout.ms`). Default: 30 minutes. */
  readonly maxSessionTimeoutMs: number
  /** The most members (`group.max.size`). Default: 10,000. */
  readonly maxMembers: number
}

export const defaultGroupSettings: GroupSettings = {
  initialRebalanceDelayMs: 3_000,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxMembers: 10_000,
}

/** Kafka's names. `Stable`: all members have their assignments. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

/** A member that joins for the first time may wait this long for a rebalance to end, although it sends no heartbeats (Kafka: NewMemberJoinTimeoutMs). */
const newMemberJoinTimeoutMs = 300_000
const nothing = Buffer.alloc(0)

/**
 * A group of the classic protocol: members join, the broker makes one of them the leader and gives it what all say of
 * themselves, the leader assigns, and all are told. Nothing here waits or reads a clock: every call is given the time, does
 * one step and leaves its effects to be taken. After Kafka's ClassicGroup and GroupMetadataManager.
 *
 * A rebalance ends when all members have joined, or when the longest of their rebalance timeouts is over: then those that
 * have not joined are no members any more, except static ones, which stay until their session ends.
 */
export class ClassicGroup {
  readonly id: string
  readonly members: GroupMembers = new GroupMembers()
  state: GroupState = 'Empty'
  generation = 0
  protocolType: string | null = null
  protocolName: string | null = null
  readonly #settings: GroupSettings
  /** When the rebalance under way ends whoever has joined. */
  #joinEndsMs = Number.POSITIVE_INFINITY
  /** Of the first rebalance of an empty group: what is left of the time that it may wait for more members. */
  #initialWaitLeftMs = -1
  #hasNewMember = false
  /** When members that have not asked for their assignment are removed. */
  #syncEndsMs = Number.POSITIVE_INFINITY
  #replies: GroupReply[] = []
  #metadata: GroupMetadata | undefined

  constructor(id: string, settings: GroupSettings) {
    this.id = id
    this.#settings = settings
  }

  /** Takes up what was kept of a group; its members have a whole session to be heard of again. */
  restore(metadata: GroupMetadata, nowMs: number): void {
    this.generation = metadata.generation
    this.protocolType = metadata.protocolType === '' ? null : metadata.protocolType
    this.protocolName = metadata.protocolName
    for (const kept of metadata.members) {
      const protocols = [{ name: metadata.protocolName ?? '', metadata: kept.subscription }]
      this.members.add({
        ...kept,
        protocols,
        joining: undefined,
        syncing: undefined,
        hasSynced: true,
        isNew: false,
        sessionEndsMs: nowMs + kept.sessionTimeoutMs,
      })
    }
    this.members.leaderId = metadata.leaderId
    this.state = this.members.size === 0 ? 'Empty' : 'Stable'
  }

  /** Takes up a group that was one of the consumer protocol, whose members are to join again. */
  adopt({ generation, protocolType, members }: ClassicMembers, nowMs: number): void {
    this.generation = generation
    this.protocolType = protocolType
    for (const member of members) {
      const idle = { joining: undefined, syncing: undefined, hasSynced: true, isNew: false }
      this.members.add({ ...member, ...idle, sessionEndsMs: nowMs + member.sessionTimeoutMs })
    }
    this.protocolName = this.members.chooseProtocol()
    this.state = 'Stable'
    this.#keep()
    this.#prepareRebalance(nowMs)
  }

  /** The group as the consumer protocol may take it over; undefined where it has no members. */
  get handedOver(): ClassicMembers | undefined {
    if (this.members.size === 0) return undefined
    const { generation, protocolType, protocolName } = this
    return { generation, protocolType, protocolName, members: [...this.members.all()] }
  }

  /** The group is another one from now on: all who wait are told to join again. */
  giveUp(): void {
    for (const member of this.members.all()) {
      if (member.joining !== undefined) this.#replyJoin(member.joining, member.id, 'REBALANCE_IN_PROGRESS')
      if (member.syncing !== undefined) this.#replySync(member.syncing, 'REBALANCE_IN_PROGRESS')
    }
  }

  /** Whether its members are consumers, which tell what they read. */
  get isOfConsumers(): boolean {
    return this.protocolType === consumerProtocol
  }

  /** The topics that the members read; undefined where they are no consumers, or do not say. */
  get subscribedTopics(): ReadonlySet<string> | undefined {
    if (!this.isOfConsumers) return undefined
    const topics = new Set<string>()
    for (const member of this.members.all()) {
      const own = this.protocolName === null ? undefined : subscribedTopics(metadataOf(member, this.protocolName))
      if (own === undefined) return undefined
      for (const topic of own) topics.add(topic)
    }
    return topics
  }

  /** Whether a member reads the topic: where that cannot be told, consumers do. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.isOfConsumers
  }

  /** Whether nobody is a member, or about to be one. */
  get isAbandoned(): boolean {
    return this.state === 'Empty' && this.members.pending.size === 0
  }

  /** What the steps since the last call ask for. */
  takeEffects(): GroupEffects {
    const effects = { metadata: this.#metadata, replies: this.#replies }
    this.#metadata = undefined
    this.#replies = []
    return effects
  }

  join(event: JoinEvent, nowMs: number): void {
    const error = this.#joinError(event)
    if (error !== undefined) this.#replyJoin(event.token, event.memberId, error)
    else if (event.memberId === '' && event.instanceId === null) this.#joinNew(event, nowMs)
    else if (event.memberId === '') this.#joinNewStatic(event, nowMs)
    else if (this.members.pending.has(event.memberId)) this.#addMember(event.memberId, event, nowMs)
    else this.#joinAgain(event, nowMs)
  }

  sync(event: SyncEvent, nowMs: number): void {
    const error = this.#syncError(event)
    if (error !== undefined) {
      this.#replySync(event.token, error)
      return
    }
    const member = this.members.get(event.memberId) as GroupMember
    member.hasSynced = true
    this.#heard(member, nowMs)
    if (this.state === 'Stable') {
      this.#replySync(event.token, 'NONE', member)
      return
    }
    member.syncing = event.token
    if (this.members.isLeader(member.id)) this.#assign(event.assignments)
  }

  heartbeat(identity: MemberIdentity, nowMs: number): KafkaError {
    const error = this.#identityError(identity)
    if (error !== undefined) return error
    if (this.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
    if (identity.generation !== this.generation) return 'ILLEGAL_GENERATION'
    this.#heard(this.members.get(identity.memberId) as GroupMember, nowMs)
    return this.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** Whether the sender may commit offsets; that it does so is heard as a heartbeat. */
  commitError(identity: MemberIdentity, nowMs: number): KafkaError {
    // A reader that is no member may commit while the group has none.
    if (identity.generation < 0 && this.state === 'Empty') return 'NONE'
    const error = this.#identityError(identity)
    if (error !== undefined) return error
    if (identity.generation !== this.generation) return 'ILLEGAL_GENERATION'
    if (this.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
    this.#heard(this.members.get(identity.memberId) as GroupMember, nowMs)
    return 'NONE'
  }

  leave(identity: Omit<MemberIdentity, 'generation'>, nowMs: number): KafkaError {
    const { memberId, instanceId } = identity
    if (this.members.pending.delete(memberId)) {
      this.#completeJoinIfAll(nowMs)
      return 'NONE'
    }
    const member = instanceId === null ? this.members.get(memberId) : this.members.ofInstance(instanceId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (memberId !== '' && member.id !== memberId) return 'FENCED_INSTANCE_ID'
    this.#removeMember(member, nowMs)
    return 'NONE'
  }

  /** When `tick` is next due; infinite where nothing waits. */
  get nextDeadlineMs(): number {
    let next = Math.min(this.#joinEndsMs, this.#syncEndsMs)
    for (const forgottenMs of this.members.pending.values()) next = Math.min(next, forgottenMs)
    for (const member of this.members.all()) if (!isWaiting(member)) next = Math.min(next, member.sessionEndsMs)
    return next
  }

  /** Does what time alone does: sessions end, and so do rebalances. */
  tick(nowMs: number): void {
    for (const [id, forgottenMs] of [...this.members.pending]) {
      if (forgottenMs > nowMs) continue
      this.members.pending.delete(id)
      this.#completeJoinIfAll(nowMs)
    }
    for (const member of [...this.members.all()]) {
      if (member.sessionEndsMs <= nowMs && !isWaiting(member)) this.#removeMember(member, nowMs)
    }
    if (this.#syncEndsMs <= nowMs) this.#endSync(nowMs)
    if (this.#joinEndsMs <= nowMs) this.#endJoin(nowMs)
  }

  /** The leader's assignments could not be kept: all who wait for theirs are told, and the group tries again. */
  failSync(error: KafkaError, nowMs: number): void {
    for (const member of this.members.all()) member.assignment = nothing
    this.#prepareRebalance(nowMs, error)
  }

  #joinError(event: JoinEvent): KafkaError | undefined {
    const { minSessionTimeoutMs, maxSessionTimeoutMs, maxMembers } = this.#settings
    if (event.sessionTimeoutMs < minSessionTimeoutMs || event.sessionTimeoutMs > maxSessionTimeoutMs) {
      return 'INVALID_SESSION_TIMEOUT'
    }
    const isMember = this.members.get(event.memberId) !== undefined
    if (!isMember && this.members.size + this.members.pending.size >= maxMembers && !this.#isKnownStatic(event)) {
      if (!this.members.pending.has(event.memberId)) return 'GROUP_MAX_SIZE_REACHED'
    }
    if (this.members.size === 0) {
      const isBlank = event.protocolType === '' || event.protocols.length === 0
      return isBlank ? 'INCONSISTENT_GROUP_PROTOCOL' : undefined
    }
    const isAlike = event.protocolType === this.protocolType && this.members.support(event.protocols)
    return isAlike ? undefined : 'INCONSISTENT_GROUP_PROTOCOL'
  }

  #isKnownStatic({ instanceId }: JoinEvent): boolean {
    return instanceId !== null && this.members.ofInstance(instanceId) !== undefined
  }

  #joinNew(event: JoinEvent, nowMs: number): void {
    if (!event.requiresKnownMemberId) {
      this.#addMember(event.newMemberId, event, nowMs)
      return
    }
    this.members.pending.set(event.newMemberId, nowMs + event.sessionTimeoutMs)
    this.#replyJoin(event.token, event.newMemberId, 'MEMBER_ID_REQUIRED')
  }

  #joinNewStatic(event: JoinEvent, nowMs: number): void {
    const known = this.members.ofInstance(event.instanceId as string)
    if (known === undefined) this.#addMember(event.newMemberId, event, nowMs)
    else this.#replaceStatic(known, event, nowMs)
  }

  /** A static member has come back under a new id: who still speaks for its old one is fenced off. */
  #replaceStatic(member: GroupMember, event: JoinEvent, nowMs: number): void {
    if (member.joining !== undefined) this.#replyJoin(member.joining, member.id, 'FENCED_INSTANCE_ID')
    if (member.syncing !== undefined) this.#replySync(member.syncing, 'FENCED_INSTANCE_ID')
    member.joining = undefined
    member.syncing = undefined
    const oldLeaderId = this.members.leaderId
    const isUnchanged = hasSameProtocols(member, event.protocols)
    this.members.rename(member, event.newMemberId)
    updateMember(member, event)
    this.#heard(member, nowMs)
    if (this.state === 'Stable' && isUnchanged) {
      this.#keep()
      // Only a leader that knows how to skip its assignment is told that it leads: another would assign once more.
      const leads = this.members.isLeader(member.id)
      const leaderId = leads && !event.knowsSkipAssignment ? (oldLeaderId ?? '') : (this.members.leaderId ?? '')
      this.#answerJoin(member, event.token, { leaderId, skipAssignment: leads && event.knowsSkipAssignment })
      return
    }
    member.joining = event.token
    if (this.state === 'PreparingRebalance') this.#completeJoinIfAll(nowMs)
    else this.#prepareRebalance(nowMs)
  }

  #joinAgain(event: JoinEvent, nowMs: number): void {
    const error = this.#identityError({ ...event, generation: this.generation })
    if (error !== undefined || this.state === 'Empty') {
      this.#replyJoin(event.token, event.memberId, error ?? 'UNKNOWN_MEMBER_ID')
      return
    }
    const member = this.members.get(event.memberId) as GroupMember
    const isUnchanged = hasSameProtocols(member, event.protocols)
    const isLeader = this.members.isLeader(member.id)
    // It may not have got the first answer. A leader that joins again in a stable group wants a rebalance.
    if (isUnchanged && (this.state === 'CompletingRebalance' || (this.state === 'Stable' && !isLeader))) {
      this.#heard(member, nowMs)
      this.#answerJoin(member, event.token, {})
      return
    }
    if (member.joining !== undefined) this.#replyJoin(member.joining, member.id, 'REBALANCE_IN_PROGRESS')
    updateMember(member, event)
    member.joining = event.token
    if (this.state === 'PreparingRebalance') this.#completeJoinIfAll(nowMs)
    else this.#prepareRebalance(nowMs)
  }

  #addMember(id: string, event: JoinEvent, nowMs: number): void {
    if (this.members.size === 0) this.protocolType = event.protocolType
    this.members.add({
      id,
      instanceId: event.instanceId,
      clientId: event.clientId,
      clientHost: event.clientHost,
      sessionTimeoutMs: event.sessionTimeoutMs,
      rebalanceTimeoutMs: event.rebalanceTimeoutMs,
      protocols: event.protocols,
      assignment: nothing,
      joining: event.token,
      syncing: undefined,
      hasSynced: false,
      isNew: true,
      sessionEndsMs: nowMs + newMemberJoinTimeoutMs,
    })
    if (this.state === 'PreparingRebalance') {
      this.#hasNewMember = true
      this.#completeJoinIfAll(nowMs)
    } else this.#prepareRebalance(nowMs)
  }

  #removeMember(member: GroupMember, nowMs: number): void {
    if (member.joining !== undefined) this.#replyJoin(member.joining, member.id, 'UNKNOWN_MEMBER_ID')
    if (member.syncing !== undefined) this.#replySync(member.syncing, 'UNKNOWN_MEMBER_ID')
    this.members.remove(member.id)
    if (this.state === 'PreparingRebalance') this.#completeJoinIfAll(nowMs)
    else if (this.state !== 'Empty') this.#prepareRebalance(nowMs)
  }

  #prepareRebalance(nowMs: number, toSyncing: KafkaError = 'REBALANCE_IN_PROGRESS'): void {
    for (const member of this.members.all()) {
      if (member.syncing !== undefined) this.#replySync(member.syncing, toSyncing)
      member.syncing = undefined
    }
    this.#syncEndsMs = Number.POSITIVE_INFINITY
    const isFirst = this.state === 'Empty'
    this.state = 'PreparingRebalance'
    const longestMs = this.#longestRebalanceMs()
    if (isFirst) {
      const delayMs = Math.min(this.#settings.initialRebalanceDelayMs, longestMs)
      this.#initialWaitLeftMs = Math.max(longestMs - delayMs, 0)
      this.#hasNewMember = false
      this.#joinEndsMs = nowMs + delayMs
      if (delayMs === 0) this.#endJoin(nowMs)
      return
    }
    this.#initialWaitLeftMs = -1
    this.#joinEndsMs = nowMs + longestMs
    this.#completeJoinIfAll(nowMs)
  }

  #longestRebalanceMs(): number {
    let longest = 0
    for (const member of this.members.all()) longest = Math.max(longest, member.rebalanceTimeoutMs)
    return longest
  }

  /** The first rebalance of an empty group always waits, for those that start at the same time. */
  #completeJoinIfAll(nowMs: number): void {
    if (this.state !== 'PreparingRebalance' || this.#initialWaitLeftMs >= 0) return
    if (this.members.areAllJoined()) this.#completeJoin(nowMs)
  }

  #endJoin(nowMs: number): void {
    if (this.#initialWaitLeftMs > 0 && this.#hasNewMember) {
      const delayMs = Math.min(this.#settings.initialRebalanceDelayMs, this.#initialWaitLeftMs)
      this.#initialWaitLeftMs -= delayMs
      this.#hasNewMember = false
      this.#joinEndsMs = nowMs + delayMs
      return
    }
    this.#completeJoin(nowMs)
  }

  #completeJoin(nowMs: number): void {
    this.#initialWaitLeftMs = -1
    this.#joinEndsMs = Number.POSITIVE_INFINITY
    for (const member of [...this.members.all()]) {
      if (member.joining === undefined && member.instanceId === null) this.members.remove(member.id)
    }
    if (this.members.size > 0 && !this.members.electJoinedLeader()) {
      // Only static members are left, none of which has come back: they have their sessions to do so.
      this.#joinEndsMs = nowMs + this.#longestRebalanceMs()
      return
    }
    this.generation++
    this.protocolName = this.members.chooseProtocol()
    if (this.members.size === 0) {
      this.state = 'Empty'
      this.members.leaderId = null
      this.#keep()
      return
    }
    this.state = 'CompletingRebalance'
    this.#syncEndsMs = nowMs + this.#longestRebalanceMs()
    for (const member of this.members.all()) {
      member.hasSynced = false
      member.isNew = false
      const token = member.joining
      member.joining = undefined
      if (token === undefined) continue
      this.#heard(member, nowMs)
      this.#answerJoin(member, token, {})
    }
  }

  #endSync(nowMs: number): void {
    this.#syncEndsMs = Number.POSITIVE_INFINITY
    const late = [...this.members.all()].filter((member) => !member.hasSynced)
    if (late.length === 0) return
    for (const member of late) this.members.remove(member.id)
    this.#prepareRebalance(nowMs)
  }

  #assign(assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of this.members.all()) member.assignment = assignments.get(member.id) ?? nothing
    this.state = 'Stable'
    this.#keep()
    for (const member of this.members.all()) {
      if (member.syncing === undefined) continue
      this.#replySync(member.syncing, 'NONE', member)
      member.syncing = undefined
    }
  }

  #syncError(event: SyncEvent): KafkaError | undefined {
    const error = this.#identityError(event)
    if (error !== undefined) return error
    if (event.generation !== this.generation) return 'ILLEGAL_GENERATION'
    const isOther = (own: string | null, said: string | null): boolean => said !== null && own !== said
    if (isOther(this.protocolType, event.protocolType) || isOther(this.protocolName, event.protocolName)) {
      return 'INCONSISTENT_GROUP_PROTOCOL'
    }
    if (this.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
    return this.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
  }

  /** Whether the sender is no member, or not the one that its instance's name stands for now. */
  #identityError({ memberId, instanceId }: MemberIdentity): KafkaError | undefined {
    if (instanceId !== null) {
      const known = this.members.ofInstance(instanceId)
      if (known === undefined) return 'UNKNOWN_MEMBER_ID'
      if (known.id !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.members.get(memberId) === undefined ? 'UNKNOWN_MEMBER_ID' : undefined
  }

  #heard(member: GroupMember, nowMs: number): void {
    member.sessionEndsMs = nowMs + member.sessionTimeoutMs
  }

  #keep(): void {
    this.#metadata = {
      protocolType: this.protocolType ?? '',
      generation: this.generation,
      protocolName: this.protocolName,
      leaderId: this.members.leaderId,
      members: [...this.members.all()].map((member) => ({
        id: member.id,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        sessionTimeoutMs: member.sessionTimeoutMs,
        subscription: metadataOf(member, this.protocolName),
        assignment: member.assignment,
      })),
    }
  }

  /** Tells a member of the generation that it is in. */
  #answerJoin(
    member: GroupMember,
    token: number,
    { leaderId = this.members.leaderId ?? '', skipAssignment = false }: Partial<JoinReply>,
  ): void {
    const isTold = leaderId === member.id
    const members = isTold
      ? [...this.members.all()].map((each) => ({
          id: each.id,
          instanceId: each.instanceId,
          metadata: metadataOf(each, this.protocolName),
        }))
      : []
    const { generation, protocolType, protocolName } = this
    const place = { generation, protocolType, protocolName, leaderId, skipAssignment }
    this.#replies.push({ token, join: { error: 'NONE', memberId: member.id, ...place, members } })
  }

  #replyJoin(token: number, memberId: string, error: KafkaError): void {
    const nowhere = { generation: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false }
    this.#replies.push({ token, join: { error, memberId, ...nowhere, members: [] } })
  }

  #replySync(token: number, error: KafkaError, member?: GroupMember): void {
    const isDone = member !== undefined
    this.#replies.push({
      token,
      sync: {
        error,
        protocolType: isDone ? this.protocolType : null,
        protocolName: isDone ? this.protocolName : null,
        assignment: member?.assignment ?? nothing,
      },
    })
  }
}

/** A member that waits in a rebalance is alive as long as its request is, except one that is new. */
function isWaiting(member: GroupMember): boolean {
  return member.joining !== undefined && !member.isNew
}

function updateMember(member: GroupMember, event: JoinEvent): void {
  member.clientId = event.clientId
  member.clientHost = event.clientHost
  member.sessionTimeoutMs = event.sessionTimeoutMs
  member.rebalanceTimeoutMs = event.rebalanceTimeoutMs
  member.protocols = event.protocols
}
