import { requireOptions } from '../arguments.ts'
import type { Duration } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import type { ResultStore } from '../stores/result-store.ts'
import type { WindowShape } from './window-shape.ts'

/** The options that say where results are kept; a store is named, or was declared. */
interface StoreChoice {
  readonly store?: string | object
  readonly key?: unknown
  readonly value?: unknown
  readonly engine?: unknown
  readonly logging?: unknown
  readonly retention?: unknown
  readonly versioned?: unknown
}

interface Resolved {
  readonly store?: string
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly engine?: StoreEngineFactory
  readonly logging?: Logging
  readonly retention?: Duration
  readonly declared?: ResultStore
}

/** What a declaration says, so that no option may. */
const declaredOnce = ['key', 'value', 'engine', 'logging', 'retention', 'versioned'] as const

/**
 * The options with the store's name, and with what its declaration says where it was declared; `shape` is that of the windows
 * of the results.
 * @throws MillraceError INVALID_ARGUMENT where the declaration is of another kind, or options say the same as it
 */
export function withDeclaredStore<O extends StoreChoice>(
  options: O,
  shape: WindowShape | undefined,
): Omit<O, keyof Resolved> & Resolved {
  requireOptions('The operator', options, 'the serde of what it makes: { value: serde.json() }')
  const { store } = options
  if (typeof store !== 'object') return options as unknown as Omit<O, keyof Resolved> & Resolved
  const declared = store as ResultStore
  requireKind(declared, shape)
  const twice = declaredOnce.filter((part) => options[part] !== undefined)
  if (twice.length > 0) {
    throw new MillraceError('INVALID_ARGUMENT', `The options say '${twice.join("', '")}' beside a declared store`, {
      at: { store: declared.name },
      remedy: 'Say it where the store is declared, and leave it out here.',
    })
  }
  const { name, engine, results } = declared
  const { key, value, logging } = results
  return {
    ...options,
    store: name,
    key,
    value,
    ...(engine === undefined ? {} : { engine }),
    ...(logging === undefined ? {} : { logging }),
    ...('retention' in results ? { retention: results.retention } : {}),
    declared,
  }
}

function requireKind({ name, results }: ResultStore, shape: WindowShape | undefined): void {
  const at = { store: name }
  if (shape?.kind === 'sliding') {
    throw new MillraceError('INVALID_ARGUMENT', 'Results of sliding windows cannot be kept in a declared store', {
      at,
      remedy: 'Give the name of the store.',
    })
  }
  const needed = shape === undefined ? 'rows' : shape.kind === 'session' ? 'sessions' : 'windows'
  if ((results as ResultStore['results'] | undefined)?.kind !== needed) {
    throw new MillraceError('INVALID_ARGUMENT', `The store was not declared for ${needed}`, {
      at,
      remedy: `Declare it with ${declaredBy[needed]}.`,
    })
  }
  if (results.kind === 'windows' && results.sizeMs !== shape?.sizeMs) {
    throw new MillraceError('INVALID_ARGUMENT', `The store is for windows of ${results.sizeMs} ms`, {
      at,
      remedy: `Declare it with the size of these windows, ${shape?.sizeMs} ms.`,
    })
  }
}

const declaredBy = { rows: 'timestampedKeyValueStore', windows: 'timestampedWindowStore', sessions: 'sessionStore' }
