/** Made-up payments through the rules, and the alarms as they are raised, until Ctrl-C. */
import { connect, run } from 'millrace'
import { bufferTime, from, interval, lastValueFrom, merge, mergeMap, share, takeUntil, tap } from 'rxjs'
import { type Alert, alerts, calls, suspicions } from './alert.ts'
import { MadeUpPayments, seededRandom } from './made-up-payments.ts'
import { rules } from './rules.ts'
import { fraudTopology } from './topology.ts'
import { dollars, transactions } from './transaction.ts'

export interface LiveOptions {
  readonly cluster: string
  readonly paymentsPerSecond: number
  readonly seed: number
}

const summaryMs = 5_000
const tickMs = 100
/** A second here is ten minutes of the payments' own time, so that a few hundred cards keep a screen busy. */
const speed = 600

export async function live({ cluster: address, paymentsPerSecond, seed }: LiveOptions): Promise<void> {
  await using cluster = await connect(address)
  await cluster.createTopics([transactions, alerts, calls, suspicions])
  await using app = await run(fraudTopology(), { applicationId: 'fraud', cluster, commitInterval: '500ms' })
  const producer = cluster.producer(transactions)
  const payments = new MadeUpPayments(seededRandom(seed))
  const startedAt = Date.now()
  let sent = 0
  const pay = () => {
    const at = startedAt + (Date.now() - startedAt) * speed
    for (let left = Math.ceil((paymentsPerSecond * tickMs) / 1_000); left > 0; left--) {
      const { card, transaction } = payments.next()
      producer.send({ key: card, value: transaction, timestamp: at })
      sent++
    }
  }

  // A topic is an async iterable of arrays: `from` makes an observable of it.
  const stop = new AbortController()
  const raised = from(cluster.consume(calls, { from: 'latest', signal: stop.signal })).pipe(
    mergeMap((records) => records),
    share(),
  )
  const shown = merge(
    raised.pipe(
      tap(({ key, value, timestamp }) => {
        if (key !== null && value !== null) say(alertLine(key, value, timestamp))
      }),
    ),
    raised.pipe(
      bufferTime(summaryMs),
      tap(({ length }) => say(`--- ${count(sent)} payments, ${length} alarms in the last ${summaryMs / 1_000} s`)),
    ),
    // A flush that fails ends all of it.
    interval(tickMs).pipe(
      tap(pay),
      mergeMap(() => producer.flush()),
    ),
  ).pipe(takeUntil(merge(from(app.closed), readerGone())))
  process.stderr.write(
    `${paymentsPerSecond} made-up payments a second, kept in ${address}; each second is ${speed / 60} minutes of theirs. Ctrl-C ends.\n`,
  )
  await lastValueFrom(shown, { defaultValue: undefined }).finally(() => stop.abort())
  await app.close()
  process.stderr.write(`stopped: ${count(sent)} payments\n`)
}

export function alertLine(card: string, { rule: name, observed, transaction }: Alert, at: number): string {
  const rule = rules.find((one) => one.name === name)
  const what = rule?.say(observed, transaction) ?? String(observed)
  const time = new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  const truth = transaction.isFraud ? 'fraud' : 'honest'
  return `${time}  ${card}  ${name.padEnd(22)}  ${what.padEnd(30)}  ${dollars(transaction.cents)} at ${transaction.merchant} (${truth})`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Emits when nobody reads the output any more (`| head`). */
function readerGone(): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? resolve() : reject(error)))
  })
}

function count(number: number): string {
  return number.toLocaleString('en')
}
