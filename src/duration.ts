import { MillraceError } from './errors.ts'

type Unit = 'ms' | 's' | 'm' | 'h' | 'd'

/** A length of time: a number of milliseconds, or a number with its unit (`'30s'`, `'1.5h'`). */
export type Duration = number | `${number}${Unit}`

const millisecondsPer: Record<Unit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * The duration in whole milliseconds.
 * @throws MillraceError INVALID_ARGUMENT where it is negative, not finite, not a whole number of milliseconds, or not a duration.
 */
export function toMilliseconds(duration: Duration, what = 'duration'): number {
  const ms = typeof duration === 'number' ? duration : parse(duration)
  if (Number.isSafeInteger(ms) && ms >= 0) return ms
  throw new MillraceError('INVALID_ARGUMENT', `'${duration}' is not ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`, {
    remedy: "Write whole milliseconds (1500) or a number with a unit: '250ms', '30s', '5m', '1h', '7d'.",
  })
}

/** The duration as people write it: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((u) => ms !== 0 && ms % millisecondsPer[u] === 0) ?? 'ms'
  return `${ms / millisecondsPer[unit]}${unit}`
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) return Number.NaN
  const exact = Number(match[1]) * millisecondsPer[match[2] as Unit]
  return Math.round(exact * 1_000) / 1_000
}
