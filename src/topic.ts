import { functionOf, requireFormat } from './arguments.ts'
import { MillraceError } from './errors.ts'
import { type Compression, codecNamed } from './record/compression.ts'
import type { Serde } from './serde/serde.ts'
import { type TopicConfig, topicConfig } from './topic-config.ts'

/** A topic declared once: its name and the types of what is in it. */
export interface Topic<K, V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Event time in milliseconds since 1970, read from the record; without it the record's own timestamp is taken. */
  readonly timestamp: ((value: V, key: K) => number) | undefined
  /** Partitions to create the topic with where it does not exist yet. */
  readonly partitions: number
  /** How batches are compressed that this program writes to the topic. */
  readonly compression: Compression
  /** Kafka's topic settings to create the topic with where it does not exist yet. */
  readonly config: Readonly<Record<string, string>>
}

export interface TopicOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Event time in milliseconds since 1970, read from the record. Default: the record's own timestamp. */
  readonly timestamp?: (value: V, key: K) => number
  /** Partitions to create the topic with where it does not exist yet. Default: 1. More partitions allow more parallelism, and cannot be taken back. */
  readonly partitions?: number
  /** How batches are compressed that this program writes to the topic; it reads them whatever they are. Default: `'none'`. */
  readonly compression?: Compression
  /**
   * Kafka's topic settings to create the topic with where it does not exist yet, by their names: `{ 'retention.ms': '7d' }`,
   * `{ 'cleanup.policy': 'compact' }`. A topic that exists keeps its own. Default: none, so that records are kept for ever.
   */
  readonly config?: TopicConfig
}

/**
 * Declares a topic.
 * @throws MillraceError INVALID_ARGUMENT where the name, the number of partitions, the compression or a setting is not allowed.
 */
export function topic<K, V>(name: string, options: TopicOptions<K, V>): Topic<K, V> {
  requireTopicName(name)
  requireFormat(`topic('${name}', ...)`, options)
  if (options.timestamp !== undefined) functionOf('topic', 'timestamp', options.timestamp)
  const partitions = options.partitions ?? 1
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 10_000) {
    throw new MillraceError('INVALID_ARGUMENT', `${partitions} is not a number of partitions`, {
      at: { topic: name },
      remedy: 'Give a whole number from 1 to 10000.',
    })
  }
  const compression = options.compression ?? 'none'
  codecNamed(compression)
  return {
    name,
    key: options.key,
    value: options.value,
    timestamp: options.timestamp,
    partitions,
    compression,
    config: topicConfig(options.config ?? {}, name),
  }
}

/** What all topics have in common whose names match a pattern. */
export interface TopicPatternOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Event time in milliseconds since 1970, read from the record. Default: the record's own timestamp. */
  readonly timestamp?: (value: V, key: K) => number
}

/** All topics whose names match wholly, as far as they exist when the application starts. */
export interface TopicPattern<K, V> {
  readonly pattern: RegExp
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** Event time in milliseconds since 1970, read from the record; without it the record's own timestamp is taken. */
  readonly timestamp: ((value: V, key: K) => number) | undefined
}

/**
 * Declares all topics whose whole names match a pattern, to be read as one stream. They must exist: a topic that is made
 * while an application runs is read after its next start.
 */
export function topicPattern<K, V>(pattern: RegExp, options: TopicPatternOptions<K, V>): TopicPattern<K, V> {
  requireFormat(`topicPattern(${pattern}, ...)`, options)
  return { pattern, key: options.key, value: options.value, timestamp: options.timestamp }
}

/** Kafka's rule for topic names (org.apache.kafka.common.internals.Topic). */
export function requireTopicName(name: string): void {
  if (typeof name === 'string' && /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw new MillraceError('INVALID_ARGUMENT', `'${name}' is not a topic name`, {
    remedy: "Use 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'.",
  })
}
