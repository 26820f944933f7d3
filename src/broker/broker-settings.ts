import { defaultGroupSettings, type GroupSettings } from './group/classic-group.ts'
import { type ConsumerGroupSettings, defaultConsumerGroupSettings } from './group/consumer/consumer-group.ts'
import { defaultLogSettings, type LogSettings } from './log/log-settings.ts'
import { defaultLogUpkeepSettings, type LogUpkeepSettings } from './log-upkeep.ts'
import { defaultTransactionSettings, type TransactionSettings } from './transaction/transaction-coordinator.ts'

export interface BrokerSettings
  extends LogSettings,
    GroupSettings,
    ConsumerGroupSettings,
    TransactionSettings,
    LogUpkeepSettings {
  /** Whether a topic is made when a client of Kafka's protocol asks for it (`auto.create.topics.enable`). Default: true. */
  readonly autoCreateTopics: boolean
  /** Whether clients of Kafka's protocol may delete topics (`delete.topic.enable`). Default: true. */
  readonly deleteTopics: boolean
  /** Files of segments that are open at a time; those that were written to since the last flush are, whatever their number. Default: 512. */
  readonly maxOpenFiles: number
  /** Partitions of topics that are made without a number of them (`num.partitions`). Default: 1. */
  readonly defaultPartitions: number
  /** Of a topic whose maker does not say how many; clients ask for it. There is one broker, and one copy. */
  readonly defaultReplicas: number
  /** Partitions that `__consumer_offsets` is made with. Default: 1. */
  readonly offsetsTopicPartitions: number
  /**
   * Offsets that a group committed longer ago than this are taken away (`offsets.retention.minutes`). Default: never, because
   * records are kept for ever by default too.
   */
  readonly offsetsRetentionMs: number
  /** How often is looked for them (`offsets.retention.check.interval.ms`). Default: 10 minutes. */
  readonly offsetsRetentionCheckIntervalMs: number
  /** Partitions that `__transaction_state` is made with. Default: 1. */
  readonly transactionsTopicPartitions: number
}

export const defaultBrokerSettings: BrokerSettings = {
  ...defaultLogSettings,
  ...defaultGroupSettings,
  ...defaultConsumerGroupSettings,
  ...defaultTransactionSettings,
  autoCreateTopics: true,
  deleteTopics: true,
  defaultPartitions: 1,
  defaultReplicas: 1,
  maxOpenFiles: 512,
  offsetsTopicPartitions: 1,
  transactionsTopicPartitions: 1,
  offsetsRetentionMs: Number.POSITIVE_INFINITY,
  offsetsRetentionCheckIntervalMs: 600_000,
  ...defaultLogUpkeepSettings,
}
