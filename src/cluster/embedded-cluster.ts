import { type Broker, isListed, openBroker } from '../broker/broker.ts'
import { serviceOf } from '../broker/broker-service.ts'
import type { BrokerSettings } from '../broker/broker-settings.ts'
import { quarantined } from '../broker/log/damaged-range.ts'
import type { FlushPolicy } from '../broker/log/partition-log.ts'
import { firstOffsetSince, offsetOfLargestTimestamp } from '../broker/log/time-lookup.ts'
import { type BrokerServer, listenForClients } from '../broker/server/broker-server.ts'
import type { Address, Environment } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import type { AuthorizerOptions, ListenerOptions } from '../listener-options.ts'
import type {
  AppendResult,
  Cluster,
  CommittedOffset,
  Isolation,
  LogReader,
  OffsetCommit,
  OffsetRange,
  PartitionOffset,
  ReaderOptions,
  TimeLookup,
  TimestampedOffset,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  TransactionalProducer,
  TransactionOptions,
} from './cluster.ts'
import type { ClusterEvent } from './cluster-event.ts'
import { EmbeddedReader } from './embedded-reader.ts'
import { EmbeddedTransactions } from './embedded-transactions.ts'

export interface EmbeddedClusterSettings extends BrokerSettings {
  /** The buffer that a reader has for each of its partitions; a larger batch makes it grow. Default: 256 KiB. */
  readonly readBufferBytes: number
}

export interface EmbeddedClusterOptions {
  /** How the cluster is named in messages. */
  readonly address: string
  /** Made where it is missing. */
  readonly directory: string
  readonly environment: Environment
  readonly flush: FlushPolicy
  /** Told what no call tells. Default: the host is warned. */
  readonly onEvent?: (event: ClusterEvent) => void
  readonly settings?: Partial<EmbeddedClusterSettings>
  /** Opens the broker to clients of Kafka's protocol. Default: it is not. */
  readonly listeners?: readonly ListenerOptions[]
  /** Who of them may do what. Default: everybody may do everything. */
  readonly authorizer?: AuthorizerOptions
}

const defaultReadBufferBytes = 262_144

/**
 * Opens a cluster of one node in this process.
 * @throws MillraceError DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED, NETWORK_FAILED
 */
export async function openEmbeddedCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const broker = await openBroker(options)
  const { listeners, environment, onEvent = (event: ClusterEvent) => environment.host.warn(event.message) } = options
  report(broker, onEvent)
  if (listeners === undefined) return new EmbeddedCluster(broker, options)
  try {
    return new EmbeddedCluster(
      broker,
      options,
      await listenForClients({
        environment,
        listeners,
        ...serviceOf(broker, options.authorizer),
      }),
    )
  } catch (error) {
    await broker.close()
    throw error
  }
}

/** The cluster port over a broker in the same process: no sockets, and no copy but the one into and out of the log. */
export class EmbeddedCluster implements Cluster {
  readonly address: string
  readonly #broker: Broker
  readonly #server: BrokerServer | undefined
  readonly #environment: Environment
  readonly #acknowledgesAtOnce: boolean
  readonly #readBufferBytes: number
  #closing: Promise<void> | undefined
  readonly #readers = new Set<EmbeddedReader>()
  /** By partition: what an append failed with in this turn of the event loop. */
  readonly #failedAppends = new Map<string, unknown>()

  constructor(broker: Broker, options: EmbeddedClusterOptions, server?: BrokerServer) {
    this.#server = server
    this.address = options.address
    this.#broker = broker
    this.#environment = options.environment
    this.#acknowledgesAtOnce = options.flush === 'page-cache'
    this.#readBufferBytes = options.settings?.readBufferBytes ?? defaultReadBufferBytes
    broker.onOffline(() => {
      for (const reader of this.#readers) reader.wakeAll()
    })
  }

  get listening(): Address | undefined {
    return this.#server?.address
  }

  createTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.#broker.createTopics(topics)
  }

  async describeTopics(names?: readonly string[]): Promise<TopicDescription[]> {
    this.#broker.requireOpen()
    return this.#broker.topics
      .list()
      .filter((topic) => (names === undefined ? isListed(topic) : names.includes(topic.name)))
      .map(({ name, partitions, config }) => ({ name, partitions, config }))
  }

  async offsets(partitions: readonly TopicPartition[], isolation?: Isolation): Promise<OffsetRange[]> {
    return partitions.map(({ topic, partition }) => {
      const log = this.#broker.log(topic, partition)
      return {
        start: log.logStartOffset,
        end: isolation === 'read-committed' ? log.lastStableOffset : log.highWatermark,
      }
    })
  }

  async offsetsForTimes(times: readonly TimeLookup[]): Promise<(TimestampedOffset | undefined)[]> {
    return times.map(({ topic, partition, timestamp }) => {
      const log = this.#broker.log(topic, partition)
      return timestamp === 'max-timestamp' ? offsetOfLargestTimestamp(log) : firstOffsetSince(log, timestamp)
    })
  }

  async deleteRecords(offsets: readonly PartitionOffset[]): Promise<number[]> {
    return this.#broker.deleteRecords(offsets)
  }

  append({ topic, partition }: TopicPartition, batches: Buffer): Promise<AppendResult> {
    const name = `${topic}-${partition}`
    const failure = this.#failedAppends.get(name)
    if (failure !== undefined) return Promise.reject(failure)
    try {
      const log = this.#broker.log(topic, partition)
      const result = { baseOffset: this.#broker.append(log, batches) }
      if (this.#acknowledgesAtOnce) return Promise.resolve(result)
      return log.acknowledged().then(() => {
        log.requireExisting()
        return result
      })
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'DISK_FULL') this.#refuseFollowers(name, error)
      return Promise.reject(error)
    }
  }

  /**
   * Batches that follow one that found no room, in the same turn, were made before their producer could know: a smaller one
   * may fit, and would leave a hole in what was written.
   */
  #refuseFollowers(partition: string, failure: unknown): void {
    this.#failedAppends.set(partition, failure)
    void this.#environment.timers.nextTurn().then(() => this.#failedAppends.delete(partition))
  }

  reader(options: ReaderOptions = {}): LogReader {
    this.#broker.requireOpen()
    const reader = new EmbeddedReader({
      broker: this.#broker,
      environment: this.#environment,
      bufferBytes: this.#readBufferBytes,
      isolation: options.isolation ?? 'read-uncommitted',
      onClose: (closed) => this.#readers.delete(closed),
    })
    this.#readers.add(reader)
    return reader
  }

  async committedOffsets(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<(CommittedOffset | undefined)[]> {
    this.#broker.requireOpen()
    return partitions.map(({ topic, partition }) => this.#broker.offsets.committed(group, topic, partition))
  }

  async commitOffsets(group: string, offsets: readonly OffsetCommit[]): Promise<void> {
    this.#broker.requireOpen()
    for (const { topic, partition } of offsets) this.#broker.log(topic, partition)
    await this.#broker.offsets.commit(group, offsets)
  }

  async transactions(transactionalId: string, { timeoutMs }: TransactionOptions): Promise<TransactionalProducer> {
    this.#broker.requireOpen()
    return EmbeddedTransactions.start({ broker: this.#broker, transactionalId, timeoutMs })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#server?.close()
    const closed = this.#broker.close()
    for (const reader of [...this.#readers]) reader.close()
    await closed
  }
}

/** Tells what was found when the logs were opened, and then what goes wrong. */
function report(broker: Broker, onEvent: (event: ClusterEvent) => void): void {
  for (const cut of broker.cuts) {
    const { topic, partition, offset, path, position, fault } = cut
    const message = `The log of ${topic}-${partition} was cut at offset ${offset}, where a crash had left it torn (${path}, position ${position}: ${fault})`
    onEvent({ type: 'torn-tail-cut', message, topic, partition, offset, path, position, fault })
  }
  for (const { isEndKnown: takesAppends, ...range } of broker.damages) {
    const error = quarantined(
      { ...range, isEndKnown: takesAppends },
      { topic: range.topic, partition: range.partition },
    )
    onEvent({ type: 'damage-quarantined', message: error.message, ...range, takesAppends })
  }
  broker.onOffline((error) => onEvent({ type: 'directory-offline', message: error.message, error }))
  broker.onCompactionFailure(({ topic, partition, error }) => {
    const message = `${topic}-${partition} is not compacted any more: ${messageOf(error)}`
    onEvent({ type: 'compaction-failed', message, topic, partition, error })
  })
}
