import { requireOptions, requireTopic, requireTopics } from '../arguments.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { Topic, TopicPattern } from '../topic.ts'
import type { SinkSerde, SinkTopic } from '../topology/node-topic.ts'
import type { ChosenTopicFormat, SinkOptions, TopicNameExtractor } from '../topology/sink-options.ts'
import type { SourceOptions } from '../topology/source-options.ts'
import type { Topology } from '../topology/topology.ts'
import { TopologyDraft } from '../topology/topology-draft.ts'
import type { ProcessorSupplier } from './processor.ts'
import { processorSteps } from './processor-step.ts'

/** A source or processor that others can take records of keys `K` and values `V` from. */
export interface ParentNode<out K, out V> {
  readonly name: string
  /** Never there: it carries the types of what the node hands on. */
  readonly records?: readonly [K, V]
}

/** One parent, or several that hand on the same types. */
export type Parents<K, V> = ParentNode<K, V> | readonly ParentNode<K, V>[]

export interface AddProcessorOptions<KIn, VIn, KOut, VOut> {
  /** The nodes that it takes records from. */
  readonly parents: Parents<KIn, VIn>
  /** The stores that it uses. Processors that share a store run in the same tasks. */
  readonly stores?: readonly StoreDeclaration[]
  /** Says the type of the keys that are handed on. Default: that of the keys that come in. */
  readonly key?: Serde<KOut>
  /** Says the type of the values that are handed on. Default: that of the values that come in. */
  readonly value?: Serde<VOut>
}

type SinkFormat = ChosenTopicFormat<SinkSerde<unknown>, SinkSerde<unknown>>

export interface AddSinkOptions<K, V> extends SinkOptions<K, V> {
  /** The nodes that it takes records from. */
  readonly parents: Parents<K, V>
}

/**
 * Writes a topology by hand, node by node: sources, processors of your own, sinks and stores. What a method returns stands
 * for its node, and carries the types of what the node hands on. Every method refuses what would not run, naming the node,
 * with MillraceError INVALID_TOPOLOGY. After Kafka Streams' Topology.
 */
export class TopologyBuilder {
  readonly #draft = new TopologyDraft()

  /** Reads a topic, several topics that were declared with the same serdes and timestamp, or all with names of a pattern. */
  addSource<K, V>(
    name: string,
    topic: Topic<K, V> | readonly Topic<K, V>[] | TopicPattern<K, V>,
    options: SourceOptions<K, V> = {},
  ): ParentNode<K, V> {
    requireTopics('addSource', topic)
    this.#draft.addSource(name, topic, options)
    return { name }
  }

  /** Adds a processor, of which each task has one of its own. */
  addProcessor<KIn, VIn, KOut = KIn, VOut = VIn>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    options: AddProcessorOptions<KIn, VIn, KOut, VOut>,
  ): ParentNode<KOut, VOut> {
    requireOptions('addProcessor(...)', options, 'the nodes that it takes records from: { parents }')
    const { parents, stores = [] } = options
    this.#draft.addProcessor(name, processorSteps(supplier, name), { parents: namesOf(parents) })
    for (const store of stores) this.#draft.addStateStore(store, [name])
    return { name }
  }

  /** Writes what the parents hand on to a topic, or each record to the topic that a function chooses for it. */
  addSink<K, V, T extends SinkTopic<Exclude<K, null>, Exclude<V, null>> | TopicNameExtractor<K, V>>(
    name: string,
    topic: T,
    options: AddSinkOptions<K, V> &
      (T extends TopicNameExtractor<K, V>
        ? ChosenTopicFormat<SinkSerde<Exclude<K, null>>, SinkSerde<Exclude<V, null>>>
        : unknown),
  ): void {
    requireOptions('addSink(...)', options, 'the nodes that it takes records from: { parents }')
    const parents = namesOf(options.parents)
    if (typeof topic !== 'function') requireTopic('addSink', topic)
    if (typeof topic !== 'function') this.#draft.addSink(name, topic, parents, options)
    else this.#draft.addDynamicSink(name, topic, options as unknown as SinkFormat, parents, options)
  }

  /** Adds a store for processors that are there already. */
  addStateStore(store: StoreDeclaration, ...processors: readonly ParentNode<unknown, unknown>[]): void {
    this.#draft.addStateStore(
      store,
      processors.map((processor) => processor.name),
    )
  }

  /** Lets a processor use stores that are there already. */
  connect(processor: ParentNode<unknown, unknown>, ...stores: readonly StoreDeclaration[]): void {
    this.#draft.connect(processor.name, ...stores.map((store) => store.name))
  }

  /**
   * Adds a store that every task can read, as `context.readOnlyStore(store)`, and that a processor fills from all partitions
   * of a topic: it is given all records at each start. It can hand on nothing and schedule nothing.
   */
  addGlobalStore<K, V>(
    store: StoreDeclaration,
    topic: Topic<K, V>,
    supplier: ProcessorSupplier<K, V, never, never>,
    names: { readonly source: string; readonly processor: string },
    options: Pick<SourceOptions<K, V>, 'timestamp' | 'invalidTimestamp'> = {},
  ): void {
    this.#draft.addGlobalStore(store, topic, processorSteps(supplier, names.processor), names, options)
  }

  /**
   * Adds a store that a processor fills from a topic, each task its own part from its own partition. The topic, which should be
   * compacted, is the store's changelog: after a restart its records up to the last commit go through the processor once more
   * before anything else runs, so it must make of them only what the store holds. It can hand on nothing and has no other
   * store; what it changes in punctuations is not restored. Other processors that are connected with the store read it, as
   * `context.readOnlyStore(store)`. Returns the topic's source, for others that take its records; they get each after the
   * store has. After Kafka Streams' addReadOnlyStateStore (KIP-813).
   */
  addReadOnlyStateStore<K, V>(
    store: StoreDeclaration,
    topic: Topic<K, V>,
    supplier: ProcessorSupplier<K, V, never, never>,
    names: { readonly source: string; readonly processor: string },
    options: Pick<SourceOptions<K, V>, 'timestamp' | 'invalidTimestamp'> = {},
  ): ParentNode<K, V> {
    this.#draft.addReadOnlyStateStore(store, topic, processorSteps(supplier, names.processor), names, options)
    return { name: names.source }
  }

  /**
   * The topology, to be run or described.
   * @throws MillraceError INVALID_TOPOLOGY where it could not run
   */
  build(): Topology {
    return this.#draft.build()
  }
}

function namesOf(parents: Parents<unknown, unknown>): string[] {
  requireOptions('The node', parents, 'the nodes that it takes records from: { parents }')
  return 'name' in parents ? [parents.name] : parents.map((parent) => parent.name)
}
