import type { Broker } from '../broker.ts'
import type { RequestOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeClientQuotas } from '../protocol/messages/describe-client-quotas.ts'
import { type EntityType, entityTypes, type QuotaEntity } from '../quotas/client-quotas.ts'
import { type Handler, handlerOf } from './handler.ts'

type Component = RequestOf<typeof describeClientQuotas>['components'][number]

/** How a part of an entity is asked for: by its name, as the default, or whatever it is. */
const exact = 0
const byDefault = 1
const anyOfIt = 2

/** DescribeClientQuotas 0-1: the quotas of entities that have every part that is asked for, and in strict requests no other. Addresses have none. */
export function handleDescribeClientQuotas(broker: Broker): Handler {
  return handlerOf(describeClientQuotas, [0, 1], ({ components, strict }) => {
    const problem = problemOf(components)
    if (problem !== undefined) return { errorCode: codeOf('INVALID_REQUEST'), errorMessage: problem, entries: null }
    const meant = broker.topics.quotas.all.filter(({ entity }) => isMeant(entity, components, strict))
    const entries = meant.map(({ entity, values }) => ({
      entity: entityTypes
        .filter((type) => entity[type] !== undefined)
        .map((type) => ({ entityType: type, entityName: entity[type] ?? null })),
      values: [...values].map(([key, value]) => ({ key, value })),
    }))
    return { errorCode: 0, errorMessage: null, entries }
  })
}

function problemOf(components: readonly Component[]): string | undefined {
  const types = components.map(({ entityType }) => entityType)
  if (types.some((type, i) => types.indexOf(type) < i)) return 'A type of entity is asked for twice.'
  // Addresses have no quotas here, and asking for them finds none.
  if (types.some((type) => type !== 'ip' && !isEntityType(type))) return 'There is no such type of entity.'
  if (types.includes('ip') && types.length > 1) return 'An address is an entity by itself.'
  const isOdd = ({ matchType, match }: Component) =>
    matchType < exact || matchType > anyOfIt || (matchType === exact) !== (match !== null)
  return components.some(isOdd) ? 'A part has a name exactly where it is asked for by its name.' : undefined
}

function isMeant(entity: QuotaEntity, components: readonly Component[], strict: boolean): boolean {
  if (strict && Object.keys(entity).length !== components.length) return false
  return components.every(({ entityType, matchType, match }) => {
    const name = entity[entityType as EntityType]
    if (name === undefined) return false
    return matchType === anyOfIt || name === (matchType === byDefault ? null : match)
  })
}

export function isEntityType(type: string): type is EntityType {
  return (entityTypes as readonly string[]).includes(type)
}
