/**
 * The logical plan: what the user wrote, as a graph of operators, before it is compiled to a topology. Operators are added
 * in the order of the user's calls, and parents always before their children.
 */
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { Topic, TopicPattern } from '../topic.ts'
import type { RepartitionTopic, SinkSerde, SinkTopic } from '../topology/node-topic.ts'
import type { Processor } from '../topology/processor.ts'
import type { ChosenTopicFormat, SinkOptions, StreamPartitioner, TopicNameExtractor } from '../topology/sink-options.ts'
import type { SourceOptions } from '../topology/source-options.ts'
import { NodeNames } from './node-names.ts'
import type { KStream } from './streams.ts'
import type { TableRows } from './table-rows.ts'
import type { TrackedSerde } from './tracked-serde.ts'
import type { WindowShape } from './window-shape.ts'

interface PlanLinks {
  /** Its name as a parent of others. */
  readonly name: string
  readonly parents: PlanNode[]
  /** Nodes are written to the topology in this order as far as their parents allow. */
  priority: number
  /** The other side of a join, which in Kafka Streams is one node with this: neither is written before the parents of both are. */
  otherSide: PlanNode | undefined
}

export interface SourcePlan extends PlanLinks {
  readonly kind: 'source'
  readonly topics: readonly Topic<unknown, unknown>[]
  /** In place of the topics. */
  readonly pattern: TopicPattern<unknown, unknown> | undefined
  readonly options: SourceOptions<unknown, unknown>
  /** A table's topic is read by the table alone, as in Kafka Streams. */
  readonly isTable: boolean
}

export interface ProcessorPlan extends PlanLinks {
  readonly kind: 'processor'
  readonly create: () => Processor
  /** Its own stores. A table that others look rows up in gets one later. */
  readonly stores: StoreDeclaration[]
  /** A sink that only gets what the processor sends to it by name. */
  readonly lateChild: string | undefined
  /** The table that the processor looks rows up in, and the stores that it reads for that. */
  readonly looksUp: { readonly table: PlanNode; readonly stores: readonly string[] } | undefined
  /** Whether it joins records by key, so that the topics of all its parents must be partitioned alike. */
  readonly joinsPartitions: boolean
  /** Whether records without a key have a meaning for it, so that repartition topics before it must carry them. */
  readonly takesNullKeys: boolean
  /** Whether its stores hold what its records say and nothing else, so that these can be read again in place of a changelog. */
  readonly keepsRecords: boolean
  /** What of the stream's records is another behind it; undefined where it is more than a step of a stream. */
  readonly changes: 'key' | 'value' | 'nothing' | undefined
  /** Of the last operator of a join of streams: what it is where both are one stream, if that can be said more simply. */
  readonly selfJoin: SelfJoinPlan | undefined
}

/** A join of a stream with itself, with one store. */
export interface SelfJoinPlan {
  readonly create: () => Processor
  readonly store: StoreDeclaration
  /** The operators that hand their records to the join. */
  readonly thisWindow: ProcessorPlan
  readonly otherWindow: ProcessorPlan
}

type ProcessorParts = Partial<
  Pick<
    ProcessorPlan,
    'stores' | 'lateChild' | 'looksUp' | 'joinsPartitions' | 'takesNullKeys' | 'keepsRecords' | 'changes' | 'selfJoin'
  >
>

/** Out to a topic and in again: a filter of records without a key, a sink, and a source that bears the node's name. */
export interface RepartitionPlan extends PlanLinks {
  readonly kind: 'repartition'
  readonly topic: RepartitionTopic<unknown, unknown>
  readonly partitioner?: StreamPartitioner<never, never>
  /** undefined for changes of a table, which always have a key. */
  readonly filterName: string | undefined
  readonly sinkName: string
  /** Whether it may be one with others: not where the user asked for it. */
  readonly isMergeable: boolean
  /** Whether records without a key are carried, whatever is behind it. */
  readonly keepsNullKeys: boolean
}

export interface SinkPlan extends PlanLinks {
  readonly kind: 'sink'
  readonly options?: SinkOptions<never, never>
  readonly topic: SinkTopic<never, never>
}

/** A source and a processor that fill a global store; nothing follows them. */
export interface GlobalStorePlan extends PlanLinks {
  readonly kind: 'global-store'
  readonly sourceName: string
  readonly topic: Topic<unknown, unknown>
  readonly options: SourceOptions<unknown, unknown>
  readonly store: StoreDeclaration
  readonly create: () => Processor
}

/** A sink whose topic is chosen for each record. */
export interface DynamicSinkPlan extends PlanLinks {
  readonly kind: 'dynamic-sink'
  readonly choose: TopicNameExtractor<never, never>
  readonly options: ChosenTopicFormat<SinkSerde<never>, SinkSerde<never>> & SinkOptions<never, never>
}

export type PlanNode = GlobalStorePlan | SourcePlan | ProcessorPlan | RepartitionPlan | SinkPlan | DynamicSinkPlan

/** A stream as the plan knows it. */
export interface StreamState {
  readonly plan: Plan
  readonly node: PlanNode
  readonly key: TrackedSerde
  readonly value: TrackedSerde
  /** Whether records may lie in a partition that is not their key's. */
  readonly keyChanged: boolean
}

/** A grouped stream, as it and its windowed forms share it. */
export interface GroupedState extends StreamState {
  /** The user's name for the repartition topic. */
  readonly name: string | undefined
  /** What the user called, for error messages. */
  readonly method: 'groupByKey' | 'groupBy'
  /** The repartition that was made last; one with a name of the user's serves all aggregations. */
  repartition: RepartitionPlan | undefined
}

/** A table grouped by a new key; its node hands on changes of rows. */
export interface GroupedTableState {
  readonly plan: Plan
  readonly node: PlanNode
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** The user's name for the repartition topic. */
  readonly name: string | undefined
}

/** A table as the plan knows it. `key` is the serde of the keys without their windows. */
export interface TableState {
  readonly plan: Plan
  readonly node: PlanNode
  readonly key: TrackedSerde
  readonly value: TrackedSerde
  readonly shape: WindowShape | undefined
  readonly engine: StoreEngineFactory | undefined
  readonly rows: TableRows
  /** The name of the store with its rows, where users may know it. */
  readonly queryableStoreName: string | undefined
}

export type Unlinked<N extends PlanNode> = N extends PlanNode ? Omit<N, keyof Omit<PlanLinks, 'name'>> : never

export class Plan {
  readonly names: NodeNames = new NodeNames()
  readonly nodes: PlanNode[] = []
  /** Makes the stream over a state. Handed in, because tables lead back to streams. */
  readonly openStream: <K, V>(state: StreamState) => KStream<K, V>
  #priority = 0

  constructor(openStream: <K, V>(state: StreamState) => KStream<K, V>) {
    this.openStream = openStream
  }

  add<N extends PlanNode>(unlinked: Unlinked<N>, parents: readonly PlanNode[]): N {
    const links = { parents: [...new Set(parents)], priority: this.#priority++, otherSide: undefined }
    const node = { ...unlinked, ...links } as unknown as N
    this.nodes.push(node)
    return node
  }

  /** Takes a place after all nodes so far for a node that is used once more, as Kafka Streams does. */
  postpone(node: PlanNode): void {
    node.priority = this.#priority++
  }

  /** Makes two operators the sides of one join. */
  pair(one: PlanNode, other: PlanNode): void {
    one.otherSide = other
    other.otherSide = one
  }

  addProcessor(
    name: string,
    create: () => Processor,
    parents: readonly PlanNode[],
    {
      stores = [],
      lateChild,
      looksUp,
      joinsPartitions = false,
      takesNullKeys = false,
      keepsRecords = false,
      changes,
      selfJoin,
    }: ProcessorParts = {},
  ): ProcessorPlan {
    const node = {
      kind: 'processor',
      name,
      create,
      stores,
      lateChild,
      looksUp,
      joinsPartitions,
      takesNullKeys,
      keepsRecords,
      changes,
      selfJoin,
    } as const
    return this.add<ProcessorPlan>(node, parents)
  }
}
