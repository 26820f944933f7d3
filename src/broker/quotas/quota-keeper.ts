import type { ClientQuotas, QuotaKey } from './client-quotas.ts'
import { QuotaBucket } from './quota-bucket.ts'

/** Clients choose their ids, and each may have a quota of its own: beyond this many, who was longest not seen begins anew. */
const mostBuckets = 10_000
/** A client is not kept waiting for longer at a time: it would take the broker for dead. What it owes, it owes on. */
const longestThrottleMs = 15_000

/** Who asks for something. */
export interface QuotaClient {
  readonly user: string
  readonly clientId: string
}

/** What clients have taken of their quotas, and how long they have to wait (KIP-219). */
export class QuotaKeeper {
  readonly #quotas: ClientQuotas
  /** In the order in which they were last used. */
  readonly #buckets = new Map<string, QuotaBucket>()

  constructor(quotas: ClientQuotas) {
    this.#quotas = quotas
  }

  /** Whether anything is bounded at all. */
  get isOn(): boolean {
    return this.#quotas.size > 0
  }

  /** Counts what a client has taken; returns for how many milliseconds it has to wait. */
  take(key: QuotaKey, units: number, { user, clientId }: QuotaClient, nowMs: number): number {
    if (!this.isOn) return 0
    const quota = this.#quotas.of(key, user, clientId)
    if (quota === undefined) return 0
    // A percent of the time is ten milliseconds of a second.
    const limit = key === 'request_percentage' ? quota.limit * 10 : quota.limit
    const name = `${key} ${quota.sharedBy}`
    const bucket = this.#buckets.get(name) ?? new QuotaBucket(limit, nowMs)
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= mostBuckets) break
      this.#buckets.delete(oldest)
    }
    return Math.min(bucket.take(units, limit, nowMs), longestThrottleMs)
  }
}
