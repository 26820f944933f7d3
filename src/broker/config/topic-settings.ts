import { MillraceError } from '../../errors.ts'
import type { TopicSettingName } from '../../topic-config.ts'
import type { CleanupPolicy, LogSettings } from '../log/log-settings.ts'
import {
  boolean,
  type ConfigKind,
  type ConfigValue,
  double,
  type Fault,
  formatConfig,
  int,
  listOf,
  long,
  oneOf,
  parseConfig,
} from './config-kind.ts'

/** A setting of topics (org.apache.kafka.storage.internals.log.LogConfig). */
export interface TopicSetting {
  readonly kind: ConfigKind
  /** What of it a log follows; undefined where it is kept and told, and nothing else. */
  readonly field?: keyof LogSettings
  /** The value where nobody says otherwise, of one that no log follows. */
  readonly byDefault?: string
  /** The broker's setting that it has its value from where the topic does not say otherwise, the most exact of several. */
  readonly ofBroker?: string
}

export const compressions: readonly string[] = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']
const noBound = '9223372036854775807'

/** Kafka has 1 MiB as the least: tests, and logs that are compacted early, want smaller ones. */
const leastSegmentBytes = 1

export const topicSettings: Readonly<Record<TopicSettingName, TopicSetting>> = {
  'cleanup.policy': { kind: listOf('compact', 'delete'), field: 'cleanupPolicy', ofBroker: 'log.cleanup.policy' },
  'compression.gzip.level': { kind: gzipLevel(), field: 'gzipLevel', ofBroker: 'compression.gzip.level' },
  'compression.lz4.level': { kind: int(1, 17), byDefault: '9', ofBroker: 'compression.lz4.level' },
  'compression.type': { kind: oneOf(...compressions), field: 'compressionType', ofBroker: 'compression.type' },
  'compression.zstd.level': { kind: int(-131_072, 22), field: 'zstdLevel', ofBroker: 'compression.zstd.level' },
  'delete.retention.ms': { kind: long(0), field: 'deleteRetentionMs', ofBroker: 'log.cleaner.delete.retention.ms' },
  'file.delete.delay.ms': { kind: long(0), field: 'fileDeleteDelayMs', ofBroker: 'log.segment.delete.delay.ms' },
  'flush.messages': { kind: long(1), byDefault: noBound, ofBroker: 'log.flush.interval.messages' },
  'flush.ms': { kind: long(0), byDefault: noBound, ofBroker: 'log.flush.interval.ms' },
  'follower.replication.throttled.replicas': { kind: throttledReplicas(), byDefault: '' },
  'index.interval.bytes': { kind: int(0), field: 'indexIntervalBytes', ofBroker: 'log.index.interval.bytes' },
  'leader.replication.throttled.replicas': { kind: throttledReplicas(), byDefault: '' },
  'local.retention.bytes': { kind: long(-2), byDefault: '-2', ofBroker: 'log.local.retention.bytes' },
  'local.retention.ms': { kind: long(-2), byDefault: '-2', ofBroker: 'log.local.retention.ms' },
  'max.compaction.lag.ms': {
    kind: long(1),
    field: 'maxCompactionLagMs',
    ofBroker: 'log.cleaner.max.compaction.lag.ms',
  },
  'max.message.bytes': { kind: int(0), field: 'maxMessageBytes', ofBroker: 'message.max.bytes' },
  'message.timestamp.after.max.ms': {
    kind: long(0),
    field: 'timestampAfterMaxMs',
    ofBroker: 'log.message.timestamp.after.max.ms',
  },
  'message.timestamp.before.max.ms': {
    kind: long(0),
    field: 'timestampBeforeMaxMs',
    ofBroker: 'log.message.timestamp.before.max.ms',
  },
  'message.timestamp.type': {
    kind: oneOf('CreateTime', 'LogAppendTime'),
    field: 'timestampType',
    ofBroker: 'log.message.timestamp.type',
  },
  'min.cleanable.dirty.ratio': {
    kind: double(0, 1),
    field: 'minCleanableDirtyRatio',
    ofBroker: 'log.cleaner.min.cleanable.ratio',
  },
  'min.compaction.lag.ms': {
    kind: long(0),
    field: 'minCompactionLagMs',
    ofBroker: 'log.cleaner.min.compaction.lag.ms',
  },
  'min.insync.replicas': { kind: int(1), byDefault: '1', ofBroker: 'min.insync.replicas' },
  preallocate: { kind: boolean, byDefault: 'false', ofBroker: 'log.preallocate' },
  'remote.log.copy.disable': { kind: boolean, byDefault: 'false' },
  'remote.log.delete.on.disable': { kind: boolean, byDefault: 'false' },
  'remote.storage.enable': { kind: boolean, byDefault: 'false' },
  'retention.bytes': { kind: long(), field: 'retentionBytes', ofBroker: 'log.retention.bytes' },
  'retention.ms': { kind: long(-1), field: 'retentionMs', ofBroker: 'log.retention.ms' },
  'segment.bytes': { kind: int(leastSegmentBytes), field: 'segmentBytes', ofBroker: 'log.segment.bytes' },
  'segment.index.bytes': { kind: int(4), field: 'segmentIndexBytes', ofBroker: 'log.index.size.max.bytes' },
  'segment.jitter.ms': { kind: long(0), field: 'segmentJitterMs', ofBroker: 'log.roll.jitter.ms' },
  'segment.ms': { kind: long(1), field: 'segmentMs', ofBroker: 'log.roll.ms' },
  'unclean.leader.election.enable': { kind: boolean, byDefault: 'false', ofBroker: 'unclean.leader.election.enable' },
}

/** A name that may be none of a setting. */
export function topicSettingNamed(name: string): TopicSetting | undefined {
  return Object.hasOwn(topicSettings, name) ? topicSettings[name as TopicSettingName] : undefined
}

/** What is wrong with a topic's settings, in Kafka's words; undefined where nothing. (Kafka: LogConfig.validate.) */
export function topicConfigProblem(
  defaults: LogSettings,
  config: Readonly<Record<string, string>>,
): string | undefined {
  const read = readTopicConfig(defaults, config)
  return 'problem' in read ? read.problem : conflictIn(read.settings, config)
}

/**
 * The broker's settings with what a topic's own settings change. Those that contradict each other are taken as they are: they did
 * not when they were set.
 * @throws MillraceError INVALID_ARGUMENT where a setting is not one of Kafka's, or its value is not allowed.
 */
export function logSettings(
  defaults: LogSettings,
  config: Readonly<Record<string, string>>,
  topic: string,
): LogSettings {
  const read = readTopicConfig(defaults, config)
  if ('settings' in read) return read.settings
  throw invalidConfig(read.problem, topic)
}

export function invalidConfig(problem: string, topic: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', problem, {
    at: { topic },
    remedy: "Use Kafka's names, as 'cleanup.policy' or 'retention.ms', and values as Kafka has them.",
  })
}

/** The text of a setting that the topic does not say anything of. */
export function effectiveText(name: string, settings: LogSettings): string {
  const { byDefault, field, kind } = topicSettings[name as TopicSettingName]
  if (field === undefined) return byDefault as string
  return formatConfig(fromField(settings[field]), kind)
}

/** A value as the field that follows it has it. */
export function toField(field: string, value: ConfigValue): unknown {
  return field === 'cleanupPolicy' ? policyOf(value as readonly string[]) : value
}

export function fromField(value: LogSettings[keyof LogSettings] | string): ConfigValue {
  return value === 'none' ? [] : value
}

function readTopicConfig(
  defaults: LogSettings,
  config: Readonly<Record<string, string>>,
): { readonly settings: LogSettings } | { readonly problem: string } {
  const changes: Partial<Record<keyof LogSettings, unknown>> = {}
  for (const name of Object.keys(config)) {
    if (topicSettingNamed(name) === undefined) return { problem: `Unknown topic config name: ${name}` }
  }
  for (const [name, text] of Object.entries(config)) {
    const { field, kind } = topicSettingNamed(name) as TopicSetting
    const parsed = parseConfig(name, text, kind)
    if ('problem' in parsed) return parsed
    if (field !== undefined) changes[field] = toField(field, parsed.value)
  }
  return { settings: { ...defaults, ...(changes as Partial<LogSettings>) } }
}

function conflictIn({ minCompactionLagMs, maxCompactionLagMs }: LogSettings, config: Readonly<Record<string, string>>) {
  if (minCompactionLagMs > maxCompactionLagMs) {
    return `conflict topic config setting min.compaction.lag.ms (${minCompactionLagMs}) > max.compaction.lag.ms (${maxCompactionLagMs})`
  }
  if (config['remote.storage.enable']?.toLowerCase() !== 'true') return undefined
  return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
}

function policyOf(words: readonly string[]): CleanupPolicy {
  if (words.length === 0) return 'none'
  if (!words.includes('compact')) return 'delete'
  return words.includes('delete') ? 'compact,delete' : 'compact'
}

export function gzipLevel(): ConfigKind {
  const fault = (value: ConfigValue): Fault | undefined => {
    const level = value as number
    if (level === -1 || (level >= 1 && level <= 9)) return undefined
    return [String(level), 'Value must be between 1 and 9 or equal to -1']
  }
  return { type: 'int', fault }
}

function throttledReplicas(): ConfigKind {
  const fault = (value: ConfigValue, name: string): Fault | undefined => {
    const replicas = value as readonly string[]
    if (replicas.join('') === '*' || replicas.every((one) => /^(\d+:\d+)?$/.test(one))) return undefined
    const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
    return [
      `[${replicas.join(', ')}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: ${format}`,
    ]
  }
  return { type: 'list', fault }
}
