import { toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { Topic, TopicPattern } from '../topic.ts'
import { descriptionOf } from './description.ts'
import { requireNodeName } from './node-name.ts'
import {
  isOfPattern,
  isRepartitionTopic,
  type RepartitionTopic,
  type SinkSerde,
  type SinkTopic,
  type SourceTopic,
  timestampOf,
} from './node-topic.ts'
import type { Processor } from './processor.ts'
import type { ChosenTopicFormat, SinkOptions, StreamPartitioner, TopicNameExtractor } from './sink-options.ts'
import type { SourceOptions, TimestampExtractor } from './source-options.ts'
import { groupIntoSubTopologies } from './sub-topologies.ts'
import type {
  DynamicSinkNode,
  ProcessorNode,
  SinkNode,
  SourceNode,
  TopicReference,
  Topology,
  TopologyNode,
  UserTopic,
} from './topology.ts'

export interface ProcessorOptions {
  /** Names of the nodes that it takes records from; added before it. */
  readonly parents: readonly string[]
  /** Names of the stores that it uses; added before it. */
  readonly stores?: readonly string[]
  /** Children that its `output` leaves out; added after it. */
  readonly sideChildren?: readonly string[]
}

type Draft<N> = { -readonly [P in keyof N]: N[P] extends readonly string[] ? string[] : N[P] }
type NodeDraft = Draft<SourceNode> | Draft<ProcessorNode> | Draft<SinkNode> | Draft<DynamicSinkNode>

/**
 * Puts a topology together node by node, parents first: what the DSL and TopologyBuilder compile to. Every method refuses what
 * would not run, naming the node, with MillraceError INVALID_TOPOLOGY. After Kafka Streams' Topology.
 */
export class TopologyDraft {
  readonly #nodes = new Map<string, NodeDraft>()
  readonly #stores = new Map<string, StoreDeclaration>()
  readonly #globalStores = new Set<string>()
  /** The processors that fill read-only stores. */
  readonly #filling = new Set<string>()
  /** By topic, the source that reads it. */
  readonly #readers = new Map<string, string>()
  /** What users declared, by name. */
  readonly #topics = new Map<string, UserTopic>()
  readonly #copartitioned: (readonly string[])[] = []

  /** Reads topics. Several topics of one source share their serdes and their event time function. */
  addSource<K, V>(
    name: string,
    topic: SourceTopic<K, V> | readonly SourceTopic<K, V>[] | TopicPattern<K, V>,
    options: SourceOptions<K, V> = {},
  ): this {
    this.#requireNewNode(name)
    if ('pattern' in topic) return this.#addPatternSource(name, topic, options)
    const topics: readonly SourceTopic<K, V>[] = isList(topic) ? topic : [topic]
    const first = topics[0]
    if (first === undefined) throw invalid(name, 'The source has no topic', 'Give it at least one.')
    for (const each of topics) {
      const reader = this.#readers.get(each.name)
      if (reader !== undefined) throw readTwice(name, each.name, reader)
      if (!readAlike(first, each)) throw readDifferently(name, first.name, each.name)
      this.#readers.set(each.name, name)
      this.#declareTopic(name, each)
    }
    for (const { name: other, pattern } of this.#patternSources()) {
      const matching = topics.find((each) => isOfPattern(each.name, pattern))
      if (matching !== undefined) throw readTwice(name, matching.name, other)
    }
    const { key, value } = first
    this.#setSource(
      name,
      { topics: topics.map(referenceTo), pattern: undefined, key, value },
      timestampOf(first),
      options,
    )
    return this
  }

  #addPatternSource<K, V>(name: string, topics: TopicPattern<K, V>, options: SourceOptions<K, V>): this {
    const { pattern, key, value, timestamp } = topics
    for (const [topic, reader] of this.#readers) {
      if (isOfPattern(topic, pattern)) throw readTwice(name, topic, reader)
    }
    this.#setSource(name, { topics: [], pattern, key, value }, timestamp, options)
    return this
  }

  #setSource<K, V>(
    name: string,
    read: Pick<SourceNode, 'topics' | 'pattern' | 'key' | 'value'>,
    ofTopic: TimestampExtractor<K, V> | undefined,
    { timestamp = ofTopic, invalidTimestamp, offsetReset = 'earliest' }: SourceOptions<K, V>,
  ): void {
    if (typeof offsetReset === 'object') toMilliseconds(offsetReset.by, 'age')
    this.#nodes.set(name, {
      kind: 'source',
      name,
      ...read,
      // The types were K and V when the topic was declared; nodes do not carry them.
      timestamp: timestamp as SourceNode['timestamp'],
      invalidTimestamp,
      offsetReset,
      isGlobal: false,
      fills: undefined,
      children: [],
    })
  }

  #patternSources(): { name: string; pattern: RegExp }[] {
    return [...this.#nodes.values()].flatMap((node) =>
      node.kind === 'source' && node.pattern !== undefined ? [{ name: node.name, pattern: node.pattern }] : [],
    )
  }

  /**
   * Adds a store that every task can read, filled by a processor from all partitions of a topic. `names` are those of the
   * source and the processor.
   */
  addGlobalStore<K, V>(
    store: StoreDeclaration,
    topic: Topic<K, V>,
    create: () => Processor,
    names: { readonly source: string; readonly processor: string },
    options: Pick<SourceOptions<K, V>, 'timestamp' | 'invalidTimestamp'> = {},
  ): this {
    if (this.#stores.has(store.name)) throw storeTwice(store.name)
    this.addSource(names.source, topic, options)
    const source = this.#nodes.get(names.source) as Draft<SourceNode>
    source.isGlobal = true
    this.addProcessor(names.processor, create, { parents: [names.source] })
    this.addStateStore(store, [names.processor])
    this.#globalStores.add(store.name)
    return this
  }

  /**
   * Adds a store that a processor fills from a source topic, which is its changelog (KIP-813). Other processors that are connected
   * with it only read it, and others may take the source's records after it.
   */
  addReadOnlyStateStore<K, V>(
    store: StoreDeclaration,
    topic: Topic<K, V>,
    create: () => Processor,
    names: { readonly source: string; readonly processor: string },
    options: Pick<SourceOptions<K, V>, 'timestamp' | 'invalidTimestamp'> = {},
  ): this {
    if (this.#stores.has(store.name)) throw storeTwice(store.name)
    this.addSource(names.source, topic, options)
    this.addProcessor(names.processor, create, { parents: [names.source] })
    this.addStateStore(store, [names.processor])
    const source = this.#nodes.get(names.source) as Draft<SourceNode>
    source.fills = store.name
    this.#filling.add(names.processor)
    return this
  }

  /** Adds a step. `create` makes the processor of one task: a new one at every call. */
  addProcessor(name: string, create: () => Processor, options: ProcessorOptions): this {
    this.#requireNewNode(name)
    this.#requireParents(name, options.parents)
    this.#nodes.set(name, {
      kind: 'processor',
      name,
      create,
      stores: [],
      parents: [...options.parents],
      children: [],
      ...(options.sideChildren === undefined ? {} : { sideChildren: [...options.sideChildren] }),
    })
    this.#addToParents(name, options.parents)
    for (const store of options.stores ?? []) this.connect(name, store)
    return this
  }

  /** Writes to a topic what the parents hand on. */
  addSink<K, V>(
    name: string,
    topic: SinkTopic<K, V> | RepartitionTopic<K, V>,
    parents: readonly string[],
    { partitioner }: SinkOptions<never, never> = {},
  ): this {
    this.#requireNewNode(name)
    this.#requireParents(name, parents)
    this.#declareTopic(name, topic)
    this.#nodes.set(name, {
      kind: 'sink',
      name,
      topic: referenceTo(topic),
      key: topic.key as Serde<unknown>,
      value: topic.value as Serde<unknown>,
      compression: isRepartitionTopic(topic) ? 'none' : topic.compression,
      partitioner: partitioner as StreamPartitioner<unknown, unknown> | undefined,
      parents: [...parents],
    })
    this.#addToParents(name, parents)
    return this
  }

  /** Writes what the parents hand on to a topic that is chosen for each record. */
  addDynamicSink<K, V>(
    name: string,
    choose: TopicNameExtractor<never, never>,
    format: ChosenTopicFormat<SinkSerde<K>, SinkSerde<V>>,
    parents: readonly string[],
    { partitioner }: SinkOptions<never, never> = {},
  ): this {
    this.#requireNewNode(name)
    this.#requireParents(name, parents)
    this.#nodes.set(name, {
      kind: 'dynamic-sink',
      name,
      choose: choose as TopicNameExtractor<unknown, unknown>,
      key: format.key as Serde<unknown>,
      value: format.value as Serde<unknown>,
      compression: format.compression ?? 'none',
      partitioner: partitioner as StreamPartitioner<unknown, unknown> | undefined,
      parents: [...parents],
    })
    this.#addToParents(name, parents)
    return this
  }

  /** Adds a store, used by the processors. */
  addStateStore(store: StoreDeclaration, processors: readonly string[] = []): this {
    requireNodeName(store.name, 'store')
    const existing = this.#stores.get(store.name)
    const kept = existing === undefined ? store : theSameStore(existing, store)
    if (kept === undefined) throw storeTwice(store.name)
    this.#stores.set(store.name, kept)
    for (const processor of processors) this.connect(processor, store.name)
    return this
  }

  /** Lets a processor use stores. Processors that share a store run in the same tasks. */
  connect(processor: string, ...stores: readonly string[]): this {
    const node = this.#nodes.get(processor)
    if (node === undefined) throw invalid(processor, 'There is no such processor', 'Add it before connecting a store.')
    if (node.kind !== 'processor') {
      throw invalid(processor, `A ${node.kind} cannot use a store`, 'Connect the store to a processor.')
    }
    if (this.#filling.has(processor)) {
      throw invalid(processor, 'The processor fills a read-only store', 'Use other stores in a processor of their own.')
    }
    for (const store of stores) {
      if (this.#globalStores.has(store)) {
        throw invalid(processor, `The store '${store}' is global`, 'Every processor can read it, without a connection.')
      }
      if (!this.#stores.has(store)) {
        throw invalid(processor, `The store '${store}' does not exist`, `Call addStateStore('${store}') first.`)
      }
      if (!node.stores.includes(store)) node.stores.push(store)
    }
    return this
  }

  /** Requires the topics of the sources to have the same number of partitions, because their records are joined by key. */
  copartition(sources: readonly string[]): this {
    for (const source of sources) {
      if (this.#nodes.get(source)?.kind !== 'source') {
        throw invalid(
          source,
          'There is no such source',
          'Add it before its topics are required to be partitioned alike.',
        )
      }
    }
    this.#copartitioned.push([...sources])
    return this
  }

  build(): Topology {
    if (this.#readers.size === 0 && this.#patternSources().length === 0) {
      throw new MillraceError('INVALID_TOPOLOGY', 'The topology reads no topic', { remedy: 'Add a source.' })
    }
    const nodes = [...this.#nodes.values()].map(finished)
    const used = new Set(nodes.flatMap((node) => (node.kind === 'processor' ? node.stores : [])))
    for (const store of this.#stores.keys()) {
      if (used.has(store)) continue
      throw new MillraceError('INVALID_TOPOLOGY', 'No processor uses the store', {
        at: { store },
        remedy: 'Connect it to a processor or leave it out.',
      })
    }
    const groups = groupIntoSubTopologies(nodes, [...this.#stores.values()])
    return {
      subTopologies: groups.filter((group) => !group.isGlobal),
      globalStores: groups.filter((group) => group.isGlobal),
      topics: [...this.#topics.values()],
      copartitioned: this.#copartitioned.map((sources) => sources.flatMap((source) => this.#topicsOf(source))),
      describe: (format = 'kafka') => descriptionOf(groups, format),
    }
  }

  #topicsOf(source: string): readonly TopicReference[] {
    const node = this.#nodes.get(source)
    return node?.kind === 'source' ? node.topics : []
  }

  #requireNewNode(name: string): void {
    if (name === '') throw invalid(name, 'A node has an empty name', 'Name it.')
    if (!this.#nodes.has(name)) return
    throw invalid(name, 'Another node has this name', 'Give one of the two another name.')
  }

  #requireParents(name: string, parents: readonly string[]): void {
    if (parents.length === 0)
      throw invalid(name, 'The node has no parent', 'Name at least one node to take records from.')
    for (const parent of parents) {
      const node = this.#nodes.get(parent)
      if (node?.kind === 'source' && node.isGlobal && node.children.length > 0) {
        throw invalid(name, `The source '${parent}' fills a global store`, 'Read another topic, or look the store up.')
      }
      if (this.#filling.has(parent)) {
        throw invalid(name, `The parent '${parent}' fills a read-only store, and hands nothing on`, 'Take its source.')
      }
      if (node === undefined) {
        throw invalid(name, `The parent '${parent}' does not exist`, 'Add parents before their children.')
      }
      if (!('children' in node)) {
        throw invalid(
          name,
          `The parent '${parent}' is a sink, which hands nothing on`,
          "Take the sink's parent instead.",
        )
      }
    }
  }

  #addToParents(name: string, parents: readonly string[]): void {
    for (const parent of parents) {
      const node = this.#nodes.get(parent)
      if (node !== undefined && 'children' in node && !node.children.includes(name)) node.children.push(name)
    }
  }

  #declareTopic<K, V>(node: string, topic: SourceTopic<K, V> | SinkTopic<K, V>): void {
    if (isRepartitionTopic(topic)) return
    const { name, config } = topic
    const partitions = this.#topics.get(name)?.partitions ?? topic.partitions
    if (partitions !== topic.partitions) {
      throw invalid(
        node,
        `The topic '${topic.name}' is declared with ${partitions} partitions and with ${topic.partitions}`,
        'Declare it once and use that declaration everywhere.',
      )
    }
    if (!this.#topics.has(name)) this.#topics.set(name, { name, partitions, config })
  }
}

/** A copy that later calls of the builder do not change. */
function finished(node: NodeDraft): TopologyNode {
  if (!('children' in node)) return { ...node }
  if (node.kind === 'source') return { ...node, children: [...node.children] }
  return { ...node, stores: [...node.stores], children: [...node.children] }
}

function referenceTo(topic: { readonly name: string; readonly partitions?: number }): TopicReference {
  if (!isRepartitionTopic(topic)) return { name: topic.name, internal: false }
  const { name, partitions } = topic
  return { name, internal: true, ...(partitions === undefined ? {} : { partitions }) }
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one)
}

function readAlike<K, V>(a: SourceTopic<K, V>, b: SourceTopic<K, V>): boolean {
  return a.key === b.key && a.value === b.value && timestampOf(a) === timestampOf(b)
}

function readTwice(source: string, topic: string, reader: string): MillraceError {
  return invalid(
    source,
    `The topic '${topic}' is already read by '${reader}'`,
    'Read a topic with one source, and take its records from there as often as needed.',
  )
}

function readDifferently(source: string, first: string, other: string): MillraceError {
  return invalid(
    source,
    `The topics '${first}' and '${other}' of one source have different serdes or timestamp functions`,
    'Declare both with the same serde objects and function, or read them with a source each and merge.',
  )
}

/** Of two declarations of a name the one that counts, where one is what an operator made of the other; undefined where they differ. */
function theSameStore(a: StoreDeclaration, b: StoreDeclaration): StoreDeclaration | undefined {
  if (a === b || a.declaredAs === b) return a
  return b.declaredAs === a ? b : undefined
}

function storeTwice(store: string): MillraceError {
  return new MillraceError('INVALID_TOPOLOGY', `Another store is already named '${store}'`, {
    at: { store },
    remedy: 'Give one of the two another name.',
  })
}

function invalid(node: string, what: string, remedy: string): MillraceError {
  return new MillraceError('INVALID_TOPOLOGY', what, { at: { operator: node }, remedy })
}
