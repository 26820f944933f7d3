import type { FetchedBatches } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import type { StateStore } from '../state/state-store.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { PlannedInput } from './task-assembly.ts'
import { type BadRecordPolicy, placed, TaskInput } from './task-input.ts'

export interface SourceRestoreParts {
  readonly input: PlannedInput
  readonly store: StateStore
  /** The records with `from <= offset < to` are restored. */
  readonly from: number
  readonly to: number
  readonly badRecords: BadRecordPolicy
  readonly clock: Clock
}

/**
 * Restores the store of a table from the table's own topic. Records are read as the task reads them, so that what it did
 * not take into the store does not come there this way either: records without a key, and bad ones, which are left out or
 * end the restoring as `badRecords` says. (Kafka Streams copies the topic's bytes unseen, KAFKA-8037.) They were counted
 * when they were read first.
 */
export class SourceRestore {
  readonly #parts: SourceRestoreParts
  readonly #input: TaskInput
  #isOver: boolean

  constructor(parts: SourceRestoreParts) {
    const { input, from, to, badRecords, clock } = parts
    this.#parts = parts
    this.#isOver = from >= to
    this.#input = new TaskInput({
      ...input,
      position: from,
      highWatermark: to,
      partitionTimeMs: -1,
      output: { process: (record) => this.#restore(record) },
      badRecords,
      drop() {},
      clock,
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Where to read on. */
  get position(): number {
    return this.#input.position
  }

  /** @throws MillraceError of the record that cannot be read, with its place */
  take(fetched: FetchedBatches): void {
    const input = this.#input
    const { record } = input
    try {
      input.load(fetched)
      while (input.hasHead && record.offset < this.#parts.to) {
        input.output.process(record)
        input.advance()
      }
    } catch (error) {
      throw placed(error, { ...input.partition, offset: record.offset, operator: input.sourceName })
    }
    this.#isOver = input.hasHead || input.position >= this.#parts.to
  }

  #restore(record: FlowRecord): void {
    if (!record.hasKey) return
    const value = record.value()
    const isDeletion = value === null || value === undefined
    this.#parts.store.restore({
      key: record.keyBytes.subarray(record.keyStart, record.keyEnd),
      value: isDeletion ? null : record.valueBytes.subarray(record.valueStart, record.valueEnd),
      timestamp: record.timestamp,
    })
  }
}
