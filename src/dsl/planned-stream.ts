import { functionOf, requireOptions, requireTopic } from '../arguments.ts'
import type { Duration } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from '../processor/processor.ts'
import { fixedKeyProcessorSteps, processorSteps } from '../processor/processor-step.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import type { Processor } from '../topology/processor.ts'
import type { StreamPartitioner, TopicNameExtractor } from '../topology/sink-options.ts'
import { withDeclaredStore } from './declared-store.ts'
import { PlannedGlobalTable } from './global-table.ts'
import { graceOf } from './join-grace.ts'
import type { JoinKind } from './join-kind.ts'
import {
  type ChosenTopicOptions,
  type GlobalTableJoinOptions,
  type GroupByKeyOptions,
  type GroupByOptions,
  historyOf,
  type OperatorOptions,
  type PrintOptions,
  type ProcessOptions,
  type ProcessValuesOptions,
  type RepartitionOptions,
  type StreamJoinOptions,
  type ToOptions,
  type ToTableOptions,
} from './operator-options.ts'
import { globalTableJoin } from './operators/global-table-join.ts'
import { printedLine } from './operators/print.ts'
import * as operators from './operators/stateless.ts'
import { streamTableJoin } from './operators/stream-table-join.ts'
import type { DynamicSinkPlan, RepartitionPlan, SinkPlan, StreamState } from './plan.ts'
import { ofAnotherBuilder } from './plan-mismatch.ts'
import { splitStream } from './planned-branches.ts'
import { PlannedGroupedStream } from './planned-grouped-stream.ts'
import { PlannedTable } from './planned-table.ts'
import { addRepartition, repartitionNames } from './repartition.ts'
import { addTable } from './source-table.ts'
import { settingsOf } from './store-declarations.ts'
import { addStreamJoin, requireWindows, type StreamJoinParts, type StreamJoinSettings } from './stream-join.ts'
import type {
  BranchedKStream,
  JoinArguments,
  Joinable,
  JoinedKey,
  JoinedValue,
  KGroupedStream,
  KStream,
  KTable,
  TakenBy,
} from './streams.ts'
import { givenOrTracked, requireSerde, type TrackedSerde } from './tracked-serde.ts'

/** The types that a stream's callbacks were checked with end here: the plan holds functions of unknown values. */
type Erased<R> = operators.RecordCallback<R>
type Joiner = (value: unknown, tableValue: unknown, key: unknown) => unknown

/** How the user gives the serde of values, for error messages. */
interface SerdeOption {
  readonly method: string
  readonly value: string
}

interface Serdes {
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
}

export class PlannedStream<K, V> implements KStream<K, V> {
  readonly #state: StreamState
  /** The repartition before the joins so far. */
  #joinRepartition: RepartitionPlan | undefined

  constructor(state: StreamState) {
    this.#state = state
  }

  filter<P extends (value: V, key: K) => boolean>(
    predicate: P,
    options?: OperatorOptions,
  ): KStream<K, TakenBy<P, K, V>> {
    return this.#add(
      'KSTREAM-FILTER-',
      options,
      operators.filter(functionOf<Erased<boolean>>('filter', 'predicate', predicate), true),
    )
  }

  filterNot(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V> {
    return this.#add(
      'KSTREAM-FILTER-',
      options,
      operators.filter(functionOf<Erased<boolean>>('filterNot', 'predicate', predicate), false),
    )
  }

  mapValues<V2>(mapper: (value: V, key: K) => V2, options?: OperatorOptions): KStream<K, V2> {
    return this.#add(
      'KSTREAM-MAPVALUES-',
      options,
      operators.mapValues(functionOf<Erased<V2>>('mapValues', 'mapper', mapper)),
      'value',
    )
  }

  flatMapValues<V2>(mapper: (value: V, key: K) => readonly V2[], options?: OperatorOptions): KStream<K, V2> {
    const create = operators.flatMapValues(functionOf<Erased<readonly V2[]>>('flatMapValues', 'mapper', mapper))
    return this.#add('KSTREAM-FLATMAPVALUES-', options, create, 'value')
  }

  map<K2, V2>(mapper: (value: V, key: K) => readonly [K2, V2], options?: OperatorOptions): KStream<K2, V2> {
    return this.#add(
      'KSTREAM-MAP-',
      options,
      operators.map(functionOf<Erased<readonly [K2, V2]>>('map', 'mapper', mapper)),
      'key',
      'value',
    )
  }

  flatMap<K2, V2>(
    mapper: (value: V, key: K) => readonly (readonly [K2, V2])[],
    options?: OperatorOptions,
  ): KStream<K2, V2> {
    const create = operators.flatMap(functionOf<Erased<readonly (readonly [K2, V2])[]>>('flatMap', 'mapper', mapper))
    return this.#add('KSTREAM-FLATMAP-', options, create, 'key', 'value')
  }

  selectKey<K2>(mapper: (value: V, key: K) => K2, options?: OperatorOptions): KStream<K2, V> {
    return this.#add(
      'KSTREAM-KEY-SELECT-',
      options,
      operators.selectKey(functionOf<Erased<K2>>('selectKey', 'mapper', mapper)),
      'key',
    )
  }

  peek(action: (value: V, key: K) => void, options?: OperatorOptions): KStream<K, V> {
    return this.#add('KSTREAM-PEEK-', options, operators.peek(functionOf<Erased<void>>('peek', 'action', action)))
  }

  foreach(action: (value: V, key: K) => void, options?: OperatorOptions): void {
    this.#add('KSTREAM-FOREACH-', options, operators.peek(functionOf<Erased<void>>('foreach', 'action', action)))
  }

  print(write: (line: string) => void, options: PrintOptions<K, V> = {}): void {
    functionOf('print', 'write', write)
    const line = printedLine(options.label ?? this.#state.node.name, options.mapper as Erased<string> | undefined)
    this.#add(
      'KSTREAM-PRINTER-',
      options,
      operators.peek((value, key) => write(line(value, key))),
    )
  }

  merge(other: KStream<K, V>, options: OperatorOptions = {}): KStream<K, V> {
    const { plan, node, ...mine } = this.#state
    if (!(other instanceof PlannedStream) || other.#state.plan !== plan) {
      throw ofAnotherBuilder('merged', node.name)
    }
    const { node: otherNode, ...others } = other.#state
    const name = plan.names.operator('KSTREAM-MERGE-', options.name)
    return plan.openStream({
      plan,
      node: plan.addProcessor(name, operators.passThrough, [node, otherNode], { changes: 'nothing' }),
      key: sameSerde(mine.key, others.key, name),
      value: sameSerde(mine.value, others.value, name),
      keyChanged: mine.keyChanged || others.keyChanged,
    })
  }

  process<K2 = K, V2 = V>(
    supplier: ProcessorSupplier<K, V, K2, V2>,
    options: ProcessOptions<K2, V2> = {},
  ): KStream<K2, V2> {
    const name = this.#state.plan.names.processor('KSTREAM-PROCESSOR-', options.name)
    return this.#process<K2, V2>(name, processorSteps(supplier, name), options, true)
  }

  processValues<V2 = V>(
    supplier: FixedKeyProcessorSupplier<K, V, V2>,
    options: ProcessValuesOptions<V2> = {},
  ): KStream<K, V2> {
    const name = this.#state.plan.names.processor('KSTREAM-PROCESSVALUES-', options.name)
    return this.#process<K, V2>(name, fixedKeyProcessorSteps(supplier, name), options, false)
  }

  split(options: OperatorOptions = {}): BranchedKStream<K, V> {
    return splitStream<K, V>(this.#state, options)
  }

  repartition(options: RepartitionOptions<K, V> = {}): KStream<K, V> {
    if (options.partitions !== undefined) requirePartitions(options.partitions, options.name)
    const { names } = this.#state.plan
    if (options.name !== undefined) requireNodeName(options.name, 'operator')
    // Unlike other operators this one takes no number when it is named.
    const prefix = options.name ?? names.generated('KSTREAM-REPARTITION-')
    const node = this.#repartition(prefix, { method: 'repartition', value: 'value' }, options)
    return new PlannedStream<K, V>(this.#stateAfter(node))
  }

  toTable(given: ToTableOptions<NonNullable<K>, NonNullable<V>> = {}): KTable<NonNullable<K>, NonNullable<V>> {
    const { plan, node } = this.#state
    const options = withDeclaredStore(given, undefined)
    const name = plan.names.operator('KSTREAM-TOTABLE-', options.name)
    const store = plan.names.store('KSTREAM-TOTABLE-', options.store)
    const serdes: Serdes = options
    const parent = this.#state.keyChanged
      ? this.#repartition(name, { method: 'toTable', value: 'value' }, serdes)
      : node
    return new PlannedTable(
      addTable(plan, parent, {
        name,
        store,
        isNamed: options.store !== undefined,
        key: givenOrTracked(serdes.key, this.#state.key),
        value: givenOrTracked(serdes.value, this.#state.value),
        ...settingsOf(options),
        historyRetentionMs: historyOf(options),
        method: 'toTable',
      }),
    )
  }

  join<O extends Joinable<K>, R>(
    other: O,
    joiner: (value: NonNullable<V>, other: JoinedValue<O>, key: JoinedKey<O, K>) => R,
    ...[options = {}]: JoinArguments<O, K, V> | []
  ): KStream<JoinedKey<O, K>, R> {
    return this.#join(other, functionOf<Joiner>('join', 'joiner', joiner), options, 'inner')
  }

  leftJoin<O extends Joinable<K>, R>(
    other: O,
    joiner: (value: NonNullable<V>, other: JoinedValue<O> | null, key: K) => R,
    ...[options = {}]: JoinArguments<O, K, V> | []
  ): KStream<K, R> {
    return this.#join(other, functionOf<Joiner>('leftJoin', 'joiner', joiner), options, 'left')
  }

  outerJoin<V2, R>(
    other: KStream<NonNullable<K> | null, V2>,
    joiner: (left: NonNullable<V> | null, right: NonNullable<V2> | null, key: K) => R,
    options: StreamJoinOptions<NonNullable<K>, V, V2>,
  ): KStream<K, R> {
    return this.#join(other, functionOf<Joiner>('outerJoin', 'joiner', joiner), options, 'outer')
  }

  groupByKey(options: GroupByKeyOptions<NonNullable<K>, V> = {}): KGroupedStream<NonNullable<K>, V> {
    return this.#group<NonNullable<K>>('groupByKey', options)
  }

  groupBy<K2>(
    selector: (value: V, key: K) => NoInfer<K2> | null | undefined,
    options: GroupByOptions<K2, V>,
  ): KGroupedStream<K2, V> {
    const create = operators.selectKey(functionOf<Erased<unknown>>('groupBy', 'selector', selector))
    requireOptions('groupBy(...)', options, 'the serde of the new keys: { key: serde.string }')
    const named = options.name === undefined ? {} : { name: options.name }
    return this.#add<K2, V>('KSTREAM-KEY-SELECT-', named, create, 'key').#group<K2>('groupBy', options)
  }

  to(topic: SinkTopic<Exclude<K, null>, Exclude<V, null>>, options?: ToOptions<K, V>): void
  to(choose: TopicNameExtractor<K, V>, options: ChosenTopicOptions<K, V>): void
  to(topic: SinkTopic<never, never> | TopicNameExtractor<never, never>, options: ToOptions<never, never> = {}): void {
    const { plan, node } = this.#state
    const name = plan.names.operator('KSTREAM-SINK-', options.name)
    if (typeof topic === 'function') {
      const chosen = options as DynamicSinkPlan['options']
      plan.add<DynamicSinkPlan>({ kind: 'dynamic-sink', name, choose: topic, options: chosen }, [node])
    } else {
      requireTopic('to', topic)
      plan.add<SinkPlan>({ kind: 'sink', name, topic, options }, [node])
    }
  }

  /** Adds a step after the stream; the serdes of what it makes anew are unknown. */
  #add<K2, V2>(
    prefix: string,
    options: OperatorOptions | undefined,
    create: () => Processor,
    ...makes: readonly ('key' | 'value')[]
  ): PlannedStream<K2, V2> {
    const { plan, node, key, value, keyChanged } = this.#state
    const name = plan.names.operator(prefix, options?.name)
    const unknown: TrackedSerde = { serde: undefined, madeBy: name }
    const changes = makes.includes('key') ? 'key' : (makes[0] ?? 'nothing')
    return new PlannedStream<K2, V2>({
      plan,
      node: plan.addProcessor(name, create, [node], { changes }),
      key: makes.includes('key') ? unknown : key,
      value: makes.includes('value') ? unknown : value,
      keyChanged: keyChanged || makes.includes('key'),
    })
  }

  #process<K2, V2>(
    name: string,
    create: () => Processor,
    { key, value, stores = [] }: Serdes & { readonly stores?: readonly StoreDeclaration[] },
    makesKeys: boolean,
  ): KStream<K2, V2> {
    const { plan, node, ...before } = this.#state
    const unknown: TrackedSerde = { serde: undefined, madeBy: name }
    return plan.openStream<K2, V2>({
      plan,
      node: plan.addProcessor(name, create, [node], { stores: [...stores], changes: makesKeys ? 'key' : 'value' }),
      key: makesKeys ? givenOrTracked(key, unknown) : before.key,
      value: givenOrTracked(value, unknown),
      keyChanged: before.keyChanged || makesKeys,
    })
  }

  #join<K2, R>(other: object, joiner: Joiner, options: object, kind: JoinKind): KStream<K2, R> {
    if (other instanceof PlannedStream) {
      return this.#joinStream(other, { kind, joiner, options: options as StreamJoinSettings })
    }
    const isLeft = kind === 'left'
    if (other instanceof PlannedGlobalTable) {
      return this.#joinGlobal(other, joiner, options as GlobalTableJoinOptions<unknown, unknown, unknown>, isLeft)
    }
    return this.#joinTable(other as KTable<unknown, unknown>, joiner, options, isLeft)
  }

  #joinGlobal<K2, R>(
    { plan: otherPlan, storeName: store }: PlannedGlobalTable<unknown, unknown>,
    joiner: Joiner,
    options: GlobalTableJoinOptions<unknown, unknown, unknown>,
    isLeft: boolean,
  ): KStream<K2, R> {
    const { plan, node } = this.#state
    if (otherPlan !== plan) throw ofAnotherBuilder('joined', node.name)
    // An inner join is named as a left one, as in Kafka Streams.
    const name = plan.names.operator('KSTREAM-LEFTJOIN-', options.name)
    const { keySelector: given } = options
    const keySelector = functionOf<Erased<unknown>>(isLeft ? 'leftJoin' : 'join', 'keySelector', given)
    const create = globalTableJoin({ store, keySelector, joiner, isLeft })
    const value: TrackedSerde = { serde: undefined, madeBy: name }
    return plan.openStream({
      ...this.#state,
      node: plan.addProcessor(name, create, [node], { takesNullKeys: isLeft }),
      value,
    })
  }

  #joinTable<K2, R>(
    table: KTable<unknown, unknown>,
    joiner: Joiner,
    options: OperatorOptions & Serdes & { readonly grace?: Duration },
    isLeft: boolean,
  ): KStream<K2, R> {
    const { plan, keyChanged } = this.#state
    const other = PlannedTable.stateOf(table)
    if (other === undefined || other.plan !== plan) throw ofAnotherBuilder('joined', this.#state.node.name)
    const option = { method: isLeft ? 'leftJoin' : 'join', value: 'value' }
    const before = keyChanged ? this.#beforeJoin(options.name, option, options) : this.#state
    const name = plan.names.operator(isLeft ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-', options.name)
    const { stores, getter } = other.rows.lookUp('stream')
    const grace = graceOf(options, before, other, { name, method: option.method })
    const create = streamTableJoin({ joiner, table: getter, isLeft, grace: grace?.options })
    const node = plan.addProcessor(name, create, [before.node], {
      stores: grace === undefined ? [] : [grace.buffer],
      looksUp: { table: other.node, stores },
      takesNullKeys: isLeft,
    })
    const value: TrackedSerde = { serde: undefined, madeBy: name }
    return plan.openStream({ ...before, node, key: givenOrTracked(options.key, before.key), value })
  }

  #joinStream<K2, R>(other: PlannedStream<unknown, unknown>, parts: StreamJoinParts): KStream<K2, R> {
    const { plan, node, keyChanged } = this.#state
    if (other.#state.plan !== plan) throw ofAnotherBuilder('joined', node.name)
    const { name, within, key, value, otherValue } = parts.options
    requireWindows(within, node.name)
    const method = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' }[parts.kind]
    const named = (suffix: string): string | undefined => (name === undefined ? undefined : `${name}${suffix}`)
    const left = keyChanged
      ? this.#beforeJoin(named('-left'), { method, value: 'value' }, serdes(key, value))
      : this.#state
    const right = other.#state.keyChanged
      ? other.#beforeJoin(named('-right'), { method, value: 'otherValue' }, serdes(key, otherValue))
      : other.#state
    return plan.openStream(addStreamJoin(left, right, parts))
  }

  /** The stream behind a repartition topic, which is the same for all joins of a stream that the user did not name. */
  #beforeJoin(given: string | undefined, option: SerdeOption, options: Serdes): StreamState {
    const { plan, node } = this.#state
    const last = this.#joinRepartition
    if (last === undefined || given !== undefined) {
      this.#joinRepartition = this.#repartition(given ?? node.name, option, options)
    } else repartitionNames(plan.names, node.name)
    return this.#stateAfter(this.#joinRepartition as RepartitionPlan)
  }

  /** @throws MillraceError SERDE_REQUIRED where the records cannot be written to the topic. */
  #repartition(
    prefix: string,
    option: SerdeOption,
    options: Serdes & { readonly partitions?: number; readonly partitioner?: StreamPartitioner<never, never> },
  ): RepartitionPlan {
    const { plan, node } = this.#state
    const names = repartitionNames(plan.names, prefix)
    const need = { operator: names.source, purpose: 'the repartition topic' }
    const tracked = {
      key: givenOrTracked(options.key, this.#state.key),
      value: givenOrTracked(options.value, this.#state.value),
    }
    const key = requireSerde(tracked.key, { ...need, part: 'key', option: `${option.method}({ key })` })
    const value = requireSerde(tracked.value, {
      ...need,
      part: 'value',
      option: `${option.method}({ ${option.value} })`,
    })
    const { partitions, partitioner } = options
    return addRepartition(plan, node, {
      names,
      key,
      value,
      partitioner,
      isMergeable: option.method !== 'repartition',
      ...(partitions === undefined ? {} : { partitions }),
    })
  }

  #stateAfter(node: RepartitionPlan): StreamState {
    const { key, value } = this.#state
    return {
      plan: this.#state.plan,
      node,
      key: { serde: node.topic.key, madeBy: key.madeBy },
      value: { serde: node.topic.value, madeBy: value.madeBy },
      keyChanged: false,
    }
  }

  #group<K2>(
    method: 'groupByKey' | 'groupBy',
    options: { readonly name?: string; readonly key?: Serde<K2>; readonly value?: Serde<V> },
  ): KGroupedStream<K2, V> {
    const { key, value } = this.#state
    return new PlannedGroupedStream<K2, V>({
      ...this.#state,
      key: givenOrTracked(options.key, key),
      value: givenOrTracked(options.value, value),
      name: options.name,
      method,
      repartition: undefined,
    })
  }
}

function serdes(key: Serde<unknown> | undefined, value: Serde<unknown> | undefined): Serdes {
  return { ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) }
}

/** Either stream's serde would do for both only where it is the same. */
function sameSerde(a: TrackedSerde, b: TrackedSerde, madeBy: string): TrackedSerde {
  return { serde: a.serde === b.serde ? a.serde : undefined, madeBy }
}

function requirePartitions(partitions: number, operator: string | undefined): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= 10_000) return
  throw new MillraceError('INVALID_ARGUMENT', `${partitions} is not a number of partitions`, {
    at: operator === undefined ? {} : { operator },
    remedy: 'Give a whole number from 1 to 10000.',
  })
}
