import { MillraceError } from '../../errors.ts'
import { topicSettingNames } from '../../topic-config.ts'

/** What of a topic's settings its logs follow. The names and defaults are Kafka's (org.apache.kafka.storage.internals.log.LogConfig). */
export interface LogSettings {
  /** A segment is closed and a new one begun when it would grow above this (`segment.bytes`). Default: 1 GiB. */
  readonly segmentBytes: number
  /** The same when a record is this much younger than the segment's first (`segment.ms`). Default: 7 days. */
  readonly segmentMs: number
  /** By how much at most a segment is closed earlier than that, by chance, so that not all are at once (`segment.jitter.ms`). Default: 0. */
  readonly segmentJitterMs: number
  /** The same when an index of the segment has reached this (`segment.index.bytes`). Default: 10 MiB. */
  readonly segmentIndexBytes: number
  /** One index entry per this many bytes of log (`index.interval.bytes`). Default: 4 KiB. */
  readonly indexIntervalBytes: number
  /** The largest record batch that is taken (`max.message.bytes`). Default: 1048588. */
  readonly maxMessageBytes: number
  /** Whether records have the time that their producer gave them, or that of the append (`message.timestamp.type`). Default: their producer's. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** How far a producer's timestamp may lie before the clock's time (`message.timestamp.before.max.ms`). Default: any. */
  readonly timestampBeforeMaxMs: number
  /** How far it may lie after the clock's time (`message.timestamp.after.max.ms`). Default: any; Kafka's is an hour. */
  readonly timestampAfterMaxMs: number
  /** An idempotent producer that was not heard of for this long is forgotten (the broker's `producer.id.expiration.ms`). */
  readonly producerIdExpirationMs: number
  /** What becomes of old records (`cleanup.policy`). Default: `delete`. */
  readonly cleanupPolicy: CleanupPolicy
  /** How old a segment's youngest record gets before the segment is deleted; -1 for any age (`retention.ms`). Default: -1; Kafka's is 7 days. */
  readonly retentionMs: number
  /** How large the log gets before its first segment is deleted; -1 for any size (`retention.bytes`). Default: -1. */
  readonly retentionBytes: number
  /** How long the files of deleted segments are kept under another name (`file.delete.delay.ms`). Default: a minute. */
  readonly fileDeleteDelayMs: number
  /** How long compaction keeps a tombstone, and a transaction's marker, from when it first meets it (`delete.retention.ms`). Default: a day. */
  readonly deleteRetentionMs: number
  /** How much of a log is not compacted before it is (`min.cleanable.dirty.ratio`). Default: 0.5. */
  readonly minCleanableDirtyRatio: number
  /** How long a record is at least left alone by compaction (`min.compaction.lag.ms`). Default: 0. */
  readonly minCompactionLagMs: number
  /** How long a record waits at most for compaction, whatever the dirty ratio (`max.compaction.lag.ms`). Default: any time. */
  readonly maxCompactionLagMs: number
}

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete' | 'none'

export const defaultLogSettings: LogSettings = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4_096,
  maxMessageBytes: 1_048_588,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: Number.POSITIVE_INFINITY,
  producerIdExpirationMs: 86_400_000,
  cleanupPolicy: 'delete',
  retentionMs: -1,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  deleteRetentionMs: 86_400_000,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
}

/** Positions in a segment are int32, in the index as in Kafka's. */
export const maxSegmentBytes = 2_147_483_647

/** A value as it is written in a topic's settings, to what a log follows; undefined where it is not allowed. */
type Parse<T> = { readonly parse: (text: string) => T | undefined; readonly allowed: string }

const bytes: Parse<number> = {
  parse: (text) => wholeNumber(text, 1, maxSegmentBytes),
  allowed: `Give a whole number of bytes from 1 to ${maxSegmentBytes}.`,
}
const milliseconds = (least: number): Parse<number> => ({
  parse: (text) => wholeNumber(text, least, Number.POSITIVE_INFINITY),
  allowed: `Give a whole number of milliseconds from ${least} on.`,
})

const settingNames: ReadonlySet<string> = new Set(topicSettingNames)

/** By the name of Kafka's setting: which of ours it is, and how it is read. */
const parsers: {
  readonly [name: string]: { readonly [K in keyof LogSettings]: [K, Parse<LogSettings[K]>] }[keyof LogSettings]
} = {
  'segment.bytes': ['segmentBytes', bytes],
  'segment.ms': ['segmentMs', milliseconds(1)],
  'segment.jitter.ms': ['segmentJitterMs', milliseconds(0)],
  'segment.index.bytes': ['segmentIndexBytes', bytes],
  'index.interval.bytes': ['indexIntervalBytes', bytes],
  'max.message.bytes': ['maxMessageBytes', bytes],
  'message.timestamp.type': [
    'timestampType',
    {
      parse: (text) => (text === 'CreateTime' || text === 'LogAppendTime' ? text : undefined),
      allowed: "Give 'CreateTime' or 'LogAppendTime'.",
    },
  ],
  'message.timestamp.before.max.ms': ['timestampBeforeMaxMs', milliseconds(0)],
  'message.timestamp.after.max.ms': ['timestampAfterMaxMs', milliseconds(0)],
  'cleanup.policy': [
    'cleanupPolicy',
    { parse: toCleanupPolicy, allowed: "Give 'delete', 'compact', 'compact,delete', or nothing to keep everything." },
  ],
  'retention.ms': ['retentionMs', milliseconds(-1)],
  'retention.bytes': [
    'retentionBytes',
    {
      parse: (text) => wholeNumber(text, -1, Number.POSITIVE_INFINITY),
      allowed: 'Give a whole number of bytes, or -1 for any size.',
    },
  ],
  'file.delete.delay.ms': ['fileDeleteDelayMs', milliseconds(0)],
  'delete.retention.ms': ['deleteRetentionMs', milliseconds(0)],
  'min.cleanable.dirty.ratio': ['minCleanableDirtyRatio', { parse: toRatio, allowed: 'Give a number from 0 to 1.' }],
  'min.compaction.lag.ms': ['minCompactionLagMs', milliseconds(0)],
  'max.compaction.lag.ms': ['maxCompactionLagMs', milliseconds(1)],
}

/**
 * The broker's settings with what a topic's own settings change.
 * @throws MillraceError INVALID_ARGUMENT where a setting is not one of Kafka's, or its value is not allowed.
 */
export function logSettings(
  defaults: LogSettings,
  config: Readonly<Record<string, string>>,
  topic: string,
): LogSettings {
  const changes: Partial<Record<keyof LogSettings, unknown>> = {}
  for (const [name, text] of Object.entries(config)) {
    if (!settingNames.has(name)) {
      throw new MillraceError('INVALID_ARGUMENT', `'${name}' is not a setting of a topic`, {
        at: { topic },
        remedy: "Use Kafka's names, as 'cleanup.policy' or 'retention.ms'.",
      })
    }
    const parser = parsers[name]
    if (parser === undefined) continue
    const [field, { parse, allowed }] = parser
    changes[field] = parse(text)
    if (changes[field] !== undefined) continue
    throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not a value of ${name}`, {
      at: { topic },
      remedy: allowed,
    })
  }
  return { ...defaults, ...(changes as Partial<LogSettings>) }
}

/** Kafka's largest int64, as which it writes that there is no bound. */
const noBound = '9223372036854775807'

/** The settings by Kafka's names, as it writes them. */
export function describeLogSettings(settings: LogSettings): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(parsers).map(([name, [field]]) => {
      const value = settings[field]
      if (value === Number.POSITIVE_INFINITY) return [name, noBound]
      return [name, value === 'none' ? '' : String(value)]
    }),
  )
}

/** A segment that waits too long for compaction must be closed before that. (Kafka: LogConfig.maxSegmentMs.) */
export function longestSegmentMs(settings: LogSettings): number {
  const { segmentMs, maxCompactionLagMs } = settings
  return isCompacted(settings) ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

/** Whether old segments are deleted by age and size. */
export function deletesByAge({ cleanupPolicy }: LogSettings): boolean {
  return cleanupPolicy === 'delete' || cleanupPolicy === 'compact,delete'
}

/** Whether only the last record of each key is kept. */
export function isCompacted({ cleanupPolicy }: LogSettings): boolean {
  return cleanupPolicy === 'compact' || cleanupPolicy === 'compact,delete'
}

function toCleanupPolicy(text: string): CleanupPolicy | undefined {
  const words = text.split(',').map((word) => word.trim())
  if (text.trim() === '') return 'none'
  if (words.some((word) => word !== 'compact' && word !== 'delete')) return undefined
  if (!words.includes('compact')) return 'delete'
  return words.includes('delete') ? 'compact,delete' : 'compact'
}

function toRatio(text: string): number | undefined {
  const ratio = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  return ratio >= 0 && ratio <= 1 ? ratio : undefined
}

/** Numbers that only an int64 holds exactly are taken as they are rounded: they stand for "any". */
function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}
