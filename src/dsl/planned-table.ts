import { functionOf, requireOptions } from '../arguments.ts'
import type { ValueTransformer, ValueTransformerSupplier } from '../processor/processor.ts'
import { requireSupplier } from '../processor/processor-step.ts'
import { ValueTransformation } from '../processor/value-transformation.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { Processor } from '../topology/processor.ts'
import { describesNamelessStore } from './aggregation.ts'
import { withDeclaredStore } from './declared-store.ts'
import { addForeignKeyJoin, type ForeignKeyJoinParts } from './foreign-key-join.ts'
import type { JoinKind } from './join-kind.ts'
import type {
  OperatorOptions,
  SuppressOptions,
  TableGroupByOptions,
  TableJoinOptions,
  TableOptions,
  TransformValuesOptions,
} from './operator-options.ts'
import type { TableOperatorOptions } from './operators/derived-table.ts'
import { type RecordCallback, tableToStream } from './operators/stateless.ts'
import { tableFilter } from './operators/table-filter.ts'
import { tableMapValues, tableTransformValues } from './operators/table-map-values.ts'
import { tableSelect } from './operators/table-select.ts'
import type { TableJoiner } from './operators/table-table-join.ts'
import { filteredValue, mappedValue, transformedValue, type ValueGetterFactory } from './operators/value-getter.ts'
import type { TableState } from './plan.ts'
import { ofAnotherBuilder } from './plan-mismatch.ts'
import { PlannedGroupedTable } from './planned-grouped-table.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import type {
  KeyMadeBy,
  KGroupedTable,
  KStream,
  KTable,
  RowOf,
  SuppressedFor,
  TableJoinOptionsFor,
  TakenBy,
} from './streams.ts'
import type { UntilTimeLimit, UntilWindowCloses } from './suppressed.ts'
import { addSuppression } from './suppression.ts'
import { addTableJoin } from './table-join.ts'
import { DerivedRows } from './table-rows.ts'
import { givenOrTracked, requireSerde, rowKey, type TrackedSerde } from './tracked-serde.ts'

export class PlannedTable<K, V> implements KTable<K, V> {
  readonly #state: TableState

  constructor(state: TableState) {
    this.#state = state
  }

  /** The plan behind a table, if it is one of the DSL's own. */
  static stateOf<K, V>(table: KTable<K, V>): TableState | undefined {
    return table instanceof PlannedTable ? table.#state : undefined
  }

  get queryableStoreName(): string | undefined {
    return this.#state.queryableStoreName
  }

  filter<P extends (value: V, key: K) => boolean>(
    predicate: P,
    options: TableOptions<TakenBy<P, K, V>, K> = {},
  ): KTable<K, TakenBy<P, K, V>> {
    return this.#filter(functionOf<RecordCallback<boolean>>('filter', 'predicate', predicate), true, options)
  }

  filterNot(predicate: (value: V, key: K) => boolean, options: TableOptions<V, K> = {}): KTable<K, V> {
    return this.#filter(functionOf<RecordCallback<boolean>>('filterNot', 'predicate', predicate), false, options)
  }

  mapValues<V2>(mapper: (value: V, key: K) => V2 | null, options: TableOptions<V2, K> = {}): KTable<K, V2> {
    const erased = functionOf<RecordCallback<unknown>>('mapValues', 'mapper', mapper)
    return this.#derive({
      prefix: 'KTABLE-MAPVALUES-',
      method: 'mapValues',
      options,
      value: undefined,
      derive: (name) => (parent) => mappedValue(parent, name, erased),
      create: (how) => tableMapValues(erased, how),
    })
  }

  transformValues<V2 = V>(
    supplier: ValueTransformerSupplier<K, V, V2>,
    options: TransformValuesOptions<V2, K> = {},
  ): KTable<K, V2> {
    const { stores = [], ...tableOptions } = options
    requireSupplier(supplier, options.name ?? 'transformValues', 'transform')
    const create = (): ValueTransformation =>
      new ValueTransformation(supplier() as ValueTransformer<unknown, unknown, unknown>)
    return this.#derive({
      prefix: 'KTABLE-TRANSFORMVALUES-',
      method: 'transformValues',
      options: tableOptions,
      value: undefined,
      stores,
      derive: (name) => (parent) => transformedValue(parent, name, create),
      create: (how) => tableTransformValues(create, how),
    })
  }

  suppress(suppressed: SuppressedFor<K>, options: SuppressOptions = {}): KTable<K, V> {
    requireOptions('suppress(...)', suppressed, 'how long to wait: untilWindowCloses() or untilTimeLimit(...)')
    return new PlannedTable<K, V>(
      addSuppression(this.#state, suppressed as UntilTimeLimit | UntilWindowCloses, options),
    )
  }

  groupBy<K2, V2>(
    selector: (value: V, key: K) => readonly [NoInfer<K2> | null | undefined, NoInfer<V2> | null | undefined] | null,
    options: TableGroupByOptions<K2, V2>,
  ): KGroupedTable<K2, V2> {
    const select = functionOf<RecordCallback<readonly [unknown, unknown] | null>>('groupBy', 'selector', selector)
    requireOptions('groupBy(...)', options, 'the serdes of the new rows: { key: serde.string, value: serde.json() }')
    const { name: given, key, value } = options
    const { plan, node, rows } = this.#state
    const name = plan.names.operator('KTABLE-SELECT-', given)
    const serdes = { key: key as Serde<unknown>, value: value as Serde<unknown> }
    const create = tableSelect(select, serdes.key)
    const grouped = { plan, node: plan.addProcessor(name, create, [node]), ...serdes, name: given }
    rows.sendOldValues(true)
    rows.keepOldValues()
    return new PlannedGroupedTable<K2, V2>(grouped, <A>(state: TableState) => new PlannedTable<K2, A>(state))
  }

  join<V2, R>(other: KTable<K, V2>, joiner: (left: V, right: V2, key: K) => R | null): KTable<K, R>
  join<O extends KTable<unknown, unknown>, R>(
    other: O,
    joiner: (left: V, right: RowOf<O>, key: K) => R | null,
    options: TableJoinOptionsFor<O, K, V, R>,
  ): KTable<K, R>
  join<R>(other: object, joiner: (left: V, right: never, key: K) => R | null, options = {}): KTable<K, R> {
    return this.#join(other, 'inner', functionOf<TableJoiner>('join', 'joiner', joiner), options)
  }

  leftJoin<V2, R>(other: KTable<K, V2>, joiner: (left: V, right: V2 | null, key: K) => R | null): KTable<K, R>
  leftJoin<O extends KTable<unknown, unknown>, R>(
    other: O,
    joiner: (left: V, right: RowOf<O> | null, key: K) => R | null,
    options: TableJoinOptionsFor<O, K, V, R>,
  ): KTable<K, R>
  leftJoin<R>(other: object, joiner: (left: V, right: never, key: K) => R | null, options = {}): KTable<K, R> {
    return this.#join(other, 'left', functionOf<TableJoiner>('leftJoin', 'joiner', joiner), options)
  }

  outerJoin<V2, R>(
    other: KTable<K, V2>,
    joiner: (left: V | null, right: V2 | null, key: K) => R | null,
    options: TableJoinOptions<R, K> = {},
  ): KTable<K, R> {
    return this.#join(other, 'outer', functionOf<TableJoiner>('outerJoin', 'joiner', joiner), options)
  }

  toStream(): KStream<K, V>
  toStream<M extends ((value: V, key: K) => unknown) | OperatorOptions>(
    mapperOrOptions: M,
    options?: OperatorOptions,
  ): KStream<KeyMadeBy<M, K>, V>
  toStream(
    first: OperatorOptions | ((value: V, key: K) => unknown) = {},
    second: OperatorOptions = {},
  ): KStream<unknown, V> {
    const { plan, node, value } = this.#state
    const mapper = typeof first === 'function' ? first : undefined
    const options = typeof first === 'function' ? second : first
    const name = plan.names.operator('KTABLE-TOSTREAM-', options.name)
    const updates = plan.addProcessor(name, tableToStream, [node])
    const stream = plan.openStream<K, V>({ plan, node: updates, key: rowKey(this.#state), value, keyChanged: false })
    return mapper === undefined ? stream : stream.selectKey(mapper as (value: V, key: K) => unknown)
  }

  #join<R>(other: object, kind: JoinKind, joiner: TableJoiner, options: object): KTable<K, R> {
    const right = PlannedTable.stateOf(other as KTable<unknown, unknown>)
    if (right === undefined || right.plan !== this.#state.plan) throw ofAnotherBuilder('joined', this.#state.node.name)
    if ('foreignKey' in options && options.foreignKey !== undefined) {
      functionOf(kind === 'left' ? 'leftJoin' : 'join', 'foreignKey', options.foreignKey)
      const parts = { joiner, isLeft: kind === 'left', options: options as ForeignKeyJoinParts['options'] }
      return new PlannedTable<K, R>(addForeignKeyJoin(this.#state, right, parts))
    }
    return new PlannedTable<K, R>(addTableJoin(this.#state, right, { kind, joiner, options }))
  }

  #filter<V2>(predicate: RecordCallback<boolean>, keepsWhen: boolean, options: TableOptions<V2, K>): KTable<K, V2> {
    return this.#derive<V2>({
      prefix: 'KTABLE-FILTER-',
      method: keepsWhen ? 'filter' : 'filterNot',
      options,
      value: this.#state.value,
      derive: (name) => (parent) => filteredValue(parent, name, predicate, keepsWhen),
      create: (how) => tableFilter(predicate, keepsWhen, how),
    })
  }

  /** Adds an operator that makes a table of this one's updates. */
  #derive<V2>({ prefix, method, options: given, ...parts }: Derivation<K, V2>): PlannedTable<K, V2> {
    const options = withDeclaredStore(given, undefined)
    const state = this.#state
    const { plan } = state
    if (method !== 'transformValues' && describesNamelessStore(options)) plan.names.store(prefix, undefined)
    const name = plan.names.operator(prefix, options.name)
    const value = givenOrTracked(options.value, parts.value ?? { serde: undefined, madeBy: name })
    const { store } = options
    const isMaking = method === 'mapValues' || method === 'transformValues'
    const rows = new DerivedRows(state.rows, store, parts.derive(name), isMaking)
    // Where the parent has its rows anyway, the values before spare deletions of rows that a filter never let through.
    if (!isMaking) rows.followParent()
    const create = parts.create(() => ({
      store,
      sendsOldValues: rows.sendsOldValues,
      isVersioned: state.rows.historyMs !== undefined,
    }))
    const node = plan.addProcessor(name, create, [state.node], { stores: [...(parts.stores ?? [])] })
    if (store !== undefined) {
      const need = { operator: name, purpose: `the store '${store}'` }
      const serdes = {
        key: requireSerde(givenOrTracked(options.key, rowKey(state)), {
          ...need,
          part: 'key',
          option: 'the operator that makes the keys',
        }),
        value: requireSerde(value, { ...need, part: 'value', option: `${method}(..., { value })` }),
      }
      requireNodeName(store, 'store')
      node.stores.push(declareStore({ name: store, ...serdes, ...settingsOf(options) }, undefined))
    }
    return new PlannedTable<K, V2>({ ...state, node, value, rows, queryableStoreName: store })
  }
}

/** An operator that makes a table of the updates of another. */
interface Derivation<K, V2> {
  readonly prefix: string
  readonly method: 'filter' | 'filterNot' | 'mapValues' | 'transformValues'
  /** Stores that the user's transformers use. */
  readonly stores?: readonly StoreDeclaration[]
  readonly options: TableOptions<V2, K>
  /** The serde of the values where the operator does not make new ones. */
  readonly value: TrackedSerde | undefined
  /** How rows are looked up where the operator, whose name this is, has no store. */
  readonly derive: (name: string) => (parent: ValueGetterFactory) => ValueGetterFactory
  readonly create: (options: () => TableOperatorOptions) => () => Processor
}
