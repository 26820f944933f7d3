import type { ProcessorSupplier } from '../processor/processor.ts'
import { processorSteps } from '../processor/processor-step.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { Topic } from '../topic.ts'
import { withDeclaredStore } from './declared-store.ts'
import type { GlobalStoreOptions, GlobalTableOptions, OperatorOptions } from './operator-options.ts'
import { tableSource } from './operators/table-source.ts'
import type { GlobalStorePlan, Plan, Unlinked } from './plan.ts'
import { declareStore, settingsOf } from './store-declarations.ts'
import type { GlobalKTable } from './streams.ts'

/** A global table as the plan knows it. */
export class PlannedGlobalTable<K, V> implements GlobalKTable<K, V> {
  readonly isGlobal = true as const
  readonly plan: Plan
  readonly storeName: string
  readonly queryableStoreName: string | undefined

  constructor(plan: Plan, storeName: string, isQueryable: boolean) {
    this.plan = plan
    this.storeName = storeName
    this.queryableStoreName = isQueryable ? storeName : undefined
  }
}

export function addGlobalTable<K, V>(
  plan: Plan,
  topic: Topic<K, V>,
  given: GlobalTableOptions<K, V>,
): GlobalKTable<K, V> {
  const options = withDeclaredStore(given, undefined)
  const store = plan.names.store(`${topic.name}-`, options.store)
  const { sourceName, name } = globalNames(plan, options)
  const key = options.key ?? (topic.key as Serde<unknown>)
  const value = options.value ?? (topic.value as Serde<unknown>)
  const declaration = declareStore({ name: store, key, value, ...settingsOf(options) }, undefined)
  const create = tableSource(() => ({ store, sendsOldValues: false, isVersioned: false }))
  add(plan, {
    name,
    sourceName,
    topic: topic as unknown as GlobalStorePlan['topic'],
    store: declaration,
    create,
    options: options as GlobalStorePlan['options'],
  })
  return new PlannedGlobalTable(plan, store, options.store !== undefined || options.engine === undefined)
}

export function addGlobalStore<K, V>(
  plan: Plan,
  store: StoreDeclaration,
  topic: Topic<K, V>,
  supplier: ProcessorSupplier<K, V, never, never>,
  options: GlobalStoreOptions<K, V>,
): void {
  const { sourceName, name } = globalNames(plan, options)
  const create = processorSteps(supplier, name)
  add(plan, {
    name,
    sourceName,
    topic: topic as unknown as GlobalStorePlan['topic'],
    store,
    create,
    options: options as GlobalStorePlan['options'],
  })
}

function globalNames(plan: Plan, { name }: OperatorOptions): { sourceName: string; name: string } {
  const source = name === undefined ? undefined : `${name}-source`
  const sourceName = plan.names.operator('KSTREAM-SOURCE-', source)
  return { sourceName, name: plan.names.operator('KTABLE-SOURCE-', name) }
}

function add(plan: Plan, parts: Omit<Unlinked<GlobalStorePlan>, 'kind'>): void {
  plan.add<GlobalStorePlan>({ kind: 'global-store', ...parts }, [])
}
