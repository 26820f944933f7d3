import type { Broker } from '../broker.ts'
import { handleApiVersions } from './api-versions.ts'
import { handleFetch } from './fetch.ts'
import type { Handler } from './handler.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleMetadata } from './metadata.ts'
import { handleProduce } from './produce.ts'

/** The APIs that a broker serves: one handler for each, in a file of its own. */
export function handlersOf(broker: Broker): readonly Handler[] {
  const handlers: Handler[] = [
    handleProduce(broker),
    handleFetch(broker),
    handleListOffsets(broker),
    handleMetadata(broker),
    handleApiVersions(() => handlers),
  ]
  return handlers
}
