import { serde, topic } from 'millrace'
import type { Transaction } from './transaction.ts'

/** A rule has seen something in a payment. */
export interface Alert {
  readonly rule: string
  readonly observed: number
  readonly transaction: Transaction
}

const alertsOfCards = { key: serde.string, value: serde.json<Alert>() }

/** Every alarm of every rule, by card number. */
export const alerts = topic('alerts', alertsOfCards)

/** What is left for people: of each rule and card one in an hour at most. */
export const calls = topic('calls', alertsOfCards)

/** Alarms of a card that belong together, summed up as they go on. */
export interface Suspicion {
  readonly alerts: number
  readonly rules: readonly string[]
  readonly cents: number
}

export const suspicions = topic('suspicions', {
  key: serde.sessionWindowed(serde.string),
  value: serde.json<Suspicion>(),
})
