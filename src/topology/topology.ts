import type { Compression } from '../record/compression.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { Processor } from './processor.ts'
import type { StreamPartitioner, TopicNameExtractor } from './sink-options.ts'
import type { InvalidTimestampPolicy, OffsetReset, TimestampExtractor } from './source-options.ts'

/** What will run, as plain data: nodes, the stores they share, and the sub-topologies they fall into. */
export interface Topology {
  readonly subTopologies: readonly SubTopology[]
  /** Those that fill a global store: not run by tasks, but by each process, for all partitions of their topic. */
  readonly globalStores: readonly SubTopology[]
  /** Topics that users declared and the topology reads or writes, to be created where they do not exist. */
  readonly topics: readonly UserTopic[]
  /** Groups of topics that must have the same number of partitions, because their records are joined by key. */
  readonly copartitioned: readonly (readonly TopicReference[])[]
  /** The topology as text: `'kafka'` (default) is Kafka Streams' own form, byte for byte; the others are to be drawn or read by tools. */
  describe(format?: DescriptionFormat): string
}

export type DescriptionFormat = 'kafka' | 'mermaid' | 'dot' | 'json'

/** Nodes that exchange records in memory: the unit that a task runs for one partition. */
export interface SubTopology {
  readonly id: number
  /** In the order in which they were added: parents before their children. */
  readonly nodes: readonly TopologyNode[]
  readonly stores: readonly StoreDeclaration[]
  readonly isGlobal: boolean
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode | DynamicSinkNode

export interface SourceNode {
  readonly kind: 'source'
  readonly name: string
  readonly topics: readonly TopicReference[]
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Where it reads all topics of names that match wholly; `topics` are then those that were found. */
  readonly pattern: RegExp | undefined
  /** Event time read from the record; undefined takes the record's timestamp. */
  readonly timestamp: TimestampExtractor<unknown, unknown> | 'wall-clock' | undefined
  /** undefined leaves it to the application. */
  readonly invalidTimestamp: InvalidTimestampPolicy | undefined
  readonly offsetReset: OffsetReset
  /** Whether it fills a global store. */
  readonly isGlobal: boolean
  /** The store that its first child fills with its records: its topic is then that store's changelog. */
  readonly fills: string | undefined
  readonly children: readonly string[]
}

export interface ProcessorNode {
  readonly kind: 'processor'
  readonly name: string
  /** Makes the processor of one task; a new one at every call. */
  readonly create: () => Processor
  readonly stores: readonly string[]
  readonly parents: readonly string[]
  readonly children: readonly string[]
  /** Those of the children that `output` leaves out: only `outputTo` reaches them. */
  readonly sideChildren?: readonly string[]
}

export interface SinkNode {
  readonly kind: 'sink'
  readonly name: string
  readonly topic: TopicReference
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** How its batches are compressed. */
  readonly compression: Compression
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined
  readonly parents: readonly string[]
}

/** A sink whose topic is chosen for each record. */
export interface DynamicSinkNode {
  readonly kind: 'dynamic-sink'
  readonly name: string
  readonly choose: TopicNameExtractor<unknown, unknown>
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly compression: Compression
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined
  readonly parents: readonly string[]
}

/** Internal topics are named without the application id, which is put before them when they are created. */
export interface TopicReference {
  readonly name: string
  readonly internal: boolean
  /** Of an internal topic for which the user chose it. */
  readonly partitions?: number
}

export interface UserTopic {
  readonly name: string
  readonly partitions: number
  /** Kafka's topic settings to create it with. */
  readonly config: Readonly<Record<string, string>>
}
