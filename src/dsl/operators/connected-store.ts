import { assert, MillraceError } from '../../errors.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { ProcessorContext } from '../../topology/processor.ts'

/** The operator's store, which the topology must have connected to it. */
export function connectedStore<S extends StateStore>(
  context: ProcessorContext,
  name: string,
  kind: abstract new (...parts: never[]) => S,
): S {
  const store = context.store(name)
  assert(store instanceof kind, `the store '${name}' of '${context.name}' is a ${kind.name}`)
  return store
}

/** A global store, which the topology must have. */
export function globalStore<S extends StateStore>(
  context: ProcessorContext,
  name: string,
  kind: abstract new (...parts: never[]) => S,
): S {
  const store = context.task.globalStore(name)
  assert(store instanceof kind, `the global store '${name}' is a ${kind.name}`)
  return store
}

/** Results that can still change must still be in the store. */
export function requireRetention(
  context: ProcessorContext,
  store: string,
  retentionMs: number,
  neededMs: number,
): void {
  if (retentionMs >= neededMs) return
  throw new MillraceError('INVALID_TOPOLOGY', `The store keeps windows for ${retentionMs} ms`, {
    at: { operator: context.name, store },
    remedy: `Its windows take records for ${neededMs} ms: keep them at least as long.`,
  })
}
