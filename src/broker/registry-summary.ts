import type { MetadataRecord } from './metadata-record.ts'
import type { SecurityRecord } from './security-record.ts'

/** What the registry holds. */
export interface RegistryState {
  list(): readonly RegisteredTopic[]
  /** By the name of the resource. */
  readonly brokerConfigs: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly nextProducerId: number
  readonly credentials: { records(): readonly SecurityRecord[] }
  readonly rules: { records(): readonly SecurityRecord[] }
  readonly quotas: { records(): readonly SecurityRecord[] }
}

interface RegisteredTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** No batch of a summary has more records, but for those of one topic, which stay together. */
const recordsPerBatch = 1_000

/** By the type of a record: all records that say what the registry holds of it now. */
type Summaries = {
  readonly [T in MetadataRecord['type']]: (state: RegistryState) => readonly (readonly MetadataRecord[])[]
}

const withTheirTopics = (): [] => []
const outOfDate = (): [] => []

const summaries: Summaries = {
  topic: (state) => state.list().map(recordsOf),
  partition: withTheirTopics,
  'remove-topic': outOfDate,
  config: (state) =>
    inBatches(
      [...state.brokerConfigs].flatMap(([resourceName, config]) => {
        return Object.entries(config).map(([name, value]) => {
          return { type: 'config' as const, resource: 'broker' as const, resourceName, name, value }
        })
      }),
    ),
  'producer-ids': ({ nextProducerId }) => (nextProducerId === 0 ? [] : [[{ type: 'producer-ids', nextProducerId }]]),
  'scram-credential': ({ credentials }) => inBatches(credentials.records()),
  'remove-scram-credential': outOfDate,
  'access-control-entry': ({ rules }) => inBatches(rules.records()),
  'remove-access-control-entry': outOfDate,
  'client-quota': ({ quotas }) => inBatches(quotas.records()),
}

/**
 * All that the registry says, in as few records as that takes, by batches: those of a topic are in one, so that a crash leaves
 * it whole. Replayed over what the registry says already, they change nothing.
 */
export function registrySummary(state: RegistryState): MetadataRecord[][] {
  return Object.values(summaries).flatMap((summary) => summary(state).map((batch) => [...batch]))
}

/** The records of one topic. */
export function recordsOf(topic: RegisteredTopic): MetadataRecord[] {
  const records: MetadataRecord[] = [{ type: 'topic', name: topic.name, topicId: topic.id }]
  for (const [name, value] of Object.entries(topic.config)) {
    records.push({ type: 'config', resource: 'topic', resourceName: topic.name, name, value })
  }
  for (let partition = 0; partition < topic.partitions; partition++) {
    records.push({ type: 'partition', partition, topicId: topic.id })
  }
  return records
}

function inBatches(records: readonly MetadataRecord[]): MetadataRecord[][] {
  const batches: MetadataRecord[][] = []
  for (let from = 0; from < records.length; from += recordsPerBatch) {
    batches.push(records.slice(from, from + recordsPerBatch))
  }
  return batches
}
