import type { StateStore } from '../../src/state/state-store.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import type { TypedStore } from '../../src/stores/typed-store.ts'
import { ListedChangelog, newEngine } from '../state/store-fixtures.ts'

/** A declared store of a task, as the runtime would run it: opened, flushed, committed, restarted. */
export class OpenedStore<S, R> {
  readonly changelog = new ListedChangelog()
  /** Event time of the record that is processed. */
  now = 0
  expired = 0
  typed!: S
  readOnly!: R
  readonly #declaration: TypedStore<S, R>
  readonly #newEngine: () => StoreEngine
  #engine: StoreEngine
  #store!: StateStore
  #committed = 0

  constructor(declaration: TypedStore<S, R>, openEngine: () => StoreEngine = newEngine) {
    this.#declaration = declaration
    this.#newEngine = openEngine
    this.#engine = openEngine()
    this.#open(0)
  }

  flush(): void {
    this.#store.flush(this.changelog)
  }

  /** With a record processed between flush and commit, as it may be while the runtime waits. */
  commit(meanwhile: () => void = () => {}): void {
    this.flush()
    const position = this.changelog.records.length
    meanwhile()
    this.#store.commit(position)
    this.#committed = position
  }

  /** Starts anew on the same engine: what is not committed is gone. */
  restart(): void {
    this.changelog.records.length = this.#committed
    this.#open(this.#committed)
  }

  /** Starts anew with an empty engine, into which the changelog is read. */
  restore(): void {
    this.changelog.records.length = this.#committed
    this.#engine.clear()
    this.#engine = this.#newEngine()
    this.#open(this.#committed)
  }

  #open(committed: number): void {
    this.#store = this.#declaration.create(this.#engine)
    for (const record of this.changelog.records.slice(this.#store.position(), committed)) this.#store.restore(record)
    this.#store.ready(committed)
    const writer = {
      timestamp: () => this.now,
      expired: () => {
        this.expired++
      },
    }
    this.typed = this.#declaration.open(this.#store, writer)
    this.readOnly = this.#declaration.openReadOnly(this.#store)
  }
}
