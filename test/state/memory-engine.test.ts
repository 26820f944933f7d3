import { describe } from 'vitest'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import { storeEngineConformance } from './store-engine-conformance.ts'

describe('memoryEngine', () => {
  storeEngineConformance(
    () => memoryEngine,
    () => '',
  )
})
