import type { Broker } from '../broker.ts'
import type { ConfigEdit } from '../config/config-edit.ts'
import { alterConfigs } from '../protocol/messages/alter-configs.ts'
import { alterResources, type ChangedResource } from './config-resource.ts'
import { type Handler, handlerOf } from './handler.ts'

/** AlterConfigs 0-2: the settings of a resource become those that are given, and no others. */
export function handleAlterConfigs(broker: Broker): Handler {
  return handlerOf(alterConfigs, [0, 2], async ({ resources, validateOnly }) => ({
    responses: await alterResources(broker, resources, validateOnly, () => true, replacement),
  }))
}

function replacement({ configs }: ChangedResource, current: Readonly<Record<string, string>>): ConfigEdit[] {
  const removed = Object.keys(current).map((name) => ({ name, operation: 'DELETE', value: null }) as const)
  return [...removed, ...configs.map(({ name, value }) => ({ name, operation: 'SET', value }) as const)]
}
