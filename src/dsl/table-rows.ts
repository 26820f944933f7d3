/**
 * What operators further down may need of a table besides its updates: the value before with each update, and rows by
 * their key. A table without a store of its own derives both from the table before it, and the first table of such a
 * chain begins to keep its rows when it is asked. After Kafka Streams' `enableSendingOldValues` and `valueGetterSupplier`.
 */
import type { StoreDeclaration } from '../state/store-declaration.ts'
import { type SeenRows, storedValue, type ValueGetterFactory, versionedValue } from './operators/value-getter.ts'
import { sessionValue, suppressedValue, windowValue } from './operators/windowed-value.ts'
import type { WindowShape } from './window-shape.ts'

/** Who looks rows up: a stream, the updates of another table, or a stream by way of a table that is made of several rows at once. */
export type Reader = 'stream' | 'stream-by-table' | 'table'

export interface TableRows {
  /** Has updates carry the value before. False where no store has it and `isForced` does not ask for one. */
  sendOldValues(isForced: boolean): boolean
  /** Has values that were handed on stay as they are, which those of aggregations otherwise need not. */
  keepOldValues(): void
  /** How far back rows have versions, in milliseconds: updates then come of any of them (KIP-914). undefined where they have none. */
  readonly historyMs: number | undefined
  /**
   * How rows are looked up by a stream's records, or by the updates of another table. A stream sees rows as they are, and of
   * versions the one that held at the record's time, but the latest where the table is a join, as that has no versions; a table
   * sees rows as they were handed on, and the latest version.
   */
  lookUp(by: Reader): RowLookUp
}

export interface RowLookUp {
  /** Names of the stores that the getter reads. */
  readonly stores: readonly string[]
  readonly getter: ValueGetterFactory
}

/** Of a table that takes its updates as they come: it has a store where the user named one or an operator needs one. */
export class SourceRows implements TableRows {
  /** The store, once there is one. */
  store: string | undefined = undefined
  readonly #declare: () => StoreDeclaration
  readonly #stores: StoreDeclaration[]
  readonly historyMs: number | undefined
  #sendsOldValues = false

  /** `stores` are those of the table's node. */
  constructor(declare: () => StoreDeclaration, stores: StoreDeclaration[], historyMs: number | undefined) {
    this.#declare = declare
    this.#stores = stores
    this.historyMs = historyMs
  }

  /** Whether updates carry the value before. */
  get sendsOldValues(): boolean {
    return this.#sendsOldValues
  }

  /** Has the table keep its rows from now on. */
  keep(): string {
    if (this.store !== undefined) return this.store
    const declaration = this.#declare()
    this.#stores.push(declaration)
    this.store = declaration.name
    return declaration.name
  }

  sendOldValues(isForced: boolean): boolean {
    if (this.store === undefined && !isForced) return false
    this.keep()
    this.#sendsOldValues = true
    return true
  }

  keepOldValues(): void {}

  lookUp(by: Reader): RowLookUp {
    const store = this.keep()
    return {
      stores: [store],
      getter: this.historyMs === undefined ? storedValue(store, seenBy(by)) : versionedValue(store, by === 'stream'),
    }
  }
}

/** Of the results of an aggregation, which always have a store and always come with the value before. */
export class AggregatedRows implements TableRows {
  readonly historyMs = undefined
  /** Whether aggregates may not be changed in place. */
  keepsOldValues = false
  readonly #store: string
  readonly #isCached: boolean
  readonly #shape: WindowShape | undefined

  /** `shape` is that of the windows, where the results are for windows; `isCached` says whether updates wait in a record cache. */
  constructor(store: string, isCached: boolean, shape?: WindowShape) {
    this.#store = store
    this.#isCached = isCached
    this.#shape = shape
  }

  keepOldValues(): void {
    this.keepsOldValues = true
  }

  sendOldValues(): boolean {
    // What was handed on last is several updates ago then: changed in place, nothing would tell it from what is handed on.
    if (this.#isCached) this.keepsOldValues = true
    return true
  }

  lookUp(by: Reader): RowLookUp {
    const store = this.#store
    // Between updates that wait the table sees what was handed on, which therefore must still be what it was.
    if (this.#isCached && by === 'table') this.keepsOldValues = true
    const getter = this.#shape === undefined ? storedValue : this.#shape.kind === 'time' ? windowValue : sessionValue
    return { stores: [store], getter: getter(store, seenBy(by)) }
  }
}

/** Of a table made from the updates of another, with a store of its own or by deriving its rows at each look-up. */
export class DerivedRows implements TableRows {
  readonly #parent: TableRows
  readonly #store: string | undefined
  readonly #derive: (parent: ValueGetterFactory) => ValueGetterFactory
  readonly #makesValues: boolean
  #sendsOldValues = false

  /** `makesValues` where its values are made of the parent's, also those before. */
  constructor(
    parent: TableRows,
    store: string | undefined,
    derive: (parent: ValueGetterFactory) => ValueGetterFactory,
    makesValues: boolean,
  ) {
    this.#parent = parent
    this.#store = store
    this.#derive = derive
    this.#makesValues = makesValues
  }

  get sendsOldValues(): boolean {
    return this.#sendsOldValues
  }

  /** A store of its own keeps no versions. */
  get historyMs(): number | undefined {
    return this.#store === undefined ? this.#parent.historyMs : undefined
  }

  /** Has updates carry the value before as far as the table before this one can already say it. */
  followParent(): void {
    this.#sendsOldValues = this.#parent.sendOldValues(false)
  }

  sendOldValues(isForced: boolean): boolean {
    this.#sendsOldValues ||= this.#store !== undefined || this.#parent.sendOldValues(isForced)
    if (this.#sendsOldValues && this.#store === undefined && this.#makesValues) this.#parent.keepOldValues()
    return this.#sendsOldValues
  }

  keepOldValues(): void {
    this.#parent.keepOldValues()
  }

  lookUp(by: Reader): RowLookUp {
    if (this.#store !== undefined) return { stores: [this.#store], getter: storedValue(this.#store, seenBy(by)) }
    const parent = this.#parent.lookUp(by)
    return { stores: parent.stores, getter: this.#derive(parent.getter) }
  }
}

/** Of a table that is a join of two, with a store of its own or by joining their rows at each look-up. */
export class JoinedRows implements TableRows {
  /** Also where those of both tables have some, as in Kafka Streams. */
  readonly historyMs = undefined
  readonly #left: TableRows
  readonly #right: TableRows
  readonly #store: string | undefined
  readonly #derive: (left: ValueGetterFactory, right: ValueGetterFactory) => ValueGetterFactory
  #sendsOldValues = false

  constructor(
    [left, right]: readonly [TableRows, TableRows],
    store: string | undefined,
    derive: (left: ValueGetterFactory, right: ValueGetterFactory) => ValueGetterFactory,
  ) {
    this.#left = left
    this.#right = right
    this.#store = store
    this.#derive = derive
  }

  get sendsOldValues(): boolean {
    return this.#sendsOldValues
  }

  /** The joined value before is made of the tables' values before, which therefore must still be what they were. */
  sendOldValues(): boolean {
    this.#sendsOldValues = true
    for (const rows of [this.#left, this.#right]) {
      rows.sendOldValues(true)
      rows.keepOldValues()
    }
    return true
  }

  keepOldValues(): void {
    this.#left.keepOldValues()
    this.#right.keepOldValues()
  }

  lookUp(by: Reader): RowLookUp {
    if (this.#store !== undefined) return { stores: [this.#store], getter: storedValue(this.#store, seenBy(by)) }
    const [left, right] = [this.#left.lookUp(latestFor(by)), this.#right.lookUp(latestFor(by))]
    return { stores: [...new Set([...left.stores, ...right.stores])], getter: this.#derive(left.getter, right.getter) }
  }
}

/** Of a table whose updates are held back: rows as they were handed on last. */
export class SuppressedRows implements TableRows {
  readonly historyMs = undefined
  readonly #parent: TableRows
  readonly #store: string

  constructor(parent: TableRows, store: string) {
    this.#parent = parent
    this.#store = store
  }

  sendOldValues(): boolean {
    return true
  }

  keepOldValues(): void {
    this.#parent.keepOldValues()
  }

  lookUp(by: Reader): RowLookUp {
    this.keepOldValues()
    const parent = this.#parent.lookUp(latestFor(by))
    return { stores: [this.#store, ...parent.stores], getter: suppressedValue(parent.getter, this.#store) }
  }
}

function latestFor(by: Reader): Reader {
  return by === 'stream' ? 'stream-by-table' : by
}

function seenBy(by: Reader): SeenRows {
  return by === 'table' ? 'handed-on' : 'present'
}
