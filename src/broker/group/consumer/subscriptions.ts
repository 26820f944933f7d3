import { murmur3 } from '../../../bytes/murmur3.ts'
import type { GroupTopics } from './consumer-group-event.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { TopicRegex } from './topic-regex.ts'

/** What members subscribe to, as topics that exist. Expressions are looked at again only when topics have changed. */
export class Subscriptions {
  readonly #topics: GroupTopics
  readonly #matches = new Map<string, readonly string[]>()
  #version = -1

  constructor(topics: GroupTopics) {
    this.#topics = topics
  }

  /** The names of the topics of a member that exist. */
  topicsOf({ topicNames, topicRegex }: ConsumerMember): ReadonlySet<string> {
    const names = new Set(topicNames.filter((name) => this.#topics.get(name) !== undefined))
    if (topicRegex !== null && topicRegex !== '') for (const name of this.#matching(topicRegex)) names.add(name)
    return names
  }

  topicIdsOf(member: ConsumerMember): ReadonlySet<string> {
    return new Set([...this.topicsOf(member)].map((name) => this.#topics.get(name)?.id as string))
  }

  /** Of everything that the members subscribe to, with its ids and partitions: another number where something has changed. 0 for nothing. */
  hashOf(members: Iterable<ConsumerMember>): number {
    const names = new Set<string>()
    for (const member of members) for (const name of this.topicsOf(member)) names.add(name)
    if (names.size === 0) return 0
    const described = [...names].sort().map((name) => {
      const topic = this.#topics.get(name)
      return `${name} ${topic?.id} ${topic?.partitions}\n`
    })
    const bytes = Buffer.from(described.join(''))
    const hash = Buffer.alloc(16)
    murmur3(bytes, 0, bytes.length, hash)
    // As many bits as a number holds exactly.
    return hash.readUIntLE(0, 6)
  }

  #matching(expression: string): readonly string[] {
    if (this.#version !== this.#topics.version) {
      this.#matches.clear()
      this.#version = this.#topics.version
    }
    let names = this.#matches.get(expression)
    if (names === undefined) {
      const regex = TopicRegex.compile(expression)
      names = regex === undefined ? [] : [...this.#topics.names()].filter((name) => regex.matches(name))
      this.#matches.set(expression, names)
    }
    return names
  }
}
