import type { BrokerSettings } from '../broker-settings.ts'
import { boolean, type ConfigKind, double, int, listOf, long, oneOf } from './config-kind.ts'
import { compressions, gzipLevel } from './topic-settings.ts'

/** A setting of brokers by Kafka's name (kafka.server.KafkaConfig). */
export interface BrokerSetting {
  readonly kind: ConfigKind
  readonly field: keyof BrokerSettings
  /** By what the value is multiplied to be that of the field. Default: 1. */
  readonly factor?: number
  /** Whether it can be changed while the broker runs (KIP-226). Default: false. */
  readonly isDynamic?: boolean
}

const hours = 3_600_000
const minutes = 60_000

/** Of several names of one field the first one that is set counts, and the last one has the default. */
export const brokerSettingsByName: Readonly<Record<string, BrokerSetting>> = {
  'auto.create.topics.enable': { kind: boolean, field: 'autoCreateTopics' },
  'delete.topic.enable': { kind: boolean, field: 'deleteTopics' },
  'num.partitions': { kind: int(1), field: 'defaultPartitions' },
  'default.replication.factor': { kind: int(1, 1), field: 'defaultReplicas' },

  'log.segment.bytes': { kind: int(1), field: 'segmentBytes', isDynamic: true },
  'log.roll.ms': { kind: long(1), field: 'segmentMs', isDynamic: true },
  'log.roll.hours': { kind: int(1), field: 'segmentMs', factor: hours },
  'log.roll.jitter.ms': { kind: long(0), field: 'segmentJitterMs', isDynamic: true },
  'log.roll.jitter.hours': { kind: int(0), field: 'segmentJitterMs', factor: hours },
  'log.index.size.max.bytes': { kind: int(4), field: 'segmentIndexBytes', isDynamic: true },
  'log.index.interval.bytes': { kind: int(0), field: 'indexIntervalBytes', isDynamic: true },
  'message.max.bytes': { kind: int(0), field: 'maxMessageBytes', isDynamic: true },
  'compression.type': { kind: oneOf(...compressions), field: 'compressionType', isDynamic: true },
  'compression.gzip.level': { kind: gzipLevel(), field: 'gzipLevel', isDynamic: true },
  'compression.zstd.level': { kind: int(-131_072, 22), field: 'zstdLevel', isDynamic: true },
  'log.message.timestamp.type': {
    kind: oneOf('CreateTime', 'LogAppendTime'),
    field: 'timestampType',
    isDynamic: true,
  },
  'log.message.timestamp.before.max.ms': { kind: long(0), field: 'timestampBeforeMaxMs', isDynamic: true },
  'log.message.timestamp.after.max.ms': { kind: long(0), field: 'timestampAfterMaxMs', isDynamic: true },
  'producer.id.expiration.ms': { kind: int(1), field: 'producerIdExpirationMs' },

  'log.cleanup.policy': { kind: listOf('compact', 'delete'), field: 'cleanupPolicy', isDynamic: true },
  'log.retention.ms': { kind: long(-1), field: 'retentionMs', isDynamic: true },
  'log.retention.minutes': { kind: int(-1), field: 'retentionMs', factor: minutes },
  'log.retention.hours': { kind: int(-1), field: 'retentionMs', factor: hours },
  'log.retention.bytes': { kind: long(), field: 'retentionBytes', isDynamic: true },
  'log.retention.check.interval.ms': { kind: long(1), field: 'retentionCheckIntervalMs' },
  'log.segment.delete.delay.ms': { kind: long(0), field: 'fileDeleteDelayMs', isDynamic: true },
  'log.flush.offset.checkpoint.interval.ms': { kind: int(0), field: 'checkpointIntervalMs' },

  'log.cleaner.delete.retention.ms': { kind: long(0), field: 'deleteRetentionMs', isDynamic: true },
  'log.cleaner.min.cleanable.ratio': { kind: double(0, 1), field: 'minCleanableDirtyRatio', isDynamic: true },
  'log.cleaner.min.compaction.lag.ms': { kind: long(0), field: 'minCompactionLagMs', isDynamic: true },
  'log.cleaner.max.compaction.lag.ms': { kind: long(1), field: 'maxCompactionLagMs', isDynamic: true },
  'log.cleaner.backoff.ms': { kind: long(0), field: 'cleanerBackoffMs' },
  'log.cleaner.dedupe.buffer.size': { kind: long(), field: 'cleanerDedupeBufferBytes' },

  'offsets.topic.num.partitions': { kind: int(1), field: 'offsetsTopicPartitions' },
  'offsets.retention.minutes': { kind: int(1), field: 'offsetsRetentionMs', factor: minutes },
  'offsets.retention.check.interval.ms': { kind: long(1), field: 'offsetsRetentionCheckIntervalMs' },

  'group.initial.rebalance.delay.ms': { kind: int(0), field: 'initialRebalanceDelayMs' },
  'group.min.session.timeout.ms': { kind: int(), field: 'minSessionTimeoutMs' },
  'group.max.session.timeout.ms': { kind: int(), field: 'maxSessionTimeoutMs' },
  'group.max.size': { kind: int(1), field: 'maxMembers' },
  'group.consumer.session.timeout.ms': { kind: int(1), field: 'consumerSessionTimeoutMs' },
  'group.consumer.heartbeat.interval.ms': { kind: int(1), field: 'consumerHeartbeatIntervalMs' },
  'group.consumer.max.size': { kind: int(1), field: 'consumerMaxMembers' },
  'group.consumer.migration.policy': {
    kind: oneOf('bidirectional', 'upgrade', 'downgrade', 'disabled'),
    field: 'consumerMigrationPolicy',
  },

  'transaction.state.log.num.partitions': { kind: int(1), field: 'transactionsTopicPartitions' },
  'transaction.max.timeout.ms': { kind: int(1), field: 'transactionMaxTimeoutMs' },
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': {
    kind: int(1),
    field: 'transactionAbortIntervalMs',
  },
  'transactional.id.expiration.ms': { kind: int(1), field: 'transactionalIdExpirationMs' },
}

export function brokerSettingNamed(name: string): BrokerSetting | undefined {
  return Object.hasOwn(brokerSettingsByName, name) ? brokerSettingsByName[name] : undefined
}

/** All names of the field that a setting is for, in the order in which they count. (Kafka: DynamicBrokerConfig.brokerConfigSynonyms.) */
export function synonymsOf(name: string): string[] {
  const field = brokerSettingNamed(name)?.field
  return Object.keys(brokerSettingsByName).filter((other) => brokerSettingsByName[other]?.field === field)
}
