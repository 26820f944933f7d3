import { MillraceError } from '../errors.ts'

/** What a serde throws where bytes are not what it reads: `reason` ends the sentence. */
export function unreadable(serde: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError('SERDE_FAILED', `The serde '${serde}' could not read the bytes: ${reason}`, { cause })
}

/** What a serde throws where a value is not one that it writes. */
export function unwritable(serde: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError('SERDE_FAILED', `The serde '${serde}' could not write the value: ${reason}`, { cause })
}

export function requireLength(serde: string, start: number, end: number, expected: number): void {
  if (end - start !== expected) throw unreadable(serde, `there are ${end - start}, not ${expected}`)
}

/** The value as an error message shows it: its type, and itself where it is short. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? `the string '${value}'` : `a string of ${value.length} characters`
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name ?? 'no class'})`
  return `the ${typeof value} ${String(value)}`
}
