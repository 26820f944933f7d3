import { type Duration, toMilliseconds } from './duration.ts'
import { MillraceError } from './errors.ts'

/** The names of Kafka's topic settings (org.apache.kafka.common.config.TopicConfig). */
export const topicSettingNames = [
  'cleanup.policy',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.type',
  'compression.zstd.level',
  'delete.retention.ms',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'follower.replication.throttled.replicas',
  'index.interval.bytes',
  'leader.replication.throttled.replicas',
  'local.retention.bytes',
  'local.retention.ms',
  'max.compaction.lag.ms',
  'max.message.bytes',
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
  'segment.bytes',
  'segment.index.bytes',
  'segment.jitter.ms',
  'segment.ms',
  'unclean.leader.election.enable',
] as const

export type TopicSettingName = (typeof topicSettingNames)[number]

/** Kafka's topic settings by their names. Settings in milliseconds may be written as durations: `{ 'retention.ms': '7d' }`. */
export type TopicConfig = {
  readonly [Name in TopicSettingName]?: Name extends `${string}.ms` ? Duration | `${number}` : string | number | boolean
}

/**
 * The settings as Kafka writes them.
 * @throws MillraceError INVALID_ARGUMENT where one is no setting of a topic, or no duration.
 */
export function topicConfig(config: TopicConfig, topic: string): Readonly<Record<string, string>> {
  const names: ReadonlySet<string> = new Set(topicSettingNames)
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (names.has(name)) return [name, name.endsWith('.ms') ? toMillisecondsText(value, name) : String(value)]
      throw new MillraceError('INVALID_ARGUMENT', `'${name}' is not a setting of a topic`, {
        at: { topic },
        remedy: "Use Kafka's names, as 'cleanup.policy' or 'retention.ms'.",
      })
    }),
  )
}

/** -1 stands for no bound, and numbers that are written out are left as they are. */
function toMillisecondsText(value: string | number | boolean, name: string): string {
  return /^-?\d+$/.test(String(value)) ? String(value) : String(toMilliseconds(value as Duration, name))
}
