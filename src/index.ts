// Public types have buffers in them: a program whose settings name no types of Node has them by this.
/// <reference types="node" preserve="true" />
import type { ClusterEvent } from './cluster/cluster-event.ts'
import { connect as connectCluster } from './cluster/connect.ts'
import { Connection } from './cluster/connection.ts'
import type { Environment } from './env/environment.ts'
import { nodeEnvironment } from './env/node.ts'
import type { AuthorizerOptions, ListenOptions } from './listener-options.ts'
import type { Application } from './runtime/application.ts'
import { runTopology } from './runtime/run.ts'
import { type RunOptions, requireRunOptions } from './runtime/run-options.ts'
import { lmdbEngine } from './state/lmdb-engine.ts'
import { memoryEngine } from './state/memory-engine.ts'
import type { Topology } from './topology/topology.ts'

export { ByteWriter } from './bytes/byte-writer.ts'
// Read and write topics
export type { Cluster, Isolation, OffsetRange, TopicDescription, TopicPartition, TopicSpec } from './cluster/cluster.ts'
export type {
  ClusterEvent,
  CompactionFailed,
  DamageQuarantined,
  DirectoryOffline,
  TornTailCut,
} from './cluster/cluster-event.ts'
export { Connection } from './cluster/connection.ts'
export type { ConsumedRecord, ConsumeOptions } from './cluster/consumer.ts'
export type { Producer, ProducerOptions, ProducerRecord } from './cluster/producer.ts'
// Write a topology
export { JoinWindows } from './dsl/join-windows.ts'
export type {
  AggregateOptions,
  BranchOptions,
  ChosenTopicOptions,
  EmitOptions,
  EmitStrategy,
  ForeignKeyJoinOptions,
  GlobalStoreOptions,
  GlobalTableJoinOptions,
  GlobalTableOptions,
  GroupByKeyOptions,
  GroupByOptions,
  JoinOptions,
  JoinSideStore,
  OperatorOptions,
  PrintOptions,
  ProcessOptions,
  ProcessValuesOptions,
  RepartitionOptions,
  SourceTableOptions,
  StoreOptions,
  StoreSettings,
  StreamJoinOptions,
  StreamOptions,
  SuppressOptions,
  TableGroupByOptions,
  TableJoinOptions,
  TableOptions,
  ToOptions,
  ToTableOptions,
  TransformValuesOptions,
  VersionedOptions,
  WindowedAggregateOptions,
  WindowedByOptions,
  WindowedStoreOptions,
} from './dsl/operator-options.ts'

export type { BuildOptions, Optimisation } from './dsl/optimisation.ts'
export { SlidingWindows } from './dsl/sliding-windows.ts'
export type {
  AnyWindows,
  BranchedKStream,
  Branches,
  CogroupedKStream,
  CogroupedWindowedBy,
  GlobalKTable,
  JoinArguments,
  Joinable,
  JoinedKey,
  JoinedValue,
  KeyMadeBy,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  RowOf,
  SessionWindowedCogroupedKStream,
  SessionWindowedKStream,
  TableJoinOptionsFor,
  TakenBy,
  TimeWindowedCogroupedKStream,
  TimeWindowedKStream,
  UnlimitedWindowedKStream,
  WindowedBy,
} from './dsl/streams.ts'
export { StreamsBuilder } from './dsl/streams-builder.ts'
export {
  type BufferBounds,
  type EagerBuffer,
  type StrictBuffer,
  type UntilTimeLimit,
  type UntilWindowCloses,
  untilTimeLimit,
  untilWindowCloses,
} from './dsl/suppressed.ts'
export { UnlimitedWindows } from './dsl/unlimited-windows.ts'
export { SessionWindows, TimeWindows } from './dsl/windows.ts'
export { type Duration, formatDuration, toMilliseconds } from './duration.ts'
// The world outside
export type {
  Address,
  Clock,
  Disk,
  Environment,
  Host,
  Network,
  Random,
  ServerTlsOptions,
  Signal,
  Timers,
} from './env/environment.ts'
export { nodeEnvironment } from './env/node.ts'
// When something goes wrong
export { type ErrorCode, MillraceError, type Place } from './errors.ts'
export type {
  AuthorizerOptions,
  BearerOptions,
  ListenerOptions,
  ListenerSasl,
  ListenerTls,
  ListenOptions,
  SaslMechanism,
  SecurityProtocol,
} from './listener-options.ts'
// Write processors
export type {
  FixedKeyProcessor,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  ProcessingContext,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  RecordMetadata,
  ScheduleOptions,
  ValueTransformer,
  ValueTransformerSupplier,
} from './processor/processor.ts'
export type { FixedKeyRecord, ForwardableRecord, ProcessorRecord } from './processor/processor-record.ts'
export {
  type AddProcessorOptions,
  type AddSinkOptions,
  type ParentNode,
  type Parents,
  TopologyBuilder,
} from './processor/topology-builder.ts'
// Declare topics and their formats
export type { Compression } from './record/compression.ts'
export type { RecordHeader } from './record/headers.ts'

// Run it
export type { Application, ApplicationMetrics, ApplicationState } from './runtime/application.ts'
export type { DropMetric } from './runtime/drop-metric.ts'
export type { Guarantee, RunOptions } from './runtime/run-options.ts'
export type { BadRecordPolicy } from './runtime/task-input.ts'
export type { Codec } from './serde/custom-serde.ts'
export type { Serde, ValueOf } from './serde/serde.ts'
export { type Serdes, serde } from './serde/serdes.ts'
export type { ValidatedJsonArguments, ValidatedJsonOptions } from './serde/validated-json-serde.ts'
export type { WindowedSerde, WindowedSerdeOptions } from './serde/windowed-serde.ts'
export type { Logging } from './state/changelog-config.ts'
export { levelEngine } from './state/level-engine.ts'
export { lmdbEngine } from './state/lmdb-engine.ts'
export { memoryEngine } from './state/memory-engine.ts'
export type { StoreEngine, StoreEngineFactory } from './state/store-engine.ts'
// Declare stores, to be read and written by processors
export {
  type KeyRange,
  type KeyValueStore,
  keyValueStore,
  type PlainKeyValueStoreOptions,
  type ReadOnlyKeyValueStore,
  type TimestampedKeyValueStore,
  timestampedKeyValueStore,
} from './stores/key-value-store.ts'
export type { RowStore, SessionResultStore, WindowResultStore } from './stores/result-store.ts'
export {
  type ReadOnlySessionStore,
  type SessionKeyRange,
  type SessionRange,
  type SessionStore,
  type SessionStoreOptions,
  sessionStore,
} from './stores/session-store.ts'
export type {
  ReadOnlyStoreOf,
  StoreIterator,
  StoreOf,
  TypedStore,
  TypedStoreOptions,
} from './stores/typed-store.ts'
export type { ValueAndTimestamp } from './stores/value-form.ts'
export {
  type ReadOnlyVersionedKeyValueStore,
  type VersionedKeyValueStore,
  type VersionedKeyValueStoreOptions,
  type VersionedRecord,
  type VersionRange,
  versionedKeyValueStore,
} from './stores/versioned-store.ts'
export {
  type PlainWindowStoreOptions,
  type ReadOnlyWindowStore,
  type TimestampedWindowStore,
  timestampedWindowStore,
  type WindowKeyRange,
  type WindowRange,
  type WindowStore,
  type WindowStoreOptions,
  windowStore,
} from './stores/window-store.ts'
export {
  type Topic,
  type TopicOptions,
  type TopicPattern,
  type TopicPatternOptions,
  topic,
  topicPattern,
} from './topic.ts'
export type { TopicConfig, TopicSettingName } from './topic-config.ts'

export type { DropReason, PunctuationType } from './topology/processor.ts'
export type { RecordContext, SinkOptions, StreamPartitioner, TopicNameExtractor } from './topology/sink-options.ts'
export type {
  InvalidTimestampPolicy,
  OffsetReset,
  SourceOptions,
  TimestampContext,
  TimestampExtractor,
} from './topology/source-options.ts'
export type { DescriptionFormat, Topology } from './topology/topology.ts'
export type { Window, Windowed } from './windowed.ts'

export interface ConnectOptions {
  /**
   * When an append is acknowledged: `'fsync'` (default) when it is on the device, `'page-cache'` when the operating system
   * has it, so that a power failure may take what was acknowledged. `memory:` has nothing to flush.
   */
  readonly flush?: 'fsync' | 'page-cache'
  /**
   * Opens the broker to clients of Kafka's protocol, so that Kafka's own tools look into it: a port, which only this machine
   * reaches, or listeners, each with a port and a way to talk. An open port keeps the process until the connection is closed,
   * also where its applications have ended. Default: it is not opened.
   */
  readonly listen?: ListenOptions
  /** Which of these clients may do what, by rules that Kafka's clients make. Default: whoever is let in may do everything. */
  readonly authorizer?: AuthorizerOptions
  /**
   * Told what no call tells: the torn end of a log that was cut after a crash, damage that was found and is in quarantine, a
   * disk that failed. Default: a warning of the process.
   */
  readonly onEvent?: (event: ClusterEvent) => void
  /** Default: the real one. */
  readonly environment?: Environment
}

/**
 * Opens the cluster that an address names: `memory:` for one that lives and dies with this process, `embedded:DIR` for one
 * that keeps its log in a directory.
 * @throws MillraceError INVALID_ARGUMENT, DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED, NETWORK_FAILED
 */
export async function connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
  const environment = options.environment ?? nodeEnvironment()
  const cluster = await connectCluster(address, { environment, ...clusterOptionsOf(options) })
  return new Connection(cluster, environment.clock)
}

/**
 * Starts a topology where its last run stopped: makes its topics, restores its stores and begins to process. The promise
 * resolves when it runs.
 * @throws MillraceError INVALID_ARGUMENT, INVALID_TOPOLOGY, TOPIC_MISMATCH, and those of `connect`
 */
export async function run(topology: Topology, options: RunOptions): Promise<Application> {
  requireRunOptions(options)
  return runTopology(topology, options, {
    environment: options.environment ?? nodeEnvironment(),
    connect: (address, environment) => connectCluster(address, { environment, ...clusterOptionsOf(options) }),
    memoryEngine,
    diskEngine: lmdbEngine(),
  })
}

function clusterOptionsOf({ flush = 'fsync', listen, authorizer, onEvent }: ConnectOptions): ConnectOptions {
  return {
    flush,
    ...(listen === undefined ? {} : { listen }),
    ...(authorizer && { authorizer }),
    ...(onEvent && { onEvent }),
  }
}
