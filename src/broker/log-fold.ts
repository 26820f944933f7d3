import type { Timers } from '../env/environment.ts'
import { MillraceError, type Place } from '../errors.ts'
import { BatchReader } from '../record/batch-reader.ts'
import { LogCursor } from './log/log-cursor.ts'
import type { PartitionLog } from './log/partition-log.ts'

const bufferBytes = 65_536
/** A replay gives way to sockets and timers after this many reads. */
const readsPerSlice = 64

/**
 * Live state as the fold of a log: the only way into the state is to read the log's records, in order, below its high
 * watermark. So what is in memory is by construction what a restart would find.
 */
export class LogFold {
  readonly #cursor: LogCursor
  readonly #reader = new BatchReader()
  readonly #apply: (record: BatchReader) => void

  constructor(log: PartitionLog, apply: (record: BatchReader) => void) {
    this.#cursor = new LogCursor(log, log.logStartOffset, bufferBytes)
    this.#apply = apply
  }

  /** Applies everything that has become visible since the last time. */
  catchUp(): void {
    while (this.#step());
  }

  /** The same for a long log, in slices. */
  async replay(timers: Timers): Promise<void> {
    for (let reads = 1; this.#step(); reads++) {
      if (reads % readsPerSlice === 0) await timers.nextTurn()
    }
  }

  #step(): boolean {
    const from = this.#cursor.offset
    const bytes = this.#cursor.read()
    if (bytes.length === 0) return false
    this.#reader.reset(bytes)
    while (this.#reader.nextBatch()) {
      while (this.#reader.next()) if (this.#reader.offset >= from) this.#take()
    }
    return true
  }

  #take(): void {
    try {
      this.#apply(this.#reader)
    } catch (error) {
      const { topic, partition } = this.#cursor.log
      throw unreadableRecord(error, { topic, partition, offset: this.#reader.offset })
    }
  }
}

const unreadable: ReadonlySet<string> = new Set(['MALFORMED_MESSAGE', 'NUMBER_OUT_OF_RANGE'])

/** The error for a record of the broker's own logs that is not in its format: it says where the record is. */
export function unreadableRecord(error: unknown, at: Place): unknown {
  if (!(error instanceof MillraceError) || !unreadable.has(error.code)) return error
  return new MillraceError('CORRUPT_BATCH', `A record of the broker's own log cannot be read: ${error.message}`, {
    at,
    remedy: 'Put back a copy of the log that it is in.',
    cause: error,
  })
}
