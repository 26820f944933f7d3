import type { Clock, Random, Timers } from '../../../env/environment.ts'
import type { KafkaError } from '../../protocol/error-codes.ts'
import { DeadlineTimer } from '../deadline-timer.ts'
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
  readonly settings: ConsumerGroupSettings
  readonly topics: GroupTopics
  /** Takes the name from an empty group of the classic protocol; says why not where there is one with members. */
  readonly claim: (group: string) => Promise<KafkaError>
  /** Makes records of a group durable, all or none. */
  readonly keep: (group: string, records: readonly ConsumerGroupRecord[]) => Promise<void>
}

interface Coordinated {
  readonly group: ConsumerGroup
  readonly timer: DeadlineTimer
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
    coordinated.group.begin(this.#nowMs())
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
  }

  /** All groups there are. */
  list(): ConsumerGroup[] {
    return [...this.#groups.values()].map(({ group }) => group)
  }

  get(id: string): ConsumerGroup | undefined {
    return this.#groups.get(id)?.group
  }

  /** Only a member that joins makes a group. */
  async heartbeat(id: string, event: Omit<HeartbeatEvent, 'newMemberId'>): Promise<HeartbeatReply> {
    if (!this.#groups.has(id)) {
      const error = event.memberEpoch === 0 ? await this.#options.claim(id) : 'GROUP_ID_NOT_FOUND'
      if (error !== 'NONE') return refusal(error, `There is no group '${id}' of the consumer protocol.`, event)
    }
    const known = this.#groups.get(id)
    const coordinated = known ?? this.#make(id)
    const reply = coordinated.group.heartbeat({ ...event, newMemberId: this.#options.random.uuid() }, this.#nowMs())
    if (known === undefined && reply.error !== 'NONE') this.#forget(coordinated)
    if (await this.#settle(coordinated)) return reply
    return refusal('COORDINATOR_NOT_AVAILABLE', 'The group could not be written to the log.', event)
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
    await this.#options.keep(id, state.tombstones())
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
    const made: Coordinated = { group, timer }
    this.#groups.set(id, made)
    return made
  }

  #forget({ group, timer }: Coordinated): void {
    timer.stop()
    this.#groups.delete(group.id)
  }

  /** Makes durable what has changed. False where that failed: it is tried again with the group's next step. */
  async #settle(coordinated: Coordinated): Promise<boolean> {
    const { group } = coordinated
    coordinated.timer.expect(coordinated.group.nextDeadlineMs)
    const changes = group.state.takeChanges()
    if (changes.length === 0) return true
    try {
      await this.#options.keep(group.id, changes)
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
