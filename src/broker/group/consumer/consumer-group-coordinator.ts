import type { Clock, Random, Timers } from '../../../env/environment.ts'
import type { KafkaError } from '../../protocol/error-codes.ts'
import type { GroupSettings } from '../classic-group.ts'
import { DeadlineTimer } from '../deadline-timer.ts'
import { type ClassicGroups, downgraded, mayDowngrade, mayUpgrade, upgraded } from '../group-conversion.ts'
import {
  type JoinEvent,
  type JoinReply,
  joinRefusal,
  type MemberIdentity,
  type SyncEvent,
  type SyncReply,
  syncFailure,
} from '../group-event.ts'
import { ConsumerGroup, type ConsumerGroupSettings } from './consumer-group.ts'
import type {
  ConsumerGroupRecord,
  GroupTopics,
  HeartbeatEvent,
  HeartbeatReply,
  KeptConsumerGroup,
} from './consumer-group-event.ts'
import { ConsumerGroupState } from './consumer-group-state.ts'

export interface ConsumerGroupCoordinatorOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly settings: ConsumerGroupSettings & SessionBounds
  readonly topics: GroupTopics
  /** The groups of the classic protocol. */
  readonly classic: ClassicGroups
  /** Makes records of a group durable, all or none, in place of what it was in the classic protocol. */
  readonly keep: (group: string, records: readonly ConsumerGroupRecord[], replacesClassic: boolean) => Promise<void>
}

/** What sessions members of the classic protocol may ask for. */
type SessionBounds = Pick<GroupSettings, 'minSessionTimeoutMs' | 'maxSessionTimeoutMs'>

interface Coordinated {
  readonly group: ConsumerGroup
  readonly timer: DeadlineTimer
  /** Whether the log has it yet as a group of the classic protocol. */
  replacesClassic: boolean
}

/**
 * The groups of the consumer protocol (KIP-848), each a state machine of its own (`ConsumerGroup`): hands them what clients say
 * and what time it is, and answers when what has changed is durable.
 */
export class ConsumerGroupCoordinator {
  readonly #options: ConsumerGroupCoordinatorOptions
  readonly #groups = new Map<string, Coordinated>()

  constructor(options: ConsumerGroupCoordinatorOptions) {
    this.#options = options
  }

  /** Takes up a group as it was kept. */
  restore(id: string, kept: KeptConsumerGroup): void {
    const coordinated = this.#make(id, ConsumerGroupState.restore(kept))
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
  }

  /** All groups there are. */
  list(): ConsumerGroup[] {
    return [...this.#groups.values()].map(({ group }) => group)
  }

  get(id: string): ConsumerGroup | undefined {
    return this.#groups.get(id)?.group
  }

  /** Only a member that joins makes a group, or turns one of the classic protocol into one of this. */
  async heartbeat(id: string, event: Omit<HeartbeatEvent, 'newMemberId'>): Promise<HeartbeatReply> {
    const isJoining = event.memberEpoch === 0
    const upgraded = isJoining && !this.#groups.has(id) ? this.#upgradable(id) : undefined
    if (!this.#groups.has(id) && upgraded === undefined) {
      const error = isJoining ? await this.#options.classic.release(id) : 'GROUP_ID_NOT_FOUND'
      if (error !== 'NONE') return refusal(error, `There is no group '${id}' of the consumer protocol.`, event)
    }
    const known = this.#groups.get(id)
    const coordinated = known ?? this.#make(id, upgraded)
    const reply = coordinated.group.heartbeat({ ...event, newMemberId: this.#options.random.uuid() }, this.#nowMs())
    if (known === undefined && reply.error !== 'NONE') {
      this.#forget(coordinated)
      return reply
    }
    if (upgraded !== undefined) {
      this.#options.classic.giveUp(id)
      coordinated.replacesClassic = true
    }
    if (await this.#settle(coordinated)) return reply
    return refusal('COORDINATOR_NOT_AVAILABLE', 'The group could not be written to the log.', event)
  }

  /** Whether there is a group with members: then those of the classic protocol are in it too. */
  hasMembers(id: string): boolean {
    return (this.get(id)?.state.size ?? 0) > 0
  }

  /** A member of the classic protocol joins a group of this one. */
  async join(id: string, event: Omit<JoinEvent, 'token' | 'newMemberId'>): Promise<JoinReply> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return joinRefusal(event.memberId, 'UNKNOWN_MEMBER_ID')
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#options.settings
    if (event.sessionTimeoutMs < minSessionTimeoutMs || event.sessionTimeoutMs > maxSessionTimeoutMs) {
      return joinRefusal(event.memberId, 'INVALID_SESSION_TIMEOUT')
    }
    const reply = coordinated.group.join({ ...event, newMemberId: this.#options.random.uuid() }, this.#nowMs())
    if (await this.#settle(coordinated)) return reply
    return joinRefusal(event.memberId, 'COORDINATOR_NOT_AVAILABLE')
  }

  /** A member of the classic protocol asks for what it has: that is durable since it joined. */
  sync(id: string, event: Omit<SyncEvent, 'token'>): Promise<SyncReply> {
    const coordinated = this.#groups.get(id)
    const reply = coordinated?.group.sync(event, this.#nowMs()) ?? syncFailure('UNKNOWN_MEMBER_ID')
    coordinated?.timer.expect(coordinated.group.nextDeadlineMs)
    return Promise.resolve(reply)
  }

  /** A member of the classic protocol is heard of. */
  classicHeartbeat(id: string, identity: MemberIdentity): KafkaError {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'UNKNOWN_MEMBER_ID'
    const error = coordinated.group.classicHeartbeat(identity, this.#nowMs())
    // A new epoch, where topics have changed, need not be durable before the member joins again.
    void this.#settle(coordinated)
    return error
  }

  /** Takes a member out at the wish of somebody else. */
  async expel(id: string, memberId: string, instanceId: string | null): Promise<KafkaError> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'GROUP_ID_NOT_FOUND'
    const error = coordinated.group.expel(memberId, instanceId)
    return (await this.#settle(coordinated)) ? error : 'COORDINATOR_NOT_AVAILABLE'
  }

  /** Forgets a group that has no members; resolves when that is durable. */
  async delete(id: string): Promise<KafkaError> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'GROUP_ID_NOT_FOUND'
    const { state } = coordinated.group
    if (state.size > 0) return 'NON_EMPTY_GROUP'
    this.#forget(coordinated)
    await this.#options.keep(id, state.tombstones(), coordinated.replacesClassic)
    return 'NONE'
  }

  /** Gives the name of an empty group to the classic protocol. */
  async release(id: string): Promise<KafkaError> {
    const error = await this.delete(id)
    return error === 'GROUP_ID_NOT_FOUND' ? 'NONE' : error === 'NONE' ? error : 'INCONSISTENT_GROUP_PROTOCOL'
  }

  /** Stops all timers. */
  close(): void {
    for (const { timer } of this.#groups.values()) timer.stop()
  }

  #make(id: string, state?: ConsumerGroupState): Coordinated {
    const { settings, topics } = this.#options
    const group = new ConsumerGroup(id, settings, topics, state)
    const timer = new DeadlineTimer(this.#options, (nowMs) => {
      group.tick(nowMs)
      void this.#settle(made)
    })
    group.begin(this.#nowMs())
    const made: Coordinated = { group, timer, replacesClassic: false }
    this.#groups.set(id, made)
    return made
  }

  /** The group of the classic protocol as one of this, where it has members and may be one. */
  #upgradable(id: string): ConsumerGroupState | undefined {
    const { classic, settings, topics } = this.#options
    const members = mayUpgrade(settings.consumerMigrationPolicy) ? classic.membersOf(id) : undefined
    if (members === undefined || members.members.length > settings.consumerMaxMembers) return undefined
    return upgraded(members, topics)
  }

  /** Hands a group over to the classic protocol, which all who are left in it speak. */
  #downgrade(coordinated: Coordinated): Promise<boolean> {
    const { id, state } = coordinated.group
    const removed = state.takeChanges().filter(({ value }) => value === null)
    const members = downgraded(state, this.#options.topics)
    this.#forget(coordinated)
    return this.#options.classic.adopt(id, members, [...removed, ...state.tombstones()])
  }

  #forget({ group, timer }: Coordinated): void {
    timer.stop()
    this.#groups.delete(group.id)
  }

  /** Makes durable what has changed. False where that failed: it is tried again with the group's next step. */
  async #settle(coordinated: Coordinated): Promise<boolean> {
    const { group, replacesClassic } = coordinated
    if (group.state.isClassicAlone && mayDowngrade(this.#options.settings.consumerMigrationPolicy)) {
      return this.#downgrade(coordinated)
    }
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
    const changes = group.state.takeChanges()
    if (changes.length === 0) return true
    try {
      await this.#options.keep(group.id, changes, replacesClassic)
      if (replacesClassic) coordinated.replacesClassic = false
      return true
    } catch {
      // The client is told to try again; the reason is the disk's, which the log has reported.
      group.state.putBack(changes)
      return false
    }
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}

function refusal(
  error: KafkaError,
  message: string,
  { memberId, memberEpoch }: Omit<HeartbeatEvent, 'newMemberId'>,
): HeartbeatReply {
  return { error, message, memberId, memberEpoch, assigned: null }
}
