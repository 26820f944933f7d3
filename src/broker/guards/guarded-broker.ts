import type { Broker } from '../broker.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { saslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import type { Actor } from '../security/access-rule.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { clusterGuards } from './cluster-guards.ts'
import { groupGuards } from './group-guards.ts'
import { type Guard, type GuardContext, Permissions, type Verdict } from './guard.ts'
import { offsetGuards } from './offset-guards.ts'
import { recordGuards } from './record-guards.ts'
import { topicGuards } from './topic-guards.ts'
import { transactionGuards } from './transaction-guards.ts'

/** What each API needs. */
export const guards: readonly Guard[] = [
  ...recordGuards,
  ...topicGuards,
  ...groupGuards,
  ...offsetGuards,
  ...transactionGuards,
  ...clusterGuards,
]

/** APIs that anybody may ask for, because they are how a client finds out what it may. */
export const openApis: ReadonlySet<number> = new Set([apiVersions.key, saslHandshake.key, saslAuthenticate.key])

const byKey = new Map(guards.map((guard) => [guard.api.key, guard]))

/** Stands before the handlers of a broker, and lets through what a client may. */
export class GuardedBroker {
  readonly #broker: Broker
  readonly #authorizer: Authorizer

  constructor(broker: Broker, authorizer: Authorizer) {
    this.#broker = broker
    this.#authorizer = authorizer
  }

  /** What becomes of a request; undefined where its API has no guard and is not open to everybody, so that it is refused. */
  check(apiKey: number, apiVersion: number, request: unknown, actor: Actor): Verdict<unknown, unknown> | undefined {
    const guard = byKey.get(apiKey)
    if (guard === undefined) return openApis.has(apiKey) ? { request } : undefined
    return guard.check(request, new Permissions(this.#authorizer, actor), this.#context(apiVersion))
  }

  #context(apiVersion: number): GuardContext {
    const { topics, settings } = this.#broker
    return {
      apiVersion,
      topicName: (id) => topics.withId(id)?.name,
      topicNames: () => topics.list().map(({ name }) => name),
      isTopic: (name) => topics.get(name) !== undefined,
      createsTopics: settings.autoCreateTopics,
    }
  }
}
