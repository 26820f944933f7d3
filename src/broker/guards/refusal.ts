import type { Api, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { type Field, type Fields, zeroUuid } from '../protocol/field.ts'
import { includesVersion, versionRange } from '../protocol/version-range.ts'

/** The answer to a request that is refused as a whole: the error, and nothing in every other field. */
export function refusal<const A extends Api>(
  api: A,
  version: number,
  error: KafkaError,
  more: Partial<ResponseOf<A>> = {},
): ResponseOf<A> {
  return { ...blank(api.response, version), errorCode: codeOf(error), ...more } as ResponseOf<A>
}

function blank(fields: Fields, version: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, blankField(field, version)]))
}

function blankField([type, , options]: Field, version: number): unknown {
  if (options?.default !== undefined) return options.default
  if (options?.nullable !== undefined && includesVersion(versionRange(options.nullable), version)) return null
  if (Array.isArray(type)) return []
  if (typeof type === 'object') return blank(type as Fields, version)
  if (type === 'string') return ''
  if (type === 'uuid') return zeroUuid
  if (type === 'bytes' || type === 'records') return Buffer.alloc(0)
  return type === 'bool' ? false : 0
}

/** Takes apart what is allowed and what is not, each in its order. */
export function split<T>(all: readonly T[], isAllowed: (one: T) => boolean): { allowed: T[]; refused: T[] } {
  const allowed: T[] = []
  const refused: T[] = []
  for (const one of all) (isAllowed(one) ? allowed : refused).push(one)
  return { allowed, refused }
}
