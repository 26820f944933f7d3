/** The rules: pure functions of a payment and those of the same card before it. */
import { dollars, type Transaction } from './transaction.ts'

/** What is remembered of a payment. */
export interface Past {
  readonly at: number
  readonly cents: number
}

export interface Rule {
  readonly name: string
  /** How far back it looks, in milliseconds. */
  readonly lookBackMs: number
  /**
   * What it saw where it raises the alarm, otherwise undefined: a number of payments, or cents.
   * @param recent the payments of the last `lookBackMs`, that at hand included and last; the first of them is just younger than that
   * @param previous the payment before that at hand, however old
   */
  observe(transaction: Transaction, recent: readonly Past[], previous: Past | undefined): number | undefined
  /** The same for people. */
  say(observed: number, transaction: Transaction): string
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** More than so many payments within so long. */
export function velocity(moreThan: number, lookBackMs: number): Rule {
  return {
    name: `velocity-${moreThan}-in-${lengthOf(lookBackMs)}`,
    lookBackMs,
    observe: (_, recent) => (recent.length > moreThan ? recent.length : undefined),
    say: (observed) => `${observed} payments in ${lengthOf(lookBackMs)}`,
  }
}

/** More than so much money within so long. */
export function amount(overCents: number, lookBackMs: number): Rule {
  return {
    name: `amount-${overCents / 100}-in-${lengthOf(lookBackMs)}`,
    lookBackMs,
    observe: (_, recent) => {
      const sum = recent.reduce((cents, one) => cents + one.cents, 0)
      return sum > overCents ? sum : undefined
    },
    say: (observed) => `${dollars(observed)} in ${lengthOf(lookBackMs)}`,
  }
}

/** One payment of more than so much. */
export function big(overCents: number): Rule {
  return {
    name: `big-${overCents / 100}`,
    lookBackMs: 0,
    observe: ({ cents }) => (cents > overCents ? cents : undefined),
    say: (observed) => `${dollars(observed)} at once`,
  }
}

/** A card that is tried out: a large payment soon after a small one. */
export function smallThenLarge(underCents: number, overCents: number, withinMs: number): Rule {
  return {
    name: `small-then-large-in-${lengthOf(withinMs)}`,
    lookBackMs: withinMs,
    observe: ({ cents }, recent, previous) => {
      const isSoon = previous !== undefined && (recent[recent.length - 1]?.at ?? 0) - previous.at <= withinMs
      return isSoon && previous.cents < underCents && cents > overCents ? previous.cents : undefined
    },
    say: (observed, { cents }) => `${dollars(cents)} soon after ${dollars(observed)}`,
  }
}

export const rules: readonly Rule[] = [
  velocity(2, 30 * minute),
  velocity(3, hour),
  velocity(8, day),
  amount(100_000, hour),
  amount(200_000, day),
  big(50_000),
  smallThenLarge(1_000, 50_000, hour),
]

function lengthOf(ms: number): string {
  if (ms % day === 0) return `${ms / day}d`
  return ms % hour === 0 ? `${ms / hour}h` : `${ms / minute}m`
}
