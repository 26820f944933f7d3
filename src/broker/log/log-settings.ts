import { MillraceError } from '../../errors.ts'

/** What of a topic's settings its logs follow. */
export interface LogSettings {
  /** A segment is closed and a new one begun when it would grow above this (`segment.bytes`). */
  readonly segmentBytes: number
  /** One index entry per this many bytes of log (`index.interval.bytes`). */
  readonly indexIntervalBytes: number
  /** The largest record batch that is taken (`max.message.bytes`). */
  readonly maxMessageBytes: number
}

export const defaultLogSettings: LogSettings = {
  segmentBytes: 1_073_741_824,
  indexIntervalBytes: 4_096,
  maxMessageBytes: 1_048_588,
}

/** Positions in a segment are int32, in the index as in Kafka's. */
export const maxSegmentBytes = 2_147_483_647

const bytesSettings = {
  'segment.bytes': 'segmentBytes',
  'index.interval.bytes': 'indexIntervalBytes',
  'max.message.bytes': 'maxMessageBytes',
} as const

/** The names of Kafka's topic settings (org.apache.kafka.common.config.TopicConfig). */
const topicSettingNames: ReadonlySet<string> = new Set([
  ...Object.keys(bytesSettings),
  'cleanup.policy',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.type',
  'compression.zstd.level',
  'delete.retention.ms',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'local.retention.bytes',
  'local.retention.ms',
  'max.compaction.lag.ms',
  'message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms',
  'message.timestamp.type',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'min.insync.replicas',
  'preallocate',
  'remote.log.copy.disable',
  'remote.log.delete.on.disable',
  'remote.storage.enable',
  'retention.bytes',
  'retention.ms',
  'segment.index.bytes',
  'segment.jitter.ms',
  'segment.ms',
  'unclean.leader.election.enable',
])

/**
 * The broker's settings with what a topic's own settings change.
 * @throws MillraceError INVALID_ARGUMENT where a setting is not one of Kafka's, or its value is not allowed.
 */
export function logSettings(
  defaults: LogSettings,
  config: Readonly<Record<string, string>>,
  topic: string,
): LogSettings {
  const settings = { ...defaults }
  for (const [name, value] of Object.entries(config)) {
    if (!topicSettingNames.has(name)) {
      throw new MillraceError('INVALID_ARGUMENT', `'${name}' is not a setting of a topic`, {
        at: { topic },
        remedy: "Use Kafka's names, as 'cleanup.policy' or 'retention.ms'.",
      })
    }
    if (name in bytesSettings) {
      settings[bytesSettings[name as keyof typeof bytesSettings]] = toBytes(name, value, topic)
    }
  }
  return settings
}

function toBytes(name: string, value: string, topic: string): number {
  const bytes = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (bytes >= 1 && bytes <= maxSegmentBytes) return bytes
  throw new MillraceError('INVALID_ARGUMENT', `'${value}' is not a value of ${name}`, {
    at: { topic },
    remedy: `Give a whole number of bytes from 1 to ${maxSegmentBytes}.`,
  })
}
