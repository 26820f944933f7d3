import type { KafkaError } from '../protocol/error-codes.ts'

/** A way of sharing work that a member knows, and what it says of itself in it. The broker does not look into it. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinEvent {
  /** Chosen by the caller: the answer bears it. */
  readonly token: number
  /** Empty where the member has no id yet. */
  readonly memberId: string
  /** The id that it is given where it has none. */
  readonly newMemberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** A member without an id is given one and asked to join again with it (JoinGroup 4 and later, KIP-394). */
  readonly requiresKnownMemberId: boolean
  /** A leader that comes back may be told that nothing is to be assigned (JoinGroup 9 and later, KIP-814). */
  readonly knowsSkipAssignment: boolean
}

export interface SyncEvent {
  readonly token: number
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  /** null in versions that do not say. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** Of the leader: what each member is to do. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

/** Who sends a heartbeat or commits an offset. */
export interface MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
}

export interface JoinReply {
  readonly error: KafkaError
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly skipAssignment: boolean
  /** For the leader alone: what all members say of themselves. */
  readonly members: readonly { readonly id: string; readonly instanceId: string | null; readonly metadata: Buffer }[]
}

export interface SyncReply {
  readonly error: KafkaError
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export type GroupReply =
  | { readonly token: number; readonly join: JoinReply }
  | { readonly token: number; readonly sync: SyncReply }

/** A member that has, or waits for, what its leader gives it. */
interface AssignedMember {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly assignment: Buffer
}

/** What is kept of a group across restarts of the broker. */
export interface GroupMetadata {
  readonly protocolType: string
  readonly generation: number
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly members: readonly (AssignedMember & { readonly subscription: Buffer })[]
}

/** A group of the classic protocol with its members, as it is handed from or to the consumer protocol. */
export interface ClassicMembers {
  readonly generation: number
  readonly protocolType: string | null
  /** null where none is chosen yet. */
  readonly protocolName: string | null
  readonly members: readonly (AssignedMember & { readonly protocols: readonly GroupProtocol[] })[]
}

/** What a step of a group asks for: first the metadata is made durable, where there is any, then the replies are sent. */
export interface GroupEffects {
  readonly metadata: GroupMetadata | undefined
  readonly replies: readonly GroupReply[]
}

/** The answer to a join that is not taken. */
export function joinRefusal(memberId: string, error: KafkaError): JoinReply {
  const nowhere = { generation: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false }
  return { error, memberId, ...nowhere, members: [] }
}

/** The answer to a sync that is not taken. */
export function syncFailure(error: KafkaError): SyncReply {
  return { error, protocolType: null, protocolName: null, assignment: nothing }
}

const nothing = Buffer.alloc(0)
