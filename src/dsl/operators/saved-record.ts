import type { FlowRecord, SavedHeaders, SavedKey, SavedValue } from '../../topology/flow-record.ts'

const noBytes = Buffer.alloc(0)

export function emptySavedValue(): SavedValue {
  return { value: null, bytes: noBytes, start: -1, end: -1, serde: undefined, oldValue: undefined }
}

export function emptySavedKey(): SavedKey {
  return {
    key: null,
    bytes: noBytes,
    start: -1,
    end: -1,
    serde: undefined,
    windowed: false,
    windowStart: 0,
    windowEnd: 0,
    timestamp: 0,
  }
}

export function emptySavedHeaders(): SavedHeaders {
  return { count: 0, headers: undefined, bytes: noBytes, start: 0, end: 0 }
}

/** Key, value and timestamp of a record, kept while an operator's children see others. Made once per operator. */
export class SavedRecord {
  readonly #key: SavedKey = emptySavedKey()
  readonly #value: SavedValue = emptySavedValue()

  save(record: FlowRecord): void {
    record.saveKey(this.#key)
    record.saveValue(this.#value)
  }

  restore(record: FlowRecord): void {
    record.restoreKey(this.#key)
    record.restoreValue(this.#value)
  }
}
