import type { Cancel, Clock, Timers } from '../../env/environment.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroupCoordinator } from './consumer/consumer-group-coordinator.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { OffsetStore } from './offset-store.ts'

export interface GroupExpiryOptions {
  readonly clock: Clock
  readonly timers: Timers
  readonly groups: GroupCoordinator
  readonly consumerGroups: ConsumerGroupCoordinator
  readonly offsets: OffsetStore
  /** How long offsets are kept that nobody uses (`offsets.retention.minutes`); infinite for ever. */
  readonly retentionMs: number
  /** How often is looked for them (`offsets.retention.check.interval.ms`). */
  readonly intervalMs: number
}

/** Which offsets of a group may go. */
interface Rule {
  /** From when on their retention counts, given when they were committed. */
  readonly countsFrom: (committedMs: number) => number
  /** Whether somebody reads the topic, so that its offsets stay. */
  readonly isSubscribedTo: (topic: string) => boolean
}

/**
 * Takes away offsets that nobody has used for the retention time, then groups that have neither members nor offsets
 * (KIP-211; Kafka: GroupCoordinatorShard.cleanupGroupMetadata). Of a group without members the time counts from when the last
 * one left; of one with members, for topics that none of them reads, and of offsets of no group at all, from the commit on.
 */
export class GroupExpiry {
  readonly #options: GroupExpiryOptions
  #cancel: Cancel | undefined
  #expiring: Promise<void> = Promise.resolve()

  constructor(options: GroupExpiryOptions) {
    this.#options = options
  }

  /** Looks from time to time from now on; called when there is something to look at. */
  start(): void {
    if (this.#cancel !== undefined) return
    const { intervalMs, timers } = this.#options
    const look = (): void => {
      // Where the disk is full it is tried again the next time.
      this.#expiring = this.expire().catch(() => {})
      this.#cancel = timers.after(intervalMs, look, { isBackground: true })
    }
    this.#cancel = timers.after(intervalMs, look, { isBackground: true })
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#cancel?.()
    await this.#expiring
  }

  /** Takes away what may go now. */
  async expire(): Promise<void> {
    const { consumerGroups, groups, offsets } = this.#options
    const ids = [...groups.list(), ...consumerGroups.list()].map(({ id }) => id)
    for (const id of new Set([...offsets.groups(), ...ids])) {
      const rule = this.#ruleOf(id)
      if (rule === undefined) continue
      await this.#expireOffsets(id, rule)
      if (offsets.isUsedBy(id)) continue
      if (groups.get(id)?.isAbandoned === true) await groups.delete(id)
      if (consumerGroups.get(id)?.stateName === 'Empty') await consumerGroups.delete(id)
    }
  }

  async #expireOffsets(group: string, { countsFrom, isSubscribedTo }: Rule): Promise<void> {
    const { clock, offsets, retentionMs } = this.#options
    const nowMs = clock.wallMs()
    await offsets.expire(
      group,
      ({ topic, committedMs }) => nowMs - countsFrom(committedMs) >= retentionMs && !isSubscribedTo(topic),
    )
  }

  /** Undefined where nothing may go. */
  #ruleOf(id: string): Rule | undefined {
    const { consumerGroups, groups, offsets } = this.#options
    const ofConsumers = consumerGroups.get(id)
    if (ofConsumers !== undefined) {
      return { countsFrom: sinceCommit, isSubscribedTo: (topic) => ofConsumers.isSubscribedTo(topic) }
    }
    const group = groups.get(id)
    return group === undefined || group.protocolType === null
      ? { countsFrom: sinceCommit, isSubscribedTo: nobody }
      : classicRule(group, offsets.keptMsOf(id))
  }
}

const sinceCommit = (committedMs: number): number => committedMs
const nobody = (): boolean => false

/** @param emptySinceMs when the group was kept last; -1 where that is not known */
function classicRule(group: ClassicGroup, emptySinceMs: number): Rule | undefined {
  if (group.state === 'Empty') {
    const countsFrom = emptySinceMs < 0 ? sinceCommit : () => emptySinceMs
    return { countsFrom, isSubscribedTo: (topic) => group.isSubscribedTo(topic) }
  }
  const isTold = group.state === 'Stable' && group.subscribedTopics !== undefined
  return isTold ? { countsFrom: sinceCommit, isSubscribedTo: (topic) => group.isSubscribedTo(topic) } : undefined
}
