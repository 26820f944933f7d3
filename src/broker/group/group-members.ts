import type { GroupProtocol } from './group-event.ts'

/** One member of a group, as it last joined. */
export interface GroupMember {
  id: string
  /** Of a static member (KIP-345): the name by which it is known across restarts. */
  readonly instanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In order of preference. */
  protocols: readonly GroupProtocol[]
  assignment: Buffer
  /** The request to join that waits for the others; undefined where it has not joined the rebalance under way. */
  joining: number | undefined
  /** The request that waits for the leader's assignment. */
  syncing: number | undefined
  /** Whether it has asked for its assignment in this generation. */
  hasSynced: boolean
  /** It joined and has not been in a generation yet: it may wait longer than its session. */
  isNew: boolean
  /** When its session ends unless it is heard of. */
  sessionEndsMs: number
}

/** Who is in a group, who leads it, and which protocols all of them know. */
export class GroupMembers {
  leaderId: string | null = null
  /** Members that were given an id and have not joined with it yet, and when that id is forgotten. */
  readonly pending: Map<string, number> = new Map()
  readonly #byId = new Map<string, GroupMember>()
  readonly #idByInstance = new Map<string, string>()

  get size(): number {
    return this.#byId.size
  }

  all(): IterableIterator<GroupMember> {
    return this.#byId.values()
  }

  get(id: string): GroupMember | undefined {
    return this.#byId.get(id)
  }

  ofInstance(instanceId: string): GroupMember | undefined {
    const id = this.#idByInstance.get(instanceId)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  isLeader(id: string): boolean {
    return this.leaderId === id
  }

  add(member: GroupMember): void {
    this.#byId.set(member.id, member)
    if (member.instanceId !== null) this.#idByInstance.set(member.instanceId, member.id)
    this.pending.delete(member.id)
    this.leaderId ??= member.id
  }

  remove(id: string): void {
    const member = this.#byId.get(id)
    if (member === undefined) return
    this.#byId.delete(id)
    if (member.instanceId !== null && this.#idByInstance.get(member.instanceId) === id) {
      this.#idByInstance.delete(member.instanceId)
    }
    if (this.isLeader(id)) this.leaderId = this.#byId.keys().next().value ?? null
  }

  /** Gives a static member that has come back the id of its new life. Its place in the group and its assignment stay. */
  rename(member: GroupMember, id: string): void {
    const wasLeader = this.isLeader(member.id)
    this.#byId.delete(member.id)
    member.id = id
    this.#byId.set(id, member)
    if (member.instanceId !== null) this.#idByInstance.set(member.instanceId, id)
    if (wasLeader) this.leaderId = id
  }

  /** Where the leader has not joined a rebalance but others have, one of them leads. False where nobody has joined. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.#byId.get(this.leaderId)
    if (leader?.joining !== undefined) return true
    const joined = [...this.#byId.values()].find((member) => member.joining !== undefined)
    if (joined === undefined) return false
    this.leaderId = joined.id
    return true
  }

  areAllJoined(): boolean {
    for (const member of this.#byId.values()) if (member.joining === undefined) return false
    return this.pending.size === 0
  }

  /** Whether one of the protocols is known to every member. */
  support(protocols: readonly GroupProtocol[]): boolean {
    const known = this.#knownToAll()
    return known === undefined || protocols.some(({ name }) => known.has(name))
  }

  /** The protocol that most members prefer among those that all of them know. */
  chooseProtocol(): string | null {
    const known = this.#knownToAll()
    if (known === undefined) return null
    const votes = new Map<string, number>()
    for (const member of this.#byId.values()) {
      const choice = member.protocols.find(({ name }) => known.has(name))
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let chosen: string | null = null
    for (const [name, count] of votes) if (chosen === null || count > (votes.get(chosen) ?? 0)) chosen = name
    return chosen
  }

  #knownToAll(): Set<string> | undefined {
    let known: Set<string> | undefined
    for (const { protocols } of this.#byId.values()) {
      const names = new Set(protocols.map(({ name }) => name))
      known = known === undefined ? names : new Set([...known].filter((name) => names.has(name)))
    }
    return known
  }
}

/** What the protocol of that name says of the member; empty where it does not know it. */
export function metadataOf(member: GroupMember, protocol: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? Buffer.alloc(0)
}

/** Whether a member joins with just what it joined with before. */
export function hasSameProtocols(member: GroupMember, protocols: readonly GroupProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(
      ({ name, metadata }, i) => name === protocols[i]?.name && metadata.equals(protocols[i].metadata),
    )
  )
}
