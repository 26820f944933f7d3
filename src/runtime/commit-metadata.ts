import { MillraceError } from '../errors.ts'
import type { DropReason } from '../topology/processor.ts'

/**
 * What a task writes beside its input offsets when it commits. Because offsets and metadata are one record batch of the
 * offsets topic, a commit is atomic: after a crash the stores are restored exactly up to these changelog positions, and so
 * hold exactly the committed input, although changelogs and offsets are different topics. (Kafka Streams keeps stream times
 * in the same place; the changelog positions are Millrace's.)
 */
export interface CommitMetadata {
  /** By store: the changelog offset after the last record of this commit. */
  readonly changelogs: Readonly<Record<string, number>>
  /** The stores that are restored from a table's topic, and not from a changelog. */
  readonly sourced: readonly string[]
  /** By processor: the greatest event time it has seen. */
  readonly streamTimes: Readonly<Record<string, number>>
  /** By processor: the event time up to which windows have closed and were handed on, where it hands on closed windows only. */
  readonly emittedTimes: Readonly<Record<string, number>>
  /** By topic that the task reads: the greatest event time of its records. */
  readonly partitionTimes: Readonly<Record<string, number>>
  /** By operator: the records it dropped since the application was first started. */
  readonly drops: Readonly<Record<string, Partial<Record<DropReason, number>>>>
}

export const emptyCommit: CommitMetadata = {
  changelogs: {},
  sourced: [],
  streamTimes: {},
  emittedTimes: {},
  partitionTimes: {},
  drops: {},
}

const version = 1

export function encodeCommitMetadata(metadata: CommitMetadata): string {
  return JSON.stringify({ version, ...metadata })
}

/** @throws MillraceError INVALID_ARGUMENT where the text was not written by a version of Millrace that this one can read. */
export function decodeCommitMetadata(text: string): CommitMetadata {
  const parsed = parse(text)
  if (parsed?.version === version) return { ...emptyCommit, ...parsed }
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `The committed offsets carry metadata that this version cannot read: '${text.slice(0, 80)}'`,
    {
      remedy:
        'Another program commits under the same application id, or a newer Millrace did: use another application id.',
    },
  )
}

function parse(text: string): (CommitMetadata & { version: number }) | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
