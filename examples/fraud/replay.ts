/** Payments from a file through the rules to their end; then the alarms, and how good they were. */
import { connect, run, type Topic } from 'millrace'
import { type Alert, alerts, calls, suspicions } from './alert.ts'
import { score, scoreLines } from './report.ts'
import { fraudTopology } from './topology.ts'
import { transactions } from './transaction.ts'
import { type Payment, readPayments } from './transaction-file.ts'

/** An alarm, and when the payment was made that it is about. */
export interface RaisedAlert {
  readonly card: string
  readonly at: number
  readonly alert: Alert
}

export interface ReplayOptions {
  readonly file: string
  /** All alarms, or those that are left for people. */
  readonly only: 'alerts' | 'calls'
  readonly format: 'table' | 'csv'
}

export async function replay({ file, only, format }: ReplayOptions): Promise<void> {
  const payments = readPayments(file)
  const raised = await raiseAlerts(payments, only === 'calls' ? calls : alerts)
  if (format === 'csv') {
    process.stdout.write('ts_ms,id,card,rule,cents,observed,is_fraud\n')
    for (const { card, at, alert } of raised) {
      const { id, cents, isFraud } = alert.transaction
      process.stdout.write(`${[at, id, card, alert.rule, cents, alert.observed, isFraud ? 1 : 0].join(',')}\n`)
    }
    return
  }
  const frauds = payments.filter(({ transaction }) => transaction.isFraud).length
  process.stdout.write(`${payments.length} payments, ${frauds} of them fraud; ${raised.length} ${only}\n\n`)
  const scored = score(
    payments,
    raised.map(({ alert }) => alert),
  )
  for (const line of scoreLines(scored)) process.stdout.write(`${line}\n`)
}

/** What the rules raise, in the order of the payments that it is about. */
export async function raiseAlerts(payments: readonly Payment[], from: Topic<string, Alert>): Promise<RaisedAlert[]> {
  await using cluster = await connect('memory:')
  await cluster.createTopics([transactions, alerts, calls, suspicions])
  const app = await run(fraudTopology(), { applicationId: 'fraud', cluster })
  const producer = cluster.producer(transactions)
  for (const { card, at, transaction } of payments) {
    const isReady = producer.send({ key: card, value: transaction, timestamp: at })
    if (!isReady) await Promise.race([producer.ready(), app.closed])
  }
  await producer.flush()
  await app.caughtUp()
  await app.close()
  const raised: RaisedAlert[] = []
  for await (const records of cluster.consume(from, { from: 'earliest', until: 'end' })) {
    for (const { key, value, timestamp } of records) {
      if (key !== null && value !== null) raised.push({ card: key, at: timestamp, alert: value })
    }
  }
  return raised.sort((a, b) => a.at - b.at || (a.alert.transaction.id < b.alert.transaction.id ? -1 : 1))
}
