import type { ValueTransformation } from '../../processor/value-transformation.ts'
import { KeyValueStore } from '../../state/key-value-store.ts'
import { VersionedStore } from '../../state/versioned-store.ts'
import type { FlowRecord } from '../../topology/flow-record.ts'
import type { ProcessorContext } from '../../topology/processor.ts'
import { connectedStore } from './connected-store.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

/** Looks rows of a table up, for an operator that joins with it. After Kafka Streams' KTableValueGetter. */
export interface ValueGetter {
  /** Event time of the value that `get` returned last; of no meaning where it returned none. */
  readonly timestamp: number
  /** The table's value for the record's key, which is not null; undefined where the table has none. */
  get(record: FlowRecord): unknown
}

/** Makes the getter for the processor whose context this is. */
export type ValueGetterFactory = (context: ProcessorContext) => ValueGetter

/** Reads the store of a table that keeps its rows. */
export function storedValue(store: string): ValueGetterFactory {
  return (context) => new StoredValue(connectedStore(context, store, KeyValueStore))
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

class StoredValue implements ValueGetter {
  timestamp = 0
  readonly #store: KeyValueStore

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  get(record: FlowRecord): unknown {
    const entry = this.#store.entry(this.#store.keyId(record))
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
