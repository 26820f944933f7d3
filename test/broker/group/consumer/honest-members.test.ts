import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConsumerGroup, defaultConsumerGroupSettings } from '../../../../src/broker/group/consumer/consumer-group.ts'
import { ConsumerGroupState } from '../../../../src/broker/group/consumer/consumer-group-state.ts'
import { LetterTopics, partitionsAsText } from './consumer-transcript.ts'
import { ClassicProtocolMember, ConsumerProtocolMember, type HonestMember } from './honest-member.ts'
import { KeptGroup } from './kept-group.ts'

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
  readonly #members = new Map<number, HonestMember>()
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
    const settledMs = this.#nowMs + 3 * defaultConsumerGroupSettings.consumerSessionTimeoutMs
    while (this.#members.size > 0 && this.#nowMs < settledMs) {
      for (const who of this.#members.keys()) this.act({ do: 'beat', who })
    }
    const subscribed = new Set([...this.#members.values()].flatMap(({ topics }) => topics))
    const expected = [...subscribed].flatMap((name) => {
      return Array.from({ length: this.#topics.get(name)?.partitions ?? 0 }, (_, partition) => `${name}${partition}`)
    })
    expect(this.#allOwned().sort()).toEqual(expected.sort())
    if (this.#members.size > 0) expect(this.#group.stateName).toBe('Stable')
  }

  #actAs(action: Exclude<Action, { do: 'restart' | 'grow' }>): void {
    const known = this.#members.get(action.who)
    if (action.do === 'subscribe') (known ?? this.#start(action.who)).subscribe(action.topics)
    else if (action.do === 'beat') (known ?? this.#start(action.who)).beat(this.#group, this.#nowMs)
    else if (action.do === 'lose-answer') known?.beat(this.#group, this.#nowMs, true)
    else {
      if (action.do === 'leave') known?.leave(this.#group, this.#nowMs)
      this.#members.delete(action.who)
    }
  }

  #start(who: number): HonestMember {
    const id = `${who}-${this.#lives++}`
    const member = who < 3 ? new ConsumerProtocolMember(id) : new ClassicProtocolMember(id, who === 4)
    this.#members.set(who, member)
    return member
  }

  /** Members that have vanished stop working when their session is over at the latest; those that live on are heard of in time. */
  #tick(): void {
    if (this.#group.nextDeadlineMs > this.#nowMs) return
    for (const member of this.#members.values()) member.beat(this.#group, this.#nowMs)
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
    return [...this.#members.values()].flatMap(({ owned }) => {
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
