import type { Broker } from '../broker.ts'
import { type ConfigEdit, configOperations } from '../config/config-edit.ts'
import { incrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts'
import { alterResources, type ChangedResource } from './config-resource.ts'
import { type Handler, handlerOf } from './handler.ts'

const deletion = configOperations.indexOf('DELETE')

/** IncrementalAlterConfigs 0-1: sets settings and takes them away, or elements of lists. Levels of loggers cannot be changed. */
export function handleIncrementalAlterConfigs(broker: Broker): Handler {
  return handlerOf(incrementalAlterConfigs, [0, 1], async ({ resources, validateOnly }) => ({
    responses: await alterResources(
      broker,
      resources,
      validateOnly,
      ({ configOperation }) => configOperation !== deletion,
      editsOf,
    ),
  }))
}

function editsOf({ configs }: ChangedResource): ConfigEdit[] {
  return configs.map(({ name, value, configOperation = 0 }) => {
    const operation = configOperations[configOperation]
    return { name, operation: operation as ConfigEdit['operation'], value }
  })
}
