import { serde, topic } from 'millrace'

/** One payment by card. Money is in whole cents, so that sums are exact. */
export interface Transaction {
  readonly id: string
  readonly cents: number
  readonly merchant: string
  readonly category: string
  /** What the data say it was in truth: to see afterwards how good the rules are; no rule looks at it. */
  readonly isFraud: boolean
}

/** By card number. All payments of a card are in one partition, in the order in which they were made. */
export const transactions = topic('transactions', {
  key: serde.string,
  value: serde.json<Transaction>(),
  partitions: 3,
})

export function dollars(cents: number): string {
  return `$${(cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })}`
}
