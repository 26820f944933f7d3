import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { alterClientQuotas } from '../protocol/messages/alter-client-quotas.ts'
import { quotaKeys } from '../quotas/client-quotas.ts'
import type { SecurityRecord } from '../security-record.ts'
import { isEntityType } from './describe-client-quotas.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Entry = RequestOf<typeof alterClientQuotas>['entries'][number]
type Result = ResponseOf<typeof alterClientQuotas>['entries'][number]

/** Entities that a cluster may have quotas for. */
const mostEntities = 100_000

/** AlterClientQuotas 0-1: sets and removes quotas, each entity for itself. Quotas of addresses and of mutations are refused. */
export function handleAlterClientQuotas(broker: Broker): Handler {
  return handlerOf(alterClientQuotas, [0, 1], async ({ entries, validateOnly }) => {
    const problems = entries.map((entry) => problemOf(broker, entry))
    const fine = entries.filter((_, i) => problems[i] === undefined)
    let failure = 0
    try {
      if (!validateOnly) await broker.topics.secure(fine.flatMap(recordsOf))
    } catch (error) {
      failure = codeOf(errorNameOf(error))
    }
    return { entries: entries.map((entry, i) => resultOf(entry, problems[i], failure)) }
  })
}

function problemOf(broker: Broker, { entity, ops }: Entry): string | undefined {
  const types = entity.map(({ entityType }) => entityType)
  if (types.length === 0) return 'Invalid empty client quota entity'
  if (types.some((type, i) => types.indexOf(type) < i)) return 'A type of entity is named twice.'
  if (!types.every(isEntityType)) return `Quotas are for ${types.join(', ')}: there are those of users and client ids.`
  if (entity.some(({ entityName }) => entityName === '')) return 'An entity has a name, or is the default.'
  if (broker.topics.quotas.size >= mostEntities) return `There are quotas for ${mostEntities} entities already.`
  const keys = ops.map(({ key }) => key)
  if (keys.some((key, i) => keys.indexOf(key) < i)) return 'A quota is set twice.'
  for (const { key, value, remove } of ops) {
    if (!(quotaKeys as readonly string[]).includes(key)) return `Invalid configuration key ${key}`
    if (remove) continue
    if (!(value > 0) || !Number.isFinite(value)) return `Quota ${key} must be greater than 0`
    if (key !== 'request_percentage' && !Number.isSafeInteger(value)) return `Quota ${key} must be a whole number.`
  }
  return undefined
}

function recordsOf({ entity, ops }: Entry): SecurityRecord[] {
  return ops.map(({ key, value, remove }) => ({ type: 'client-quota', entity, key, value: remove ? 0 : value, remove }))
}

function resultOf({ entity }: Entry, problem: string | undefined, failure: number): Result {
  if (problem !== undefined) return { errorCode: codeOf('INVALID_REQUEST'), errorMessage: problem, entity }
  return { errorCode: failure, errorMessage: null, entity }
}
