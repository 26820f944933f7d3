/** How good the rules were, where the data say what was fraud: as a table for people. */
import type { Alert } from './alert.ts'
import { rules } from './rules.ts'
import type { Payment } from './transaction-file.ts'

export interface Scored {
  readonly rule: string
  readonly alerts: number
  /** Of the alarms, the share that was about fraud; NaN where there was none. */
  readonly precision: number
  /** Of the fraudulent payments, the share that was seen. */
  readonly recall: number
}

/** Of each rule, and of all together. */
export function score(payments: readonly Payment[], alerts: readonly Alert[]): Scored[] {
  const frauds = payments.filter(({ transaction }) => transaction.isFraud).length
  const named = [...rules.map(({ name }) => name), 'any of them']
  return named.map((rule) => {
    const raised = rule === 'any of them' ? alerts : alerts.filter((alert) => alert.rule === rule)
    const seen = new Map(raised.map(({ transaction }) => [transaction.id, transaction.isFraud]))
    const right = [...seen.values()].filter(Boolean).length
    return { rule, alerts: raised.length, precision: right / seen.size, recall: right / frauds }
  })
}

export function scoreLines(scored: readonly Scored[]): string[] {
  const head = `${'rule'.padEnd(24)}${'alarms'.padStart(8)}${'were fraud'.padStart(12)}${'frauds seen'.padStart(13)}`
  const rows = scored.map(({ rule, alerts, precision, recall }) => {
    return `${rule.padEnd(24)}${String(alerts).padStart(8)}${percent(precision).padStart(12)}${percent(recall).padStart(13)}`
  })
  return [head, ...rows]
}

function percent(share: number): string {
  return Number.isNaN(share) ? '-' : `${(share * 100).toFixed(1)} %`
}
