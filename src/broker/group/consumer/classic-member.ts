import { type ConsumerSubscription, consumerProtocol } from '../consumer-protocol.ts'
import type { GroupProtocol, JoinEvent } from '../group-event.ts'
import type { ClassicSide, ConsumerMember } from './consumer-member.ts'

/** What a member of the classic protocol joins a group of the consumer protocol with. */
export type ClassicJoin = Omit<JoinEvent, 'token'>

/** Whether it knows a protocol that all others know that speak the classic one. */
export function isSupported(members: Iterable<ConsumerMember>, { protocolType, protocols }: ClassicJoin): boolean {
  if (protocolType !== consumerProtocol) return false
  const known = [...members].flatMap(({ classic }) => (classic === null ? [] : [namesOf(classic.protocols)]))
  return protocols.some(({ name }) => known.every((names) => names.has(name)))
}

/** The protocol that it is told that the group has: nobody but itself looks at it. */
export function protocolNameOf({ classic }: ConsumerMember): string | null {
  return classic?.protocols[0]?.name ?? null
}

/** The member with what it says by joining; what it says again stays the same object. */
export function withJoin(member: ConsumerMember, join: ClassicJoin, said: ConsumerSubscription): ConsumerMember {
  const { instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = join
  const names = [...new Set(said.topics)].sort()
  const isSameNames =
    names.length === member.topicNames.length && names.every((name, at) => name === member.topicNames[at])
  const classic = { sessionTimeoutMs, protocols }
  return {
    ...member,
    instanceId: instanceId ?? member.instanceId,
    rackId: said.rackId ?? member.rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topicNames: isSameNames ? member.topicNames : names,
    topicRegex: null,
    assignor: null,
    classic: isSameSide(member.classic, classic) ? member.classic : classic,
  }
}

function isSameSide(one: ClassicSide | null, other: ClassicSide): boolean {
  return (
    one !== null &&
    one.sessionTimeoutMs === other.sessionTimeoutMs &&
    one.protocols.length === other.protocols.length &&
    one.protocols.every(({ name, metadata }, at) => {
      const same = other.protocols[at] as GroupProtocol
      return name === same.name && metadata.equals(same.metadata)
    })
  )
}

function namesOf(protocols: readonly GroupProtocol[]): ReadonlySet<string> {
  return new Set(protocols.map(({ name }) => name))
}
