import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { SinkTopic } from '../topology/node-topic.ts'
import type { Processor } from '../topology/processor.ts'
import type { GroupByKeyOptions, GroupByOptions, OperatorOptions } from './operator-options.ts'
import * as operators from './operators/stateless.ts'
import type { SinkPlan, StreamState } from './plan.ts'
import { PlannedGroupedStream } from './planned-grouped-stream.ts'
import type { KGroupedStream, KStream } from './streams.ts'
import { givenOrTracked, type TrackedSerde } from './tracked-serde.ts'

/** The types that a stream's callbacks were checked with end here: the plan holds functions of unknown values. */
type Erased<R> = operators.RecordCallback<R>

export class PlannedStream<K, V> implements KStream<K, V> {
  readonly #state: StreamState

  constructor(state: StreamState) {
    this.#state = state
  }

  filter<S extends V>(predicate: (value: V, key: K) => value is S, options?: OperatorOptions): KStream<K, S>
  filter(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V>
  filter(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V> {
    return this.#add('KSTREAM-FILTER-', options, operators.filter(predicate as Erased<boolean>, true))
  }

  filterNot(predicate: (value: V, key: K) => boolean, options?: OperatorOptions): KStream<K, V> {
    return this.#add('KSTREAM-FILTER-', options, operators.filter(predicate as Erased<boolean>, false))
  }

  mapValues<V2>(mapper: (value: V, key: K) => V2, options?: OperatorOptions): KStream<K, V2> {
    return this.#add('KSTREAM-MAPVALUES-', options, operators.mapValues(mapper as Erased<V2>), 'value')
  }

  flatMapValues<V2>(mapper: (value: V, key: K) => readonly V2[], options?: OperatorOptions): KStream<K, V2> {
    const create = operators.flatMapValues(mapper as Erased<readonly V2[]>)
    return this.#add('KSTREAM-FLATMAPVALUES-', options, create, 'value')
  }

  map<K2, V2>(mapper: (value: V, key: K) => readonly [K2, V2], options?: OperatorOptions): KStream<K2, V2> {
    return this.#add('KSTREAM-MAP-', options, operators.map(mapper as Erased<readonly [K2, V2]>), 'key', 'value')
  }

  flatMap<K2, V2>(
    mapper: (value: V, key: K) => readonly (readonly [K2, V2])[],
    options?: OperatorOptions,
  ): KStream<K2, V2> {
    const create = operators.flatMap(mapper as Erased<readonly (readonly [K2, V2])[]>)
    return this.#add('KSTREAM-FLATMAP-', options, create, 'key', 'value')
  }

  selectKey<K2>(mapper: (value: V, key: K) => K2, options?: OperatorOptions): KStream<K2, V> {
    return this.#add('KSTREAM-KEY-SELECT-', options, operators.selectKey(mapper as Erased<K2>), 'key')
  }

  peek(action: (value: V, key: K) => void, options?: OperatorOptions): KStream<K, V> {
    return this.#add('KSTREAM-PEEK-', options, operators.peek(action as Erased<void>))
  }

  foreach(action: (value: V, key: K) => void, options?: OperatorOptions): void {
    this.#add('KSTREAM-FOREACH-', options, operators.peek(action as Erased<void>))
  }

  merge(other: KStream<K, V>, options: OperatorOptions = {}): KStream<K, V> {
    const { plan, node, ...mine } = this.#state
    if (!(other instanceof PlannedStream) || other.#state.plan !== plan) {
      throw new MillraceError('INVALID_TOPOLOGY', 'A stream can only be merged with one of the same StreamsBuilder', {
        at: { operator: node.name },
        remedy: 'Begin both streams with the same builder.',
      })
    }
    const { node: otherNode, ...others } = other.#state
    const name = plan.names.operator('KSTREAM-MERGE-', options.name)
    return plan.openStream({
      plan,
      node: plan.addProcessor(name, operators.passThrough, [node, otherNode]),
      key: sameSerde(mine.key, others.key, name),
      value: sameSerde(mine.value, others.value, name),
      keyChanged: mine.keyChanged || others.keyChanged,
    })
  }

  groupByKey(options: GroupByKeyOptions<NonNullable<K>, V> = {}): KGroupedStream<NonNullable<K>, V> {
    return this.#group<NonNullable<K>>('groupByKey', options)
  }

  groupBy<K2>(
    selector: (value: V, key: K) => NoInfer<K2> | null | undefined,
    options: GroupByOptions<K2, V>,
  ): KGroupedStream<K2, V> {
    const named = options.name === undefined ? {} : { name: options.name }
    const create = operators.selectKey(selector as Erased<unknown>)
    return this.#add<K2, V>('KSTREAM-KEY-SELECT-', named, create, 'key').#group<K2>('groupBy', options)
  }

  to(topic: SinkTopic<Exclude<K, null>, Exclude<V, null>>, options: OperatorOptions = {}): void {
    const { plan, node } = this.#state
    const name = plan.names.operator('KSTREAM-SINK-', options.name)
    plan.add<SinkPlan>({ kind: 'sink', name, topic }, [node])
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
    return new PlannedStream<K2, V2>({
      plan,
      node: plan.addProcessor(name, create, [node]),
      key: makes.includes('key') ? unknown : key,
      value: makes.includes('value') ? unknown : value,
      keyChanged: keyChanged || makes.includes('key'),
    })
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

/** Either stream's serde would do for both only where it is the same. */
function sameSerde(a: TrackedSerde, b: TrackedSerde, madeBy: string): TrackedSerde {
  return { serde: a.serde === b.serde ? a.serde : undefined, madeBy }
}
