import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConsumerGroup, defaultConsumerGroupSettings } from '../../../../src/broker/group/consumer/consumer-group.ts'
import { ConsumerGroupState } from '../../../../src/broker/group/consumer/consumer-group-state.ts'
import { noPartitions, type PartitionSet } from '../../../../src/broker/group/consumer/partition-set.ts'
import { LetterTopics, partitionsAsText } from './consumer-transcript.ts'
import { KeptGroup } from './kept-group.ts'

/** A member as a client: it owns what it was told, gives up at once what it is not to keep, and begins anew when it is fenced. */
interface Client {
  readonly id: string
  epoch: number
  owned: PartitionSet
  topics: readonly string[]
  /** Whether it says everything: when it begins, has changed or does not know what became of what it said last. */
  hasNews: boolean
}

type Action =
  | { readonly do: 'beat' | 'lose-answer' | 'leave' | 'vanish'; readonly who: number }
  | { readonly do: 'subscribe'; readonly who: number; readonly topics: readonly string[] }
  | { readonly do: 'grow'; readonly topic: string }
  | { readonly do: 'restart' }

const who = fc.nat(4)
const topicNames = fc.subarray(['t', 'u', 'v'], { minLength: 1 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('beat' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('lose-answer' as const, 'leave' as const, 'vanish' as const), who }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subscribe' as const), who, topics: topicNames }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grow' as const), topic: fc.constantFrom('t', 'u', 'v') }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
)

class Simulation {
  readonly #topics = new LetterTopics({ t: 3, u: 2 })
  #group = new ConsumerGroup('g', defaultConsumerGroupSettings, this.#topics)
  readonly #log = new KeptGroup()
  readonly #clients = new Map<number, Client>()
  #nowMs = 0
  #lives = 0

  act(action: Action): void {
    this.#nowMs += 1_000
    if (action.do === 'restart') this.#restart()
    else if (action.do === 'grow') this.#topics.set(action.topic, (this.#topics.get(action.topic)?.partitions ?? 0) + 1)
    else this.#actAs(action)
    this.#tick()
    this.#log.keep(this.#group.state.takeChanges())
    this.#checkOwners()
    expect(describeState(this.#restored())).toEqual(describeState(this.#group.state))
  }

  /** Everybody is heard of until nothing changes any more; then everything that is subscribed to is with somebody. */
  settle(): void {
    const settledMs = this.#nowMs + 2 * defaultConsumerGroupSettings.consumerSessionTimeoutMs
    while (this.#clients.size > 0 && this.#nowMs < settledMs) {
      for (const who of this.#clients.keys()) this.act({ do: 'beat', who })
    }
    const subscribed = new Set([...this.#clients.values()].flatMap(({ topics }) => topics))
    const expected = [...subscribed].flatMap((name) => {
      return Array.from({ length: this.#topics.get(name)?.partitions ?? 0 }, (_, partition) => `${name}${partition}`)
    })
    expect(this.#allOwned().sort()).toEqual(expected.sort())
    if (this.#clients.size > 0) expect(this.#group.stateName).toBe('Stable')
  }

  #actAs(action: Exclude<Action, { do: 'restart' | 'grow' }>): void {
    const client = this.#clients.get(action.who)
    if (action.do === 'subscribe') {
      const changed = client ?? this.#start(action.who)
      changed.topics = action.topics
      changed.hasNews = true
    } else if (action.do === 'beat') this.#beat(client ?? this.#start(action.who))
    else if (client !== undefined && action.do === 'lose-answer') {
      this.#send(client)
      client.hasNews = true
    } else if (client !== undefined) {
      if (action.do === 'leave') this.#send({ ...client, epoch: -1 })
      this.#clients.delete(action.who)
    }
  }

  #start(who: number): Client {
    const client = { id: `${who}-${this.#lives++}`, epoch: 0, owned: noPartitions, topics: ['t'], hasNews: true }
    this.#clients.set(who, client)
    return client
  }

  #beat(client: Client): void {
    const { error, memberEpoch, assigned } = this.#send(client)
    if (error === 'NONE') {
      client.epoch = memberEpoch
      client.owned = assigned ?? client.owned
      client.hasNews = false
      return
    }
    expect(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND']).toContain(error)
    client.owned = noPartitions
    client.epoch = 0
    client.hasNews = true
  }

  #send({ id, epoch, owned, topics, hasNews }: Client) {
    return this.#group.heartbeat(
      {
        memberId: id,
        newMemberId: id,
        memberEpoch: epoch,
        instanceId: null,
        rackId: null,
        clientId: 'client',
        clientHost: '/host',
        rebalanceTimeoutMs: hasNews ? 300_000 : -1,
        topicNames: hasNews ? topics : null,
        topicRegex: null,
        assignor: null,
        owned,
      },
      this.#nowMs,
    )
  }

  /** Clients that have vanished stop working when their session is over at the latest; those that live on are heard of in time. */
  #tick(): void {
    if (this.#group.nextDeadlineMs > this.#nowMs) return
    for (const client of this.#clients.values()) this.#beat(client)
    this.#group.tick(this.#nowMs)
  }

  #restart(): void {
    this.#group = new ConsumerGroup('g', defaultConsumerGroupSettings, this.#topics, this.#restored())
    this.#group.begin(this.#nowMs)
  }

  #restored(): ConsumerGroupState {
    const { kept } = this.#log
    return kept === undefined ? new ConsumerGroupState() : ConsumerGroupState.restore(kept)
  }

  #allOwned(): string[] {
    return [...this.#clients.values()].flatMap(({ owned }) => {
      const text = partitionsAsText(owned)
      return text === '' ? [] : text.split(',')
    })
  }

  #checkOwners(): void {
    const owned = this.#allOwned()
    expect(owned).toHaveLength(new Set(owned).size)
  }
}

function describeState(state: ConsumerGroupState) {
  const members = [...state.members()].map(({ assigned, pendingRevocation, ...rest }) => ({
    ...rest,
    assigned: partitionsAsText(assigned),
    pendingRevocation: partitionsAsText(pendingRevocation),
    target: partitionsAsText(state.targetOf(rest.id)),
  }))
  const { epoch, targetEpoch, metadataHash } = state
  return { epoch, targetEpoch, metadataHash, members: members.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

describe('a group of honest members', () => {
  it('never has two of them own a partition, comes to rest with all of them owned, and is what was kept of it', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const simulation = new Simulation()
        for (const one of actions) simulation.act(one)
        simulation.settle()
      }),
      { numRuns: 300 },
    )
  })
})
