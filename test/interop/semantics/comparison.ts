import { isDeepStrictEqual } from 'node:util'
import type { Answer, OutputLine, StoreContents } from './case.ts'

export interface Difference {
  /** The same for differences of one kind: what shrinking must not change. */
  readonly kind: string
  readonly text: string
}

/** What differs; undefined where nothing does. Where both refuse a topology, their words may differ. */
export function differenceOf(kafka: Answer, ours: Answer): Difference | undefined {
  if (kafka.error !== undefined || ours.error !== undefined) return differentErrors(kafka, ours)
  if (kafka.describe !== ours.describe) return difference('describe()', kafka.describe, ours.describe)
  for (const [step, lines] of (kafka.steps ?? []).entries()) {
    const other = ours.steps?.[step] ?? []
    if (isDeepStrictEqual(byTopic(lines), byTopic(other))) continue
    return difference('outputs', `event ${step}:\n${asText(lines)}`, asText(other))
  }
  const [theirTopics, ourTopics] = [writtenTopics(kafka, ours), writtenTopics(ours, kafka)]
  if (!isDeepStrictEqual(theirTopics, ourTopics)) {
    return difference('topics written to', theirTopics.join('\n'), ourTopics.join('\n'))
  }
  return differentStores(kafka, ours)
}

function difference(kind: string, theirs: string | undefined, ours: string | undefined): Difference {
  return { kind, text: `different ${kind}\n--- Kafka Streams\n${theirs}\n--- Millrace\n${ours}` }
}

/** What Kafka Streams cannot build and Millrace can; with the reason why. */
const onlyKafkaRefuses: readonly RegExp[] = [
  // A join is built before the table whose store it looks up, when that comes from a grouped stream that is used twice.
  /StateStore \S+ is not added yet/,
  // Two streams without names are cogrouped that both need a repartition topic, or one that does is cogrouped twice.
  /-repartition-(filter|sink|source) is already added/,
  // The optimiser merges repartition topics of one stream twice by way of an operator that it has moved already.
  /Found a null keyChangingChild node/,
  // The results of a windowed cogroup are looked up as if they had no windows.
  /KTable source state store must implement/,
  // A left join with a grace period buffers a record without a key, for which it has no place.
  /KSTREAM-LEFTJOIN-\d+.* NullPointerException: key/,
  /processor=join\d*,.* NullPointerException: key/,
]

function differentErrors(kafka: Answer, ours: Answer): Difference | undefined {
  const theirs = kafka.error
  if (theirs !== undefined && onlyKafkaRefuses.some((known) => known.test(theirs))) return undefined
  if (theirs !== undefined && ours.error !== undefined) {
    if (kafka.failedAt === ours.failedAt) return undefined
    return difference('events that fail', `${kafka.failedAt}: ${theirs}`, `${ours.failedAt}: ${ours.error}`)
  }
  const kind = `only ${kafka.error === undefined ? 'Millrace' : 'Kafka Streams'} fails: ${kafka.error ?? ours.error}`
  return { kind, text: kind }
}

/**
 * Windows and sessions of processors, of which Kafka Streams also logs what is expired; buffers that are logged in formats of
 * Millrace's own; and histories, whose logs are not the last value of each key, and in
 * Kafka Streams have what comes too late too.
 */
const ownFormat =
  /SUPPRESS|suppress|SHARED|shared-join-store|-Buffer-changelog|-history\d+-changelog|-spans\d+-changelog/

/** Buffers in which records with the same key and time are told apart by numbers: from 1 for each in Millrace, for the store in Kafka Streams. */
const joinBuffer =
  /-(left|right)\d+-changelog$|-(JOIN|OUTER)(THIS|OTHER)-\d+-store-changelog$|-(this|other)-join-store-changelog$/

/** Kafka Streams also logs what is too late to be kept, and windows that close with the record that opened them. */
function isPartOf(contents: StoreContents, theirs: StoreContents, numberBytes: number): boolean {
  const all = rowsOf(theirs, numberBytes)
  return [...rowsOf(contents, numberBytes)].every((row) => all.has(row))
}

/**
 * The same values; a window that closes in the event that changes it is not written any more, and stays as it was before (or
 * away, where a session was removed to be put anew), as it is gone from the store all the same. A changelog's timestamps decide nothing but its retention; Kafka Streams' of sessions
 * are those of the last record.
 */
function hasSameValues(contents: StoreContents, theirs: StoreContents): boolean {
  return [...new Set([...Object.keys(theirs), ...Object.keys(contents)])].every((key) => {
    const ours = contents[key]?.[0] ?? null
    const [value, , others] = theirs[key] ?? [null]
    return ours === value || others?.includes(ours) === true
  })
}

function rowsOf(contents: StoreContents, numberBytes: number): Set<string> {
  const rows = Object.entries(contents)
  return new Set(rows.map(([key, [value]]) => `${key.slice(0, key.length - numberBytes)} ${value}`))
}

function differentStores(kafka: Answer, ours: Answer): Difference | undefined {
  for (const [changelog, theirs] of Object.entries(kafka.stores ?? {})) {
    const contents = ours.stores?.[changelog]
    if (contents === undefined || ownFormat.test(changelog)) continue
    const isSame = joinBuffer.test(changelog) ? isPartOf(contents, theirs, 4) : hasSameValues(contents, theirs)
    if (isSame) continue
    return difference(`contents of ${changelog}`, JSON.stringify(theirs), JSON.stringify(contents))
  }
  return undefined
}

/** Kafka Streams also logs the deletion of what is not there; changelogs that one alone wrote to are left out. */
function writtenTopics(answer: Answer, other: Answer): string[] {
  const isCommon = (topic: string) => !topic.endsWith('-changelog') || other.topics?.includes(topic)
  return (answer.topics ?? []).filter(isCommon)
}

/** Only the order of each topic's records means something. */
function byTopic(lines: readonly OutputLine[]): Record<string, OutputLine[]> {
  const topics: Record<string, OutputLine[]> = {}
  for (const line of lines) {
    topics[line[0]] ??= []
    topics[line[0]].push(line)
  }
  return topics
}

function asText(lines: readonly OutputLine[]): string {
  return lines.length === 0 ? '-' : lines.map((line) => JSON.stringify(line)).join('\n')
}
