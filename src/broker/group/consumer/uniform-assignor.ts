import type { AssignedMember, AssignorInput } from './assignor.ts'
import { hasPartition, type PartitionSet, PartitionSetBuilder } from './partition-set.ts'

/**
 * All members have as many partitions as their subscriptions allow, and keep as many of those that they had as that allows.
 * What Kafka's UniformAssignor promises (KIP-848), by a way of its own: members keep what they had, what nobody has goes to
 * the subscriber with the fewest, and then partitions move, one by one, from members with more to members with at least two
 * fewer, until none can.
 */
export function assignUniformly(input: AssignorInput): ReadonlyMap<string, PartitionSet> {
  const sharing = new Sharing(input)
  sharing.keepPrevious()
  sharing.shareOutRest()
  sharing.balance()
  return sharing.result()
}

/** What one member has so far. */
interface Share {
  readonly member: AssignedMember
  readonly partitions: PartitionSetBuilder
}

/** Who has what, while it is shared out. */
class Sharing {
  readonly #partitionsOf: (topicId: string) => number
  readonly #shares: readonly Share[]
  /** By topic, those with few subscribers first: others leave more choice. */
  readonly #subscribers: ReadonlyMap<string, readonly Share[]>
  constructor({ members, partitionsOf }: AssignorInput) {
    this.#partitionsOf = partitionsOf
    this.#shares = [...members]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((member) => ({ member, partitions: new PartitionSetBuilder() }))
    const subscribers = new Map<string, Share[]>()
    for (const share of this.#shares) {
      for (const topicId of share.member.topicIds) {
        const ofTopic = subscribers.get(topicId)
        if (ofTopic === undefined) subscribers.set(topicId, [share])
        else ofTopic.push(share)
      }
    }
    this.#subscribers = new Map([...subscribers].sort(([, a], [, b]) => a.length - b.length))
  }

  /** Everyone keeps what it had, where it still subscribes to it and nobody else has it. */
  keepPrevious(): void {
    const kept = new PartitionSetBuilder()
    for (const { member, partitions } of this.#shares) {
      for (const [topicId, ofTopic] of member.previous) {
        if (!member.topicIds.has(topicId)) continue
        for (const partition of ofTopic) {
          if (partition >= this.#partitionsOf(topicId) || hasPartition(kept.partitions, topicId, partition)) continue
          kept.add(topicId, partition)
          partitions.add(topicId, partition)
        }
      }
    }
  }

  /** What nobody has goes to the subscriber with the fewest. */
  shareOutRest(): void {
    const given = new PartitionSetBuilder()
    for (const { partitions } of this.#shares) {
      for (const [topicId, ofTopic] of partitions.partitions) for (const one of ofTopic) given.add(topicId, one)
    }
    for (const [topicId, subscribers] of this.#subscribers) {
      const rising = new RisingShares(subscribers)
      for (let partition = 0; partition < this.#partitionsOf(topicId); partition++) {
        if (!hasPartition(given.partitions, topicId, partition)) rising.give(topicId, partition)
      }
    }
  }

  /** First only those give that have more than a fair share, and nobody below it, so that nobody gives what it must be given again. */
  balance(): void {
    const all = this.#shares.reduce((sum, { partitions }) => sum + partitions.size, 0)
    const fairShare = all / this.#shares.length
    for (const least of [Math.ceil(fairShare), Math.floor(fairShare), 0]) this.#balanceDownTo(least)
  }

  /** Ends, because every move makes the sum of the squares of the sizes smaller. */
  #balanceDownTo(least: number): void {
    for (let hasMoved = true; hasMoved; ) {
      hasMoved = false
      for (const topicId of this.#subscribers.keys()) if (this.#balanceTopic(topicId, least)) hasMoved = true
    }
  }

  #balanceTopic(topicId: string, least: number): boolean {
    const subscribers = this.#subscribers.get(topicId) as readonly Share[]
    const rising = new RisingShares(subscribers)
    let hasMoved = false
    for (const { partitions } of [...subscribers].sort((a, b) => b.partitions.size - a.partitions.size)) {
      if (partitions.size - rising.level < 2) break
      for (const partition of [...(partitions.partitions.get(topicId) ?? [])].reverse()) {
        if (partitions.size <= least || partitions.size - rising.level < 2) break
        partitions.delete(topicId, partition)
        rising.give(topicId, partition)
        hasMoved = true
      }
    }
    return hasMoved
  }

  result(): ReadonlyMap<string, PartitionSet> {
    return new Map(this.#shares.map(({ member, partitions }) => [member.id, partitions.partitions]))
  }
}

/** Members of whom always one of those with the fewest partitions is given the next, like water that rises. */
class RisingShares {
  readonly #sorted: readonly Share[]
  /** How many at the front have `level` partitions, or had when this round of them began. */
  #atLevel = 0
  #next = 0
  /** What those with the fewest have. */
  level = 0

  constructor(shares: readonly Share[]) {
    this.#sorted = [...shares].sort((a, b) => a.partitions.size - b.partitions.size)
    this.level = this.#sorted[0]?.partitions.size ?? 0
    this.#widen()
  }

  give(topicId: string, partition: number): void {
    this.#sorted[this.#next]?.partitions.add(topicId, partition)
    this.#next++
    if (this.#next < this.#atLevel) return
    this.#next = 0
    this.level++
    this.#widen()
  }

  #widen(): void {
    while ((this.#sorted[this.#atLevel]?.partitions.size ?? Number.POSITIVE_INFINITY) <= this.level) this.#atLevel++
  }
}
