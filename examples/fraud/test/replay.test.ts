import { beforeAll, describe, expect, it } from 'vitest'
import { alerts, calls } from '../alert.ts'
import { type RaisedAlert, raiseAlerts } from '../replay.ts'
import { type Payment, readPayments } from '../transaction-file.ts'
import { hasReference, referenceAlerts, referencePayments } from './reference.ts'

/** The rule, and the file of those that it is to raise. */
const tables = [
  ['velocity-2-in-30m', 'velocity_more_than_2_in_30m'],
  ['velocity-3-in-1h', 'velocity_more_than_3_in_1h'],
  ['velocity-8-in-1d', 'velocity_more_than_8_in_24h'],
  ['amount-1000-in-1h', 'amount_over_100000_cents_in_1h'],
  ['amount-2000-in-1d', 'amount_over_200000_cents_in_24h'],
  ['big-500', 'big_over_50000_cents'],
  ['small-then-large-in-1h', 'small_under_1000_then_large_over_50000_in_1h'],
] as const

const skipped = hasReference ? '' : ' (skipped: the reference data are not there)'

function linesOf(raised: readonly RaisedAlert[], rule: string): string[] {
  return raised
    .filter(({ alert }) => alert.rule === rule)
    .map(({ card, at, alert: { observed, transaction } }) => {
      return [at, transaction.id, card, transaction.cents, observed, transaction.isFraud ? 1 : 0].join(',')
    })
}

describe.skipIf(!hasReference)(`22,525 payments${skipped}`, () => {
  let payments: Payment[] = []
  let raised: RaisedAlert[] = []

  beforeAll(async () => {
    payments = readPayments(referencePayments)
    raised = await raiseAlerts(payments, alerts)
  })

  it.each(tables)('raise %s as independent programs do', (rule, file) => {
    expect(linesOf(raised, rule)).toEqual(referenceAlerts(file))
  })

  it('leave one in an hour of each rule and card', async () => {
    const left = linesOf(await raiseAlerts(payments, calls), 'velocity-3-in-1h')
    expect(left).toEqual(referenceAlerts('velocity_more_than_3_in_1h_cooldown'))
  })
})
