import type { Clock, Random, Timers } from '../../env/environment.ts'
import type { KafkaError } from '../protocol/error-codes.ts'
import { ClassicGroup, type GroupSettings } from './classic-group.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import type {
  GroupMetadata,
  GroupReply,
  JoinEvent,
  JoinReply,
  MemberIdentity,
  SyncEvent,
  SyncReply,
} from './group-event.ts'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly settings: GroupSettings
  /** Takes the name from an empty group of the consumer protocol; says why not where there is one with members. */
  readonly claim: (group: string) => Promise<KafkaError>
  /** Makes a group durable; null: it is no more. */
  readonly keep: (group: string, metadata: GroupMetadata | null) => Promise<void>
  /** Called when there is another group. */
  readonly onMade?: () => void
}

interface Coordinated {
  readonly group: ClassicGroup
  /** Who waits for what a step answers, by token. */
  readonly waiting: Map<number, (reply: GroupReply) => void>
  readonly timer: DeadlineTimer
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
    this.#settle(coordinated)
    return error
  }

  /** Forgets a group that has no members; resolves when that is durable. */
  async delete(id: string): Promise<KafkaError> {
    const coordinated = this.#groups.get(id)
    if (coordinated === undefined) return 'GROUP_ID_NOT_FOUND'
    if (coordinated.group.state !== 'Empty') return 'NON_EMPTY_GROUP'
    await this.#options.keep(id, null)
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

  /** Stops all timers; who waits is not answered any more. */
  close(): void {
    for (const { timer } of this.#groups.values()) timer.stop()
  }

  #make(id: string): Coordinated {
    const group = new ClassicGroup(id, this.#options.settings)
    const timer = new DeadlineTimer(this.#options, (nowMs) => {
      group.tick(nowMs)
      this.#settle(made)
    })
    const made: Coordinated = { group, waiting: new Map(), timer }
    this.#groups.set(id, made)
    this.#options.onMade?.()
    return made
  }

  #ask<R>(coordinated: Coordinated, step: (token: number) => void): Promise<R> {
    const token = this.#nextToken++
    return new Promise((resolve) => {
      coordinated.waiting.set(token, (reply) => resolve(('join' in reply ? reply.join : reply.sync) as R))
      step(token)
      this.#settle(coordinated)
    })
  }

  /** Does what the group's steps have asked for. Assignments are handed out only when they are durable. */
  #settle(coordinated: Coordinated): void {
    const { metadata, replies } = coordinated.group.takeEffects()
    if (metadata === undefined) {
      for (const reply of replies) answer(coordinated, reply)
    } else {
      for (const reply of replies) if ('join' in reply) answer(coordinated, reply)
      const assigned = replies.filter((reply) => 'sync' in reply)
      void this.#options.keep(coordinated.group.id, metadata).then(
        () => {
          for (const reply of assigned) answer(coordinated, reply)
        },
        () => this.#failSync(coordinated, assigned),
      )
    }
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
  }

  #failSync(coordinated: Coordinated, assigned: readonly GroupReply[]): void {
    for (const { token } of assigned)
      answer(coordinated, { token, sync: { ...syncRefusal, error: 'COORDINATOR_NOT_AVAILABLE' } })
    coordinated.group.failSync('COORDINATOR_NOT_AVAILABLE', this.#nowMs())
    this.#settle(coordinated)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}

function answer({ waiting }: Coordinated, reply: GroupReply): void {
  waiting.get(reply.token)?.(reply)
  waiting.delete(reply.token)
}

const syncRefusal: SyncReply = {
  error: 'UNKNOWN_MEMBER_ID',
  protocolType: null,
  protocolName: null,
  assignment: Buffer.alloc(0),
}

function joinRefusal(memberId: string, error: KafkaError): JoinReply {
  const nowhere = { generation: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false }
  return { error, memberId, ...nowhere, members: [] }
}
