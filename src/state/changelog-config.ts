/** Settings of changelog topics, as Kafka Streams chooses them for each kind of store (its InternalTopicConfig). */
export type ChangelogConfig = Readonly<Record<string, string>>

/** What Kafka Streams adds to the retention of a windowed store's changelog, and to the compaction lag of a versioned one's. */
const slackMs = 24 * 60 * 60 * 1000

/** Of stores whose rows stay until they are deleted. */
export const compactedChangelog: ChangelogConfig = { 'cleanup.policy': 'compact' }

/** What Kafka Streams writes where a retention goes beyond a 64-bit integer. */
const longest = '9223372036854775807'

/** Of stores whose rows expire, if the retention is not infinite. */
export function windowedChangelog(retentionMs: number): ChangelogConfig {
  const retention = retentionMs === Number.POSITIVE_INFINITY ? longest : String(retentionMs + slackMs)
  return { 'cleanup.policy': 'compact,delete', 'retention.ms': retention }
}

/** Of stores of versions: what is compacted must be older than the history that they keep. */
export function versionedChangelog(historyRetentionMs: number): ChangelogConfig {
  return { ...compactedChangelog, 'min.compaction.lag.ms': String(historyRetentionMs + slackMs) }
}

/** Whether a store is logged, and the settings of its changelog topic that differ from the usual ones. */
export type Logging = boolean | ChangelogConfig

/** The parts of a declaration that say how the store is logged. */
export function declareLogging(
  usual: ChangelogConfig,
  logging: Logging | undefined,
): { readonly logged: boolean; readonly changelogConfig: ChangelogConfig } {
  if (typeof logging === 'object') return { logged: true, changelogConfig: { ...usual, ...logging } }
  return { logged: logging !== false, changelogConfig: usual }
}
