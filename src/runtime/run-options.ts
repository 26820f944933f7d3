import { refusal, requireOptions, requireWord } from '../arguments.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClusterEvent } from '../cluster/cluster-event.ts'
import type { Connection } from '../cluster/connection.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import type { Environment, Signal } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import type { AuthorizerOptions, ListenOptions } from '../listener-options.ts'
import { type Compression, codecNamed } from '../record/compression.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import { defaultCacheBytes } from './cache-bound.ts'
import type { BadRecordPolicy } from './task-input.ts'

export type Guarantee = 'at-least-once' | 'exactly-once'

export interface RunOptions {
  /** Names the application: its committed offsets, stores and the topics it makes for itself. Two applications with one id read each other's state. */
  readonly applicationId: string
  /** `'memory:'`, `'embedded:./data'`, or a cluster that is already connected (which is then left open at the end). */
  readonly cluster: string | Connection
  /** For a cluster given as a string: when appends are acknowledged. Default `'fsync'`; `'page-cache'` leaves it to the operating system when data reaches the disk. */
  readonly flush?: 'fsync' | 'page-cache'
  /** For a cluster given as a string: opens its broker to clients of Kafka's protocol, on a port of this machine alone, or on listeners. Default: it is not opened. */
  readonly listen?: ListenOptions
  /** For a cluster given as a string: which of these clients may do what. Default: whoever is let in may do everything. */
  readonly authorizer?: AuthorizerOptions
  /** For a cluster given as a string: told of torn ends that were cut, damage, a disk that failed. Default: a warning of the process. */
  readonly onEvent?: (event: ClusterEvent) => void
  /**
   * What a crash may do to outputs. `'at-least-once'` (the default): they may be written twice. `'exactly-once'`: outputs,
   * changelogs and input offsets are one transaction, so that readers of committed records see each result once, behind
   * repartition topics too (Kafka Streams' `exactly_once_v2`); results can be read when they are committed, and a commit takes
   * some writes more.
   */
  readonly guarantee?: Guarantee
  /**
   * How often offsets, outputs and stores are committed. Default `'1s'`, with `'exactly-once'` `'100ms'`, because results
   * wait for it. Shorter: less is read again after a crash, more fsyncs.
   */
  readonly commitInterval?: Duration
  /** How often what was read and committed is deleted from repartition topics. Default `'30s'`, as Kafka Streams. */
  readonly repartitionPurgeInterval?: Duration
  /** Where stores keep their files. Default: `state` within the directory of an embedded cluster; none for `memory:`. */
  readonly stateDirectory?: string
  /** The engine of stores that do not choose one. Default: LMDB where there is a state directory, otherwise memory. */
  readonly engine?: StoreEngineFactory
  /** What happens with a record that cannot be decoded or has no valid event time. Default `'fail'`; `'skip'` counts it and goes on. */
  readonly badRecords?: BadRecordPolicy
  /** How the batches of stores' changelog topics are compressed. Default `'none'`. */
  readonly changelogCompression?: Compression
  /** Signals that end the application: the first drains, commits and closes, the second exits at once. Default SIGINT and SIGTERM; `[]` for none. */
  readonly shutdownSignals?: readonly Signal[]
  /** Bytes that may be on their way to the cluster before processing waits. Default 32 MiB. */
  readonly maxInFlightBytes?: number
  /**
   * Bytes that updates of operators with `caching` may take, of all tasks together, while they wait for a commit (about: by
   * Kafka Streams' measure of keys, values and headers, where a value that is updated often is measured now and then). Beyond it the operator
   * that goes on hands all of its own on. Default 10 MiB, as Kafka Streams' `statestore.cache.max.bytes`; 0: none waits.
   */
  readonly maxCacheBytes?: number
  /** The world outside: clock, disk, network. Default: the real one. */
  readonly environment?: Environment
}

export interface RunConfig {
  readonly applicationId: string
  readonly cluster: Cluster
  readonly ownsCluster: boolean
  readonly guarantee: Guarantee
  readonly commitIntervalMs: number
  readonly repartitionPurgeIntervalMs: number
  readonly stateDirectory: string | undefined
  readonly engine: StoreEngineFactory
  readonly badRecords: BadRecordPolicy
  readonly changelogCompression: Compression
  readonly shutdownSignals: readonly Signal[]
  readonly maxInFlightBytes: number
  readonly maxCacheBytes: number
  readonly environment: Environment
}

export interface RunDefaults {
  readonly environment: Environment
  readonly connect: (address: string, environment: Environment) => Promise<Cluster>
  readonly memoryEngine: StoreEngineFactory
  readonly diskEngine: StoreEngineFactory
}

/** @throws MillraceError INVALID_ARGUMENT */
export async function resolveRunOptions(options: RunOptions, defaults: RunDefaults): Promise<RunConfig> {
  const guarantee = options.guarantee ?? 'at-least-once'
  requireWord('guarantee', guarantee, ['at-least-once', 'exactly-once'])
  const badRecords = options.badRecords ?? 'fail'
  requireWord('badRecords', badRecords, ['fail', 'skip'])
  const commitIntervalMs = toMilliseconds(options.commitInterval ?? defaultCommitInterval(guarantee), 'commit interval')
  const repartitionPurgeIntervalMs = toMilliseconds(options.repartitionPurgeInterval ?? '30s', 'purge interval')
  requireApplicationId(options.applicationId)
  const maxCacheBytes = options.maxCacheBytes ?? defaultCacheBytes
  requireCacheBytes(maxCacheBytes)
  const changelogCompression = options.changelogCompression ?? 'none'
  codecNamed(changelogCompression)
  const environment = options.environment ?? defaults.environment
  const ownsCluster = typeof options.cluster === 'string'
  const cluster =
    typeof options.cluster === 'string' ? await defaults.connect(options.cluster, environment) : options.cluster.cluster
  const stateDirectory = options.stateDirectory ?? directoryBeside(cluster)
  return {
    applicationId: options.applicationId,
    cluster,
    ownsCluster,
    guarantee,
    commitIntervalMs,
    repartitionPurgeIntervalMs,
    stateDirectory,
    engine: options.engine ?? (stateDirectory === undefined ? defaults.memoryEngine : defaults.diskEngine),
    badRecords,
    changelogCompression,
    shutdownSignals: options.shutdownSignals ?? ['SIGINT', 'SIGTERM'],
    maxInFlightBytes: options.maxInFlightBytes ?? 32 * 1024 * 1024,
    maxCacheBytes,
    environment,
  }
}

function defaultCommitInterval(guarantee: Guarantee): Duration {
  return guarantee === 'exactly-once' ? '100ms' : '1s'
}

function requireCacheBytes(bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes >= 0) return
  throw new MillraceError('INVALID_ARGUMENT', `maxCacheBytes cannot be ${bytes}`, {
    remedy: 'Give a whole number of bytes; 0 has no update wait.',
  })
}

function directoryBeside(cluster: Cluster): string | undefined {
  const prefix = 'embedded:'
  return cluster.address.startsWith(prefix) ? `${cluster.address.slice(prefix.length)}/state` : undefined
}

/**
 * What plain JavaScript can leave out.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function requireRunOptions(given: RunOptions | undefined): void {
  const example =
    "which application it is, and where its topics are: { applicationId: 'iot', cluster: 'embedded:./data' }"
  requireOptions('run(...)', given, example)
  const cluster: unknown = given?.cluster
  if (typeof cluster === 'string' || (typeof cluster === 'object' && cluster !== null && 'cluster' in cluster)) return
  throw refusal(
    'run(...)',
    'a cluster',
    cluster,
    "Give its address, 'memory:' or 'embedded:./data', or what connect() resolved with.",
  )
}

/** @throws MillraceError INVALID_ARGUMENT */
export function requireApplicationId(id: string): void {
  if (typeof id === 'string' && /^[a-zA-Z0-9._-]{1,100}$/.test(id)) return
  throw new MillraceError('INVALID_ARGUMENT', `'${id}' is not an application id`, {
    remedy: "Use 1 to 100 letters, digits, '.', '_' or '-': topics and directories are named after it.",
  })
}
