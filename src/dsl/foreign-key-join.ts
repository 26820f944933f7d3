import { bytesSerde } from '../serde/bytes-serde.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { ResultStore } from '../stores/result-store.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { StreamPartitioner } from '../topology/sink-options.ts'
import { withDeclaredStore } from './declared-store.ts'
import { responseJoin } from './operators/response-join.ts'
import type { RecordCallback } from './operators/stateless.ts'
import { answerSubscription, tellSubscribers } from './operators/subscription-answer.ts'
import { subscriptionReceive } from './operators/subscription-receive.ts'
import { subscriptionSend } from './operators/subscription-send.ts'
import type { TableJoiner } from './operators/table-table-join.ts'
import type { Plan, PlanNode, RepartitionPlan, TableState } from './plan.ts'
import { addTable } from './source-table.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import { responseSerde, type SubscriptionResponse, subscriptionSerde } from './subscription.ts'
import { requireSerde, rowKey, type TrackedSerde } from './tracked-serde.ts'

/** A partition for a key, by the user's choice. */
type ChoosePartition = (key: unknown, partitions: number) => number

export interface ForeignKeyJoinParts {
  readonly joiner: TableJoiner
  readonly isLeft: boolean
  readonly options: {
    readonly foreignKey: RecordCallback<unknown>
    readonly partitioner?: ChoosePartition
    readonly otherPartitioner?: ChoosePartition
    readonly name?: string
    readonly store?: string | ResultStore
    readonly value?: Serde<unknown>
    readonly engine?: StoreEngineFactory
    readonly logging?: Logging
    readonly caching?: boolean
  }
}

interface JoinSerdes {
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly foreign: Serde<unknown>
  readonly foreignValue: Serde<unknown>
}

/**
 * Adds the join of a table with the rows of another whose keys are in its values: subscriptions go to where the other
 * table's rows are, answers come back to where this one's are, each through a topic of its own.
 */
export function addForeignKeyJoin(left: TableState, right: TableState, parts: ForeignKeyJoinParts): TableState {
  const { plan } = left
  const { joiner, isLeft } = parts
  const options = withDeclaredStore(parts.options, undefined)
  // Kafka Streams asks the other table for its values before too: a filter above then knows which deletions say nothing new.
  right.rows.sendOldValues(true)
  left.rows.sendOldValues(true)
  left.rows.keepOldValues()
  const names = namesOf(plan, options.name)
  const serdes = serdesOf(left, right, names)
  const { key, value, foreign, foreignValue } = serdes

  const send = subscriptionSend({ foreignKey: options.foreignKey, isLeft, serdes: { key, value, foreign } })
  const sender = plan.addProcessor(names.send, send, [left.node])
  const subscriptions = addTopic(plan, [sender], {
    name: `${names.subscriptions}-topic`,
    sink: names.subscriptionSink,
    source: names.subscriptionSource,
    key: foreign,
    value: subscriptionSerde as Serde<unknown>,
    partitioner: byKey(options.otherPartitioner),
  })
  const storeParts = {
    name: names.store,
    key: bytesSerde as Serde<unknown>,
    value: subscriptionSerde as Serde<unknown>,
  }
  const store = declareStore({ ...storeParts, engine: undefined }, undefined)
  const receive = subscriptionReceive(names.store, foreign)
  const receiver = plan.addProcessor(names.receive, receive, [subscriptions], { stores: [store] })
  const { stores, getter } = right.rows.lookUp('table')
  const answerer = plan.addProcessor(names.answer, answerSubscription(getter, key), [receiver], {
    looksUp: { table: right.node, stores },
  })
  const tell = tellSubscribers(names.store, key, foreign)
  const teller = plan.addProcessor(names.tell, tell, [right.node], { stores: [store] })
  const responses = addTopic(plan, [answerer, teller], {
    name: `${names.responses}-topic`,
    sink: names.responseSink,
    source: names.responseSource,
    key,
    value: responseSerde(foreignValue) as Serde<unknown>,
    partitioner: byKey(options.partitioner) ?? toWhereItCameFrom,
  })
  const own = left.rows.lookUp('table')
  const resolve = responseJoin({ joiner, isLeft, table: own.getter, value })
  const resolver = plan.addProcessor(names.resolve, resolve, [responses], {
    looksUp: { table: left.node, stores: own.stores },
  })
  return addTable(plan, resolver, {
    name: names.result,
    store: plan.names.store('KTABLE-FK-JOIN-OUTPUT-', options.store),
    isNamed: options.store !== undefined,
    key: { serde: options.key ?? key, madeBy: names.result },
    value: { serde: options.value, madeBy: names.result },
    ...settingsOf(options),
    historyRetentionMs: undefined,
    method: isLeft ? 'leftJoin' : 'join',
  })
}

type Partitioner = StreamPartitioner<unknown, unknown>

function byKey(choose: ChoosePartition | undefined): Partitioner | undefined {
  return choose === undefined ? undefined : (key, _, partitions) => choose(key, partitions)
}

const toWhereItCameFrom: Partitioner = (_, response) => {
  const { partition } = response as SubscriptionResponse
  return partition < 0 ? undefined : partition
}

function addTopic(
  plan: Plan,
  parents: readonly PlanNode[],
  parts: {
    readonly name: string
    readonly sink: string
    readonly source: string
    readonly key: Serde<unknown>
    readonly value: Serde<unknown>
    readonly partitioner: Partitioner | undefined
  },
): RepartitionPlan {
  const { name, key, value, partitioner, sink, source } = parts
  const topic = { name, key, value, internal: true } as const
  return plan.add<RepartitionPlan>(
    {
      kind: 'repartition',
      name: source,
      sinkName: sink,
      filterName: undefined,
      isMergeable: false,
      keepsNullKeys: false,
      topic,
      ...(partitioner === undefined ? {} : { partitioner }),
    },
    parents,
  )
}

type JoinNames = Readonly<Record<(typeof steps)[number][0], string>>

/** In the order in which Kafka Streams gives them their numbers, which they take also where the join is named. */
const steps = [
  ['subscriptions', 'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-', '-subscription-registration'],
  ['send', 'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-', '-subscription-registration-processor'],
  ['subscriptionSink', 'KTABLE-SINK-', '-subscription-registration-sink'],
  ['subscriptionSource', 'KTABLE-SOURCE-', '-subscription-registration-source'],
  ['store', 'KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-', '-subscription-store'],
  ['receive', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-', '-subscription-receive'],
  ['answer', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-', '-subscription-join-foreign'],
  ['tell', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-', '-foreign-join-subscription'],
  ['responses', 'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-', '-subscription-response'],
  ['responseSink', 'KTABLE-SINK-', '-subscription-response-sink'],
  ['responseSource', 'KTABLE-SOURCE-', '-subscription-response-source'],
  ['resolve', 'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-', '-subscription-response-resolver'],
  ['result', 'KTABLE-FK-JOIN-OUTPUT-', '-result'],
] as const

function namesOf({ names }: Plan, given: string | undefined): JoinNames {
  if (given !== undefined) requireNodeName(given, 'operator')
  const named = steps.map(([step, prefix, suffix]) => {
    return [step, names.operator(prefix, given === undefined ? undefined : `${given}${suffix}`)] as const
  })
  return Object.fromEntries(named) as JoinNames
}

function serdesOf(left: TableState, right: TableState, names: JoinNames): JoinSerdes {
  const subscriptions = { operator: names.send, purpose: 'the topic of its subscriptions' }
  const responses = { operator: names.tell, purpose: 'the topic of its answers' }
  const need = (tracked: TrackedSerde, part: 'key' | 'value', to: typeof responses): Serde<unknown> => {
    const option = part === 'key' ? 'the operator that makes the keys' : 'mapValues(..., { value })'
    return requireSerde(tracked, { ...to, part, option })
  }
  return {
    key: need(rowKey(left), 'key', subscriptions),
    value: need(left.value, 'value', subscriptions),
    foreign: need(rowKey(right), 'key', subscriptions),
    foreignValue: need(right.value, 'value', responses),
  }
}
