import type { Windowed } from '../../../src/windowed.ts'
import type { Arm, CaseNode } from './case.ts'

/** What user functions do, by the names that cases give; Functions.java is the same in Java. They never throw. */

export type Data = string | number | Windowed<string> | null

/** Kafka Streams' windows without end have Long.MAX_VALUE there. */
const endlessWindow = '9223372036854775807'

export function text(data: Data): string {
  if (data === null || typeof data !== 'object') return String(data)
  const { start, end } = data.window
  return `${data.key}@${start}-${end >= Number.MAX_SAFE_INTEGER ? endlessWindow : end}`
}

/** Values are bounded, so that aggregates of aggregates stay small: the end is replaced by a hash of the whole. */
export function bounded(value: string): string {
  if (value.length <= 80) return value
  let hash = 0
  for (let i = 0; i < value.length; i++) hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0
  return `${value.slice(0, 48)}~${(hash >>> 0).toString(16)}`
}

export function weight(data: Data): number {
  if (data === null) return 0
  const letters = text(data)
  let sum = 0
  for (let i = 0; i < letters.length; i++) sum += letters.charCodeAt(i)
  return sum
}

export function test({ on, mod }: Arm | CaseNode, value: Data, key: Data): boolean {
  return weight(on === 'key' ? key : value) % (mod as number) !== 0
}

export const valueFunctions = ['tag', 'tagWithKey', 'nullSome', 'few'] as const

export function mapValue(node: CaseNode, value: Data, key: Data): string | null {
  switch (node.fn as (typeof valueFunctions)[number]) {
    case 'tag':
      return bounded(`${text(value)}.${node.id}`)
    case 'tagWithKey':
      return bounded(`${text(key)}:${text(value)}`)
    case 'nullSome':
      return weight(value) % 3 === 0 ? null : bounded(`${text(value)}.${node.id}`)
    case 'few':
      return `f${weight(value) % 3}`
  }
}

export const keyFunctions = ['few', 'fewOrNull', 'text', 'constant', 'letter'] as const

/** Of the value alone; most are keys that sources have. */
export const foreignKeyFunctions = ['letter', 'letter', 'few', 'fewOrNull', 'constant'] as const

export function mapKey(node: CaseNode, value: Data, key: Data): string | null {
  switch (node.keyFn as (typeof keyFunctions)[number]) {
    case 'few':
      return `k${weight(value) % 3}`
    case 'fewOrNull':
      return weight(value) % 4 === 3 ? null : `k${weight(value) % 3}`
    case 'text':
      return key === null ? null : text(key)
    case 'constant':
      return 'all'
    case 'letter':
      return 'abc'[weight(value) % 3]
  }
}

/** From none to three values. */
export function spread(value: Data): string[] {
  return Array.from({ length: weight(value) % 4 }, (_, i) => bounded(`${text(value)}#${i}`))
}

export const combinations = ['concat', 'dropSome'] as const

/** Takes a value into an aggregate; `sign` tells how. */
export function combine(node: CaseNode, sign: string, aggregate: Data, value: Data): string | null {
  if (node.fn === 'dropSome' && weight(value) % 4 === 0) return null
  return bounded(`${text(aggregate)}${sign}${text(value)}`)
}

export const joiners = ['pair', 'nullSome'] as const

export function join(node: CaseNode, left: Data, right: Data): string | null {
  if (node.fn === 'nullSome' && (weight(left) + weight(right)) % 5 === 0) return null
  return bounded(`(${text(left)}|${text(right)})`)
}
