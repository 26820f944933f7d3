import type { Clock, Random, Timers } from '../../env/environment.ts'
import type { KafkaError } from '../protocol/error-codes.ts'
import { ClassicGroup, type GroupSettings } from './classic-group.ts'
import type { ConsumerGroupRecord } from './consumer/consumer-group-event.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import {
  type ClassicMembers,
  type GroupMetadata,
  type GroupReply,
  type JoinEvent,
  type JoinReply,
  joinRefusal,
  type MemberIdentity,
  type SyncEvent,
  type SyncReply,
  syncFailure,
} from './group-event.ts'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly settings: GroupSettings
  /** Takes the name from an empty group of the consumer protocol; says why not where there is one with members. */
  readonly claim: (group: string) => Promise<KafkaError>
  /** Makes a group durable, in place of what it was in the consumer protocol; null: it is no more. */
  readonly keep: (
    group: string,
    metadata: GroupMetadata | null,
    replaced: readonly ConsumerGroupRecord[],
  ) => Promise<void>
  /** Called when there is another group. */
  readonly onMade?: () => void
}

interface Coordinated {
  readonly group: ClassicGroup
  /** Who waits for what a step answers, by token. */
  readonly waiting: Map<number, (reply: GroupReply) => void>
  readonly timer: DeadlineTimer
  /** What the log has of it yet as of a group of the consumer protocol. */
  replaced: readonly ConsumerGroupRecord[]
}

/**
 * The groups of the classic protocol, each a state machine of its own (`ClassicGroup`): hands them what clients ask and what
 * time it is, and does what they ask for. There is one timer for each group, however many members it has.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #groups = new Map<string, Coordinated>()
  #nextToken = 1

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  /** Takes up a group as it was kept. */
  restore(id: string, metadata: GroupMetadata): void {
    const coordinated = this.#make(id)
    coordinated.group.restore(metadata, this.#nowMs())
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
  }

  /** All groups there are, by id. */
  list(): ClassicGroup[] {
    return [...this.#groups.values()].map(({ group }) => group)
  }

  get(id: string): ClassicGroup | undefined {
    return this.#groups.get(id)?.group
  }

  async join(id: string, event: Omit<JoinEvent, 'token' | 'newMemberId'>): Promise<JoinReply> {
    if (!this.#groups.has(id)) {
      // A member that knows its id was in the group before: the group must be there.
      const error = event.memberId === '' ? await this.#options.claim(id) : 'UNKNOWN_MEMBER_ID'
      if (error !== 'NONE') return joinRefusal(event.memberId, error)
    }
    const coordinated = this.#groups.get(id) ?? this.#make(id)
    const newMemberId = `${event.instanceId ?? event.clientId}-${this.#options.random.uuid()}`
    return this.#ask<JoinReply>(coordinated, (token) => {
      coordinated.group.join({ ...event, token, newMemberId }, this.#nowMs())
    })
  }

  sync(id: string, event: Omit<SyncEvent, 'token'>): Promise<SyncReply> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return Promise.resolve(syncRefusal)
    return this.#ask<SyncReply>(coordinated, (token) => coordinated.group.sync({ ...event, token }, this.#nowMs()))
  }

  heartbeat(id: string, identity: MemberIdentity): KafkaError {
    return this.get(id)?.heartbeat(identity, this.#nowMs()) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** Whether the sender may commit offsets for the group. */
  commitError(id: string, identity: MemberIdentity): KafkaError {
    const group = this.get(id)
    if (group !== undefined) return group.commitError(identity, this.#nowMs())
    // A reader that is no member makes a group just by committing.
    return identity.generation < 0 ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  leave(id: string, identity: Omit<MemberIdentity, 'generation'>): KafkaError {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'UNKNOWN_MEMBER_ID'
    const error = coordinated.group.leave(identity, this.#nowMs())
    void this.#settle(coordinated)
    return error
  }

  /** Forgets a group that has no members; resolves when that is durable. */
  async delete(id: string): Promise<KafkaError> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'GROUP_ID_NOT_FOUND'
    if (coordinated.group.state !== 'Empty') return 'NON_EMPTY_GROUP'
    await this.#options.keep(id, null, coordinated.replaced)
    // Who has joined meanwhile is a group anew.
    if (this.#groups.get(id) !== coordinated || coordinated.group.state !== 'Empty') return 'NONE'
    coordinated.timer.stop()
    this.#groups.delete(id)
    return 'NONE'
  }

  /** Gives the name of an empty group to the consumer protocol. */
  async release(id: string): Promise<KafkaError> {
    const error = await this.delete(id)
    return error === 'NON_EMPTY_GROUP' ? 'GROUP_ID_NOT_FOUND' : 'NONE'
  }

  /** The members of a group, for the consumer protocol to take over. */
  membersOf(id: string): ClassicMembers | undefined {
    return this.get(id)?.handedOver
  }

  /** The consumer protocol has taken a group over. */
  giveUp(id: string): void {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return
    coordinated.group.giveUp()
    this.#settle(coordinated)
    coordinated.timer.stop()
    this.#groups.delete(id)
  }

  /** Takes a group over from the consumer protocol; resolves when that is durable, with false where it cannot be. */
  adopt(id: string, members: ClassicMembers, replaced: readonly ConsumerGroupRecord[]): Promise<boolean> {
    const coordinated = this.#make(id)
    coordinated.replaced = replaced
    coordinated.group.adopt(members, this.#nowMs())
    return this.#settle(coordinated)
  }

  /** Stops all timers; who waits is not answered any more. */
  close(): void {
    for (const { timer } of this.#groups.values()) timer.stop()
  }

  #make(id: string): Coordinated {
    const group = new ClassicGroup(id, this.#options.settings)
    const timer = new DeadlineTimer(this.#options, (nowMs) => {
      group.tick(nowMs)
      void this.#settle(made)
    })
    const made: Coordinated = { group, waiting: new Map(), timer, replaced: nothing }
    this.#groups.set(id, made)
    this.#options.onMade?.()
    return made
  }

  #ask<R>(coordinated: Coordinated, step: (token: number) => void): Promise<R> {
    const token = this.#nextToken++
    return new Promise((resolve) => {
      coordinated.waiting.set(token, (reply) => resolve(('join' in reply ? reply.join : reply.sync) as R))
      step(token)
      void this.#settle(coordinated)
    })
  }

  /**
   * Does what the group's steps have asked for. Assignments are handed out only when they are durable; resolves then, with false
   * where they cannot be.
   */
  #settle(coordinated: Coordinated): Promise<boolean> {
    const { metadata, replies } = coordinated.group.takeEffects()
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
    if (metadata === undefined) {
      for (const reply of replies) answer(coordinated, reply)
      return done
    }
    for (const reply of replies) if ('join' in reply) answer(coordinated, reply)
    const assigned = replies.filter((reply) => 'sync' in reply)
    return this.#keep(coordinated, metadata, assigned)
  }

  async #keep(coordinated: Coordinated, metadata: GroupMetadata, assigned: readonly GroupReply[]): Promise<boolean> {
    const { replaced } = coordinated
    try {
      await this.#options.keep(coordinated.group.id, metadata, replaced)
    } catch {
      // The client is told to try again; the reason is the disk's, which the log has reported.
      this.#failSync(coordinated, assigned)
      return false
    }
    if (coordinated.replaced === replaced) coordinated.replaced = nothing
    for (const reply of assigned) answer(coordinated, reply)
    return true
  }

  #failSync(coordinated: Coordinated, assigned: readonly GroupReply[]): void {
    for (const { token } of assigned)
      answer(coordinated, { token, sync: { ...syncRefusal, error: 'COORDINATOR_NOT_AVAILABLE' } })
    coordinated.group.failSync('COORDINATOR_NOT_AVAILABLE', this.#nowMs())
    void this.#settle(coordinated)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}

function answer({ waiting }: Coordinated, reply: GroupReply): void {
  waiting.get(reply.token)?.(reply)
  waiting.delete(reply.token)
}

const nothing: readonly ConsumerGroupRecord[] = []
const done = Promise.resolve(true)

const syncRefusal = syncFailure('UNKNOWN_MEMBER_ID')
