import type { ConsumerGroupRecord, KeptConsumerGroup } from './consumer-group-event.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { noPartitions, type PartitionSet, union } from './partition-set.ts'

/**
 * What a consumer group consists of: its members, what each is to have, and the epochs of both. Knows which of its parts have
 * changed since they were last kept; restored from what was kept it is the same.
 */
export class ConsumerGroupState {
  readonly #members = new Map<string, ConsumerMember>()
  readonly #idByInstance = new Map<string, string>()
  readonly #targets = new Map<string, PartitionSet>()
  /** How many members hold each partition: that is one, or in a moment of change none. */
  readonly #holders = new Map<string, Map<number, number>>()
  #epoch = 0
  #metadataHash = 0
  #targetEpoch = 0
  #changes: Changes = noChanges()

  static restore(kept: KeptConsumerGroup): ConsumerGroupState {
    const state = new ConsumerGroupState()
    for (const [id, subscription] of kept.members) {
      const assignment = kept.assignments.get(id) ?? notAssigned
      state.put({ id, ...subscription, ...assignment })
    }
    for (const [id, partitions] of kept.targets) state.setTarget(id, partitions)
    state.setEpoch(kept.epoch, kept.metadataHash)
    state.targetEpoch = kept.targetEpoch
    state.#changes = noChanges()
    return state
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Of the topics that are subscribed to (`Subscriptions.hashOf`), as they were when the epoch began. */
  get metadataHash(): number {
    return this.#metadataHash
  }

  setEpoch(epoch: number, metadataHash: number): void {
    this.#epoch = epoch
    this.#metadataHash = metadataHash
    this.#changes.isGroupChanged = true
  }

  /** The epoch for which it was last decided who is to have what. */
  get targetEpoch(): number {
    return this.#targetEpoch
  }

  set targetEpoch(epoch: number) {
    this.#targetEpoch = epoch
    this.#changes.isTargetChanged = true
  }

  get size(): number {
    return this.#members.size
  }

  /** Whether there are members, and all of them speak the classic protocol. */
  get isClassicAlone(): boolean {
    for (const { classic } of this.#members.values()) if (classic === null) return false
    return this.size > 0
  }

  members(): IterableIterator<ConsumerMember> {
    return this.#members.values()
  }

  get(id: string): ConsumerMember | undefined {
    return this.#members.get(id)
  }

  ofInstance(instanceId: string): ConsumerMember | undefined {
    const id = this.#idByInstance.get(instanceId)
    return id === undefined ? undefined : this.#members.get(id)
  }

  /** What the member is to have. */
  targetOf(id: string): PartitionSet {
    return this.#targets.get(id) ?? noPartitions
  }

  setTarget(id: string, partitions: PartitionSet): void {
    this.#targets.set(id, partitions)
    this.#changes.targets.add(id)
  }

  /** Adds a member, or puts it in the place of what it was before. */
  put(member: ConsumerMember): void {
    const before = this.#members.get(member.id)
    if (before === member) return
    if (before !== undefined) this.#hold(before, -1)
    this.#members.set(member.id, member)
    this.#hold(member, 1)
    if (member.instanceId !== null) this.#idByInstance.set(member.instanceId, member.id)
    if (!hasSameSubscription(before, member)) this.#changes.members.add(member.id)
    if (!hasSameAssignment(before, member)) this.#changes.assignments.add(member.id)
  }

  remove(id: string): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#hold(member, -1)
    this.#members.delete(id)
    this.#targets.delete(id)
    if (member.instanceId !== null && this.#idByInstance.get(member.instanceId) === id) {
      this.#idByInstance.delete(member.instanceId)
    }
    for (const changed of [this.#changes.members, this.#changes.assignments, this.#changes.targets]) changed.add(id)
  }

  /** Whether a member has the partition, or has not given it up yet. */
  isHeld(topicId: string, partition: number): boolean {
    return (this.#holders.get(topicId)?.get(partition) ?? 0) > 0
  }

  /** What has changed since the last call. */
  takeChanges(): ConsumerGroupRecord[] {
    const { isGroupChanged, isTargetChanged, members, targets, assignments } = this.#changes
    this.#changes = noChanges()
    const records: ConsumerGroupRecord[] = []
    for (const memberId of members) {
      records.push({ part: 'member', memberId, value: this.#members.get(memberId) ?? null })
    }
    if (isGroupChanged) {
      records.push({ part: 'group', value: { epoch: this.#epoch, metadataHash: this.#metadataHash } })
    }
    for (const memberId of targets) {
      records.push({ part: 'target-member', memberId, value: this.#targets.get(memberId) ?? null })
    }
    if (isTargetChanged) records.push({ part: 'target', value: { epoch: this.#targetEpoch } })
    for (const memberId of assignments) {
      records.push({ part: 'assignment', memberId, value: this.#members.get(memberId) ?? null })
    }
    return records
  }

  /** Takes note that changes could not be kept: they are among the next ones. */
  putBack(records: readonly ConsumerGroupRecord[]): void {
    for (const record of records) {
      if (record.part === 'group') this.#changes.isGroupChanged = true
      else if (record.part === 'target') this.#changes.isTargetChanged = true
      else if (record.part === 'member') this.#changes.members.add(record.memberId)
      else if (record.part === 'target-member') this.#changes.targets.add(record.memberId)
      else this.#changes.assignments.add(record.memberId)
    }
  }

  /** What takes away everything that was kept of the group. */
  tombstones(): ConsumerGroupRecord[] {
    const records: ConsumerGroupRecord[] = []
    for (const memberId of new Set([...this.#members.keys(), ...this.#targets.keys()])) {
      for (const part of ['assignment', 'target-member', 'member'] as const) {
        records.push({ part, memberId, value: null })
      }
    }
    return [...records, { part: 'target', value: null }, { part: 'group', value: null }]
  }

  #hold(member: ConsumerMember, change: 1 | -1): void {
    for (const [topicId, partitions] of union(member.assigned, member.pendingRevocation)) {
      let ofTopic = this.#holders.get(topicId)
      if (ofTopic === undefined) {
        ofTopic = new Map()
        this.#holders.set(topicId, ofTopic)
      }
      for (const partition of partitions) {
        const count = (ofTopic.get(partition) ?? 0) + change
        if (count > 0) ofTopic.set(partition, count)
        else ofTopic.delete(partition)
      }
      if (ofTopic.size === 0) this.#holders.delete(topicId)
    }
  }
}

interface Changes {
  isGroupChanged: boolean
  isTargetChanged: boolean
  readonly members: Set<string>
  readonly targets: Set<string>
  readonly assignments: Set<string>
}

function noChanges(): Changes {
  return {
    isGroupChanged: false,
    isTargetChanged: false,
    members: new Set(),
    targets: new Set(),
    assignments: new Set(),
  }
}

const notAssigned = {
  epoch: 0,
  previousEpoch: -1,
  state: 'stable',
  assigned: noPartitions,
  pendingRevocation: noPartitions,
} as const satisfies Partial<ConsumerMember>

/** A step that does not change a part has not made it anew. */
function hasSameSubscription(before: ConsumerMember | undefined, now: ConsumerMember): boolean {
  return (
    before !== undefined &&
    before.instanceId === now.instanceId &&
    before.rackId === now.rackId &&
    before.clientId === now.clientId &&
    before.clientHost === now.clientHost &&
    before.rebalanceTimeoutMs === now.rebalanceTimeoutMs &&
    before.topicNames === now.topicNames &&
    before.topicRegex === now.topicRegex &&
    before.assignor === now.assignor &&
    before.classic === now.classic
  )
}

function hasSameAssignment(before: ConsumerMember | undefined, now: ConsumerMember): boolean {
  return (
    before !== undefined &&
    before.epoch === now.epoch &&
    before.previousEpoch === now.previousEpoch &&
    before.state === now.state &&
    before.assigned === now.assigned &&
    before.pendingRevocation === now.pendingRevocation
  )
}
