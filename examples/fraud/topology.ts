/** What is computed: payments go by the rules, alarms that say the same again are held back, and alarms of a card are summed up. */
import {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  type FixedKeyRecord,
  keyValueStore,
  SessionWindows,
  StreamsBuilder,
  serde,
  type Topology,
  untilWindowCloses,
} from 'millrace'
import { type Alert, alerts, calls, type Suspicion, suspicions } from './alert.ts'
import { type Past, type Rule, rules } from './rules.ts'
import { type Transaction, transactions } from './transaction.ts'

/** Of each card what the rules look back at, oldest first. */
const history = keyValueStore('history', { key: serde.string, value: serde.json<readonly Past[]>() })

/** When each rule last raised its alarm for a card. */
const lastAlerts = keyValueStore('last-alerts', { key: serde.string, value: serde.float64 })

export const coolDownMs = 3_600_000
const sessionGapMs = 3_600_000

export function fraudTopology(): Topology {
  const builder = new StreamsBuilder()
  const raised = builder
    .stream(transactions)
    .processValues(() => new RuleCheck(rules), { stores: [history], value: alerts.value, name: 'rules' })
  raised.to(alerts)
  raised.processValues(() => new CoolDown(), { stores: [lastAlerts], value: calls.value, name: 'cool-down' }).to(calls)
  raised
    .groupByKey()
    .windowedBy(SessionWindows.withGap(sessionGapMs).grace(0))
    .aggregate(noSuspicion, addAlert, mergeSuspicions, { store: 'suspicions', value: suspicions.value })
    .suppress(untilWindowCloses())
    .toStream()
    .to(suspicions)
  return builder.build()
}

/** Holds each payment against all rules, with the payments of the same card that they look back at. */
class RuleCheck implements FixedKeyProcessor<string, Transaction, Alert> {
  readonly #rules: readonly Rule[]
  readonly #longestMs: number

  constructor(all: readonly Rule[]) {
    this.#rules = all
    this.#longestMs = Math.max(...all.map(({ lookBackMs }) => lookBackMs))
  }

  process(record: FixedKeyRecord<string, Transaction>, context: FixedKeyProcessorContext<string, Alert>): void {
    const { key: card, value: transaction, timestamp: at } = record
    const store = context.store(history)
    const before = store.get(card) ?? []
    const kept = [...before.filter((past) => past.at > at - this.#longestMs), { at, cents: transaction.cents }]
    store.put(card, kept)
    const previous = before[before.length - 1]
    for (const rule of this.#rules) {
      const recent = kept.filter((past) => past.at > at - rule.lookBackMs)
      const observed = rule.observe(transaction, recent, previous)
      if (observed !== undefined) context.forward(record.withValue({ rule: rule.name, observed, transaction }))
    }
  }
}

/** Lets an alarm through where the same rule has raised none for the card for a while. */
class CoolDown implements FixedKeyProcessor<string, Alert, Alert> {
  process(record: FixedKeyRecord<string, Alert>, context: FixedKeyProcessorContext<string, Alert>): void {
    const store = context.store(lastAlerts)
    const name = `${record.key} ${record.value.rule}`
    const last = store.get(name)
    if (last !== undefined && record.timestamp - last < coolDownMs) return
    store.put(name, record.timestamp)
    context.forward(record)
  }
}

function noSuspicion(): Suspicion {
  return { alerts: 0, rules: [], cents: 0 }
}

function addAlert({ alerts: count, rules: names, cents }: Suspicion, { rule, transaction }: Alert): Suspicion {
  return { alerts: count + 1, rules: names.includes(rule) ? names : [...names, rule], cents: cents + transaction.cents }
}

function mergeSuspicions(a: Suspicion, b: Suspicion): Suspicion {
  return { alerts: a.alerts + b.alerts, rules: [...new Set([...a.rules, ...b.rules])], cents: a.cents + b.cents }
}
