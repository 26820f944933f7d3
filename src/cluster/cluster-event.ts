import type { MillraceError } from '../errors.ts'

/** Something that whoever runs a cluster in this process should know, and that no call would tell. */
export type ClusterEvent = TornTailCut | DamageQuarantined | DirectoryOffline | CompactionFailed

/**
 * A log's end was not whole after a crash, and was cut there: it was never acknowledged, unless the disk damaged what lay
 * between the last recovery point and the end.
 */
export interface TornTailCut {
  readonly type: 'torn-tail-cut'
  /** The event as a sentence. */
  readonly message: string
  readonly topic: string
  readonly partition: number
  /** The offset that the log ends with now. */
  readonly offset: number
  readonly path: string
  /** Bytes of the file that are left. */
  readonly position: number
  readonly fault: string
}

/**
 * A part of a log was on the device and is damaged. Reads of it fail with CORRUPT_BATCH; nothing of it was changed. Appends
 * fail too where it is not certain where the log ends.
 */
export interface DamageQuarantined {
  readonly type: 'damage-quarantined'
  readonly message: string
  readonly topic: string
  readonly partition: number
  /** The first offset that cannot be read, and the first one that can be again. */
  readonly offset: number
  readonly nextOffset: number
  readonly path: string
  readonly position: number
  readonly endPosition: number
  readonly fault: string
  readonly takesAppends: boolean
}

/** A log could not be compacted, and is left alone until the process is started again: it grows. */
export interface CompactionFailed {
  readonly type: 'compaction-failed'
  readonly message: string
  readonly topic: string
  readonly partition: number
  readonly error: unknown
}

/** The disk failed: nothing more is written to the directory until the process is started again. */
export interface DirectoryOffline {
  readonly type: 'directory-offline'
  readonly message: string
  readonly error: MillraceError
}
