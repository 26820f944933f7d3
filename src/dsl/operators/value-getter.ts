import type { ValueTransformation } from '../../processor/value-transformation.ts'
import type { KeyLookup } from '../../record/keys-ahead.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import { VersionedStore } from '../../state/versioned-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { ProcessorContext, WaitingRows } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

/** Looks rows of a table up, for an operator that joins with it. After Kafka Streams' KTableValueGetter. */
export interface ValueGetter {
  /** Event time of the value that `get` returned last; of no meaning where it returned none. */
  readonly timestamp: number
  /** Where it looks rows up by the record's key as it is. */
  readonly keyLookup?: KeyLookup | undefined
  /** The table's value for the record's key, which is not null; undefined where the table has none. */
  get(record: FlowRecord): unknown
}

/** Makes the getter for the processor whose context this is. */
export type ValueGetterFactory = (context: ProcessorContext) => ValueGetter

/**
 * Which rows a getter sees where updates wait in a record cache: as they are, for a stream, or as they were handed on last, for
 * another table, whose rows would otherwise be made of what it is never told about.
 */
export type SeenRows = 'present' | 'handed-on'

/** The rows that wait and may not be seen yet; undefined where there are none. */
export function unseenRows(context: ProcessorContext, store: string, seen: SeenRows): WaitingRows | undefined {
  return seen === 'present' ? undefined : context.waitingRows(store)
}

/** What getters over a table's own store have in common. */
export class StoreGetter {
  timestamp = 0
  /** What was handed on of a row that waits. */
  protected handedOn: unknown
  readonly #unseen: WaitingRows | undefined

  protected constructor(unseen: WaitingRows | undefined) {
    this.#unseen = unseen
  }

  /** Whether the row waits, and so is what was handed on of it. */
  protected waits(keyId: number, start: number, end: number): boolean {
    const unseen = this.#unseen
    const row = unseen === undefined ? -1 : unseen.find(keyId, start, end)
    if (unseen === undefined || row < 0) return false
    this.timestamp = unseen.handedOnTimestamp(row)
    this.handedOn = unseen.handedOn(row)
    return true
  }
}

/** Reads the store of a table that keeps its rows. */
export function storedValue(store: string, seen: SeenRows): ValueGetterFactory {
  return (context) => new StoredValue(connectedStore(context, store, KeyValueStore), unseenRows(context, store, seen))
}

/** Reads the store of a table that keeps versions: the latest one, or the one that held at the record's time. */
export function versionedValue(store: string, isAsOf: boolean): ValueGetterFactory {
  return (context) => new VersionedValue(connectedStore(context, store, VersionedStore), isAsOf)
}

/** For a filtered table without a store: the parent's row, if the predicate lets it through. */
export function filteredValue(
  parent: ValueGetterFactory,
  operator: string,
  predicate: RecordCallback<boolean>,
  keepsWhen: boolean,
): ValueGetterFactory {
  return (context) => new FilteredValue(parent(context), operator, predicate, keepsWhen)
}

/** For a mapped table without a store: the parent's row, mapped again at every look-up. */
export function mappedValue(
  parent: ValueGetterFactory,
  operator: string,
  mapper: RecordCallback<unknown>,
): ValueGetterFactory {
  return (context) => new MappedValue(parent(context), operator, mapper)
}

/** For a table of transformed values without a store: the parent's row, transformed again at every look-up. */
export function transformedValue(
  parent: ValueGetterFactory,
  operator: string,
  create: () => ValueTransformation,
): ValueGetterFactory {
  return (context) => {
    const transformation = create()
    transformation.init(context)
    return new TransformedValue(parent(context), operator, transformation)
  }
}

class StoredValue extends StoreGetter implements ValueGetter {
  readonly #store: KeyValueStore

  constructor(store: KeyValueStore, unseen: WaitingRows | undefined) {
    super(unseen)
    this.#store = store
  }

  get keyLookup(): KeyLookup {
    return this.#store
  }

  get(record: FlowRecord): unknown {
    const keyId = this.#store.keyId(record)
    if (this.waits(keyId, 0, 0)) return this.handedOn
    const entry = this.#store.entry(keyId)
    this.timestamp = entry.timestamp
    return entry.value
  }
}

class VersionedValue implements ValueGetter {
  timestamp = 0
  readonly #store: VersionedStore
  readonly #isAsOf: boolean

  constructor(store: VersionedStore, isAsOf: boolean) {
    this.#store = store
    this.#isAsOf = isAsOf
  }

  get(record: FlowRecord): unknown {
    const store = this.#store
    const keyId = store.keyId(record)
    const version = this.#isAsOf ? store.asOf(keyId, record.timestamp) : store.latest(keyId)
    if (version === undefined) return undefined
    this.timestamp = version.timestamp
    return version.value
  }
}

class FilteredValue implements ValueGetter {
  readonly #parent: ValueGetter
  readonly #operator: string
  readonly #predicate: RecordCallback<boolean>
  readonly #readsKey: boolean
  readonly #keepsWhen: boolean

  constructor(parent: ValueGetter, operator: string, predicate: RecordCallback<boolean>, keepsWhen: boolean) {
    this.#parent = parent
    this.#operator = operator
    this.#predicate = predicate
    this.#readsKey = takesParameter(predicate, 1)
    this.#keepsWhen = keepsWhen
  }

  get timestamp(): number {
    return this.#parent.timestamp
  }

  get(record: FlowRecord): unknown {
    const value = this.#parent.get(record)
    if (value === undefined) return undefined
    record.operator = this.#operator
    const predicate = this.#predicate
    const holds = !!predicate(value, this.#readsKey ? record.key() : undefined)
    return holds === this.#keepsWhen ? value : undefined
  }
}

class TransformedValue implements ValueGetter {
  readonly #parent: ValueGetter
  readonly #operator: string
  readonly #transformation: ValueTransformation

  constructor(parent: ValueGetter, operator: string, transformation: ValueTransformation) {
    this.#parent = parent
    this.#operator = operator
    this.#transformation = transformation
  }

  get timestamp(): number {
    return this.#parent.timestamp
  }

  get(record: FlowRecord): unknown {
    const value = this.#parent.get(record)
    record.operator = this.#operator
    return this.#transformation.ofRow(record.key(), value ?? null)
  }
}

class MappedValue implements ValueGetter {
  readonly #parent: ValueGetter
  readonly #operator: string
  readonly #mapper: RecordCallback<unknown>
  readonly #readsKey: boolean

  constructor(parent: ValueGetter, operator: string, mapper: RecordCallback<unknown>) {
    this.#parent = parent
    this.#operator = operator
    this.#mapper = mapper
    this.#readsKey = takesParameter(mapper, 1)
  }

  get timestamp(): number {
    return this.#parent.timestamp
  }

  get(record: FlowRecord): unknown {
    const value = this.#parent.get(record)
    if (value === undefined) return undefined
    record.operator = this.#operator
    const mapper = this.#mapper
    return mapper(value, this.#readsKey ? record.key() : undefined) ?? undefined
  }
}
