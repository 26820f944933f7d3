import type { Serde } from '../serde/serde.ts'
import { compactedChangelog, windowedChangelog } from '../state/changelog-config.ts'
import { keyValueStore } from '../state/key-value-store.ts'
import { sessionStore } from '../state/session-store.ts'
import { slidingWindowStore } from '../state/sliding-window-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import { suppressStore } from '../state/suppress-store.ts'
import { windowStore } from '../state/window-store.ts'
import type { WindowShape } from './window-shape.ts'

interface StoreParts {
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly engine: StoreEngineFactory | undefined
  /** Whether windows are kept until they were handed on. */
  readonly isHeld?: boolean
}

/** The store of an aggregation: of one result per key, or per key and window. */
export function declareStore({ engine, ...parts }: StoreParts, shape: WindowShape | undefined): StoreDeclaration {
  const { name } = parts
  if (shape === undefined) {
    return { name, logged: true, changelogConfig: compactedChangelog, engine, create: keyValueStore(parts) }
  }
  const { retentionMs } = shape
  return {
    name,
    logged: true,
    changelogConfig: windowedChangelog(retentionMs),
    engine,
    create: windowedStore(parts, shape),
  }
}

function windowedStore(
  parts: Omit<StoreParts, 'engine'>,
  { kind, sizeMs, retentionMs }: WindowShape,
): StoreDeclaration['create'] {
  switch (kind) {
    case 'session':
      return sessionStore({ ...parts, retentionMs })
    case 'sliding':
      return slidingWindowStore({ ...parts, sizeMs, retentionMs })
    case 'time':
      return windowStore({ ...parts, sizeMs, retentionMs })
  }
}

/** The results that wait for their windows to close; `key` is the serde of the keys without their windows. */
export function declareSuppressStore({ engine, ...parts }: StoreParts): StoreDeclaration {
  const create = suppressStore(parts)
  return { name: parts.name, logged: true, changelogConfig: compactedChangelog, engine, create }
}
