import type { SecurityRecord } from '../security-record.ts'

/** What can be bounded: bytes a second that are appended or fetched, and the share of the broker's time, in percent. */
export const quotaKeys = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage'] as const
export type QuotaKey = (typeof quotaKeys)[number]

export const entityTypes = ['user', 'client-id'] as const
export type EntityType = (typeof entityTypes)[number]

/** Whom a quota is for: a name, null for whoever has none of their own, and what is left out does not matter. */
export type QuotaEntity = { readonly [T in EntityType]?: string | null }

/** The values that an entity has. */
export interface EntityQuotas {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<QuotaKey, number>
}

/** A quota that is for a client: how much, and with whom the client shares it. */
export interface ClientQuota {
  readonly limit: number
  readonly sharedBy: string
}

/** Which quotas there are: the fold of the registry's records of them. */
export class ClientQuotas {
  readonly #byEntity = new Map<string, { entity: QuotaEntity; values: Map<QuotaKey, number> }>()

  get size(): number {
    return this.#byEntity.size
  }

  get all(): readonly EntityQuotas[] {
    return [...this.#byEntity.values()]
  }

  /**
   * The quota of a client: the most special one counts (`ClientQuotaManager`). One for a user alone is shared by all clients of
   * the user, one for a client id by all users of it; undefined where there is none.
   */
  of(key: QuotaKey, user: string, clientId: string): ClientQuota | undefined {
    const candidates: readonly QuotaEntity[] = [
      { user, 'client-id': clientId },
      { user, 'client-id': null },
      { user },
      { user: null, 'client-id': clientId },
      { user: null, 'client-id': null },
      { user: null },
      { 'client-id': clientId },
      { 'client-id': null },
    ]
    for (const entity of candidates) {
      const limit = this.#byEntity.get(nameOfEntity(entity))?.values.get(key)
      if (limit === undefined) continue
      const sharedBy = nameOfEntity({
        ...(entity.user !== undefined && { user }),
        ...(entity['client-id'] !== undefined && { 'client-id': clientId }),
      })
      return { limit, sharedBy }
    }
    return undefined
  }

  /** The records that say all of it. */
  records(): SecurityRecord[] {
    return this.all.flatMap(({ entity, values }) => {
      const names = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
      return [...values].map(([key, value]) => {
        return { type: 'client-quota' as const, entity: names, key, value, remove: false }
      })
    })
  }

  apply(record: SecurityRecord): void {
    if (record.type !== 'client-quota') return
    const entity = Object.fromEntries(record.entity.map(({ entityType, entityName }) => [entityType, entityName]))
    const name = nameOfEntity(entity)
    const quotas = this.#byEntity.get(name) ?? { entity, values: new Map<QuotaKey, number>() }
    if (record.remove) quotas.values.delete(record.key as QuotaKey)
    else quotas.values.set(record.key as QuotaKey, record.value)
    if (quotas.values.size === 0) this.#byEntity.delete(name)
    else this.#byEntity.set(name, quotas)
  }
}

/** A name for an entity that no other has. */
function nameOfEntity(entity: QuotaEntity): string {
  return JSON.stringify(entityTypes.map((type) => (entity[type] === undefined ? [] : [entity[type]])))
}
