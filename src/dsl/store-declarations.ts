import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import {
  compactedChangelog,
  declareLogging,
  type Logging,
  versionedChangelog,
  windowedChangelog,
} from '../state/changelog-config.ts'
import { graceBuffer } from '../state/grace-buffer.ts'
import { joinStore } from '../state/join-store.ts'
import { keyValueStore } from '../state/key-value-store.ts'
import { sessionStore } from '../state/session-store.ts'
import { slidingWindowStore } from '../state/sliding-window-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import { suppressStore } from '../state/suppress-store.ts'
import { type UnjoinedStoreOptions, unjoinedStore } from '../state/unjoined-store.ts'
import { versionedStore } from '../state/versioned-store.ts'
import { windowStore } from '../state/window-store.ts'
import type { ResultStore } from '../stores/result-store.ts'
import type { WindowShape } from './window-shape.ts'

interface StoreParts {
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly engine: StoreEngineFactory | undefined
  readonly logging?: Logging | undefined
  readonly caching?: boolean | undefined
  /** The user's own declaration of it. */
  readonly declared?: ResultStore | undefined
  /** Whether windows are kept until they were handed on. */
  readonly isHeld?: boolean
}

/** The parts of options that say how a store is kept. */
export function settingsOf({ engine, logging, caching, declared }: Partial<StoreParts>): {
  readonly engine: StoreEngineFactory | undefined
  readonly logging: Logging | undefined
  readonly caching: boolean | undefined
  readonly declared: ResultStore | undefined
} {
  return { engine, logging, caching, declared }
}

/** The store of an aggregation: of one result per key, or per key and window. */
export function declareStore(
  { engine, logging, caching = false, declared, ...given }: StoreParts,
  shape: WindowShape | undefined,
): StoreDeclaration {
  const { name } = given
  const hotEntries = declared?.results.hotEntries
  const parts = hotEntries === undefined ? given : { ...given, hotEntries }
  const settings = { caching, engine, ...(declared === undefined ? {} : { declaredAs: declared }) }
  if (shape === undefined) {
    return { name, ...declareLogging(compactedChangelog, logging), ...settings, create: keyValueStore(parts) }
  }
  const changelog = windowedChangelog(shape.retentionMs)
  return { name, ...declareLogging(changelog, logging), ...settings, create: windowedStore(parts, shape) }
}

function windowedStore(
  parts: Omit<StoreParts, 'engine'>,
  { kind, sizeMs, retentionMs }: WindowShape,
): StoreDeclaration['create'] {
  switch (kind) {
    case 'session':
      // What ends exactly gap and grace before event time can still be joined; a store takes what is as old as its retention for expired.
      return sessionStore({ ...parts, retentionMs: retentionMs + 1 })
    case 'sliding':
      return slidingWindowStore({ ...parts, sizeMs, retentionMs })
    case 'time':
      return windowStore({ ...parts, sizeMs, retentionMs })
  }
}

/** The store of a table that keeps versions of its rows. */
export function declareVersionedStore(
  { engine, logging, caching, ...parts }: StoreParts,
  historyRetentionMs: number,
): StoreDeclaration {
  if (caching === true) {
    throw new MillraceError('INVALID_ARGUMENT', 'Updates of a table with versions cannot wait in a record cache', {
      at: { store: parts.name },
      remedy:
        'Leave out `caching` or `versioned`: a cache hands on only the last update of a row, versions are all of them.',
    })
  }
  const create = versionedStore({ ...parts, historyRetentionMs })
  return { name: parts.name, ...declareLogging(versionedChangelog(historyRetentionMs), logging), engine, create }
}

/** The records that wait, for a join with a table, until event time has passed them by the grace period. */
export function declareGraceBuffer({ engine, ...parts }: StoreParts): StoreDeclaration {
  const create = graceBuffer(parts)
  return { name: parts.name, logged: true, changelogConfig: compactedChangelog, engine, create }
}

/** The updates that wait in a suppression; `key` is the serde of the keys without their windows. */
export function declareSuppressStore(
  { engine, logging, ...parts }: StoreParts & { readonly measuresBytes: boolean },
  shape: WindowShape | undefined,
): StoreDeclaration {
  const windows = shape === undefined ? 'none' : shape.kind === 'session' ? 'session' : 'time'
  const create = suppressStore({ ...parts, windows, sizeMs: shape?.sizeMs ?? 0 })
  return { name: parts.name, ...declareLogging(compactedChangelog, logging), engine, create }
}

/** The records of one stream that a join keeps. */
export function declareJoinStore({ engine, logging, ...parts }: StoreParts, retentionMs: number): StoreDeclaration {
  const logged = declareLogging(windowedChangelog(retentionMs), logging)
  return { name: parts.name, ...logged, engine, create: joinStore({ ...parts, retentionMs }) }
}

/** The records of both streams of a join that wait for a match. */
export function declareUnjoinedStore({
  engine,
  logging,
  ...parts
}: UnjoinedStoreOptions & Pick<StoreParts, 'engine' | 'logging'>): StoreDeclaration {
  const logged = declareLogging(compactedChangelog, logging)
  return { name: parts.name, ...logged, engine, create: unjoinedStore(parts) }
}
