import type { Broker } from '../broker.ts'
import type { ConfigRefusal } from '../config/config-changes.ts'
import { type ConfigEdit, configOperations } from '../config/config-edit.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { errorNameOf } from './error-of.ts'
import { topicNameProblem } from './topic-name-problem.ts'

/** Kinds of resources that have settings (org.apache.kafka.common.config.ConfigResource.Type). */
export const topicResource = 2
export const brokerResource = 4

/** What a request changes of one resource. */
export interface ChangedResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly {
    readonly name: string
    readonly value: string | null
    readonly configOperation?: number
  }[]
}

export interface AlteredResource {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

/** Whether a value is missing where one must be. */
type NeedsValue = (config: ChangedResource['configs'][number]) => boolean

/**
 * Changes the settings of each resource of a request, every one for itself. (Kafka: ConfigAdminManager.preprocess, then
 * ConfigurationControlManager.)
 *
 * @param edits what a resource's settings become, told what they are
 */
export async function alterResources<R extends ChangedResource>(
  broker: Broker,
  resources: readonly R[],
  validateOnly: boolean,
  needsValue: NeedsValue,
  edits: (resource: R, current: Readonly<Record<string, string>>) => readonly ConfigEdit[],
): Promise<AlteredResource[]> {
  const responses: AlteredResource[] = []
  for (const resource of resources) {
    const { resourceType, resourceName } = resource
    const refusal =
      refusalOf(broker, resource, resources, needsValue) ??
      (await alter(broker, resource, validateOnly, (current) => edits(resource, current)))
    const errorCode = refusal === undefined ? 0 : codeOf(refusal.error)
    responses.push({ errorCode, errorMessage: refusal?.message ?? null, resourceType, resourceName })
  }
  return responses
}

function refusalOf(
  { nodeId }: Broker,
  { resourceType, resourceName, configs }: ChangedResource,
  all: readonly ChangedResource[],
  needsValue: NeedsValue,
): ConfigRefusal | undefined {
  const same = all.filter((one) => one.resourceType === resourceType && one.resourceName === resourceName)
  if (same.length > 1) return invalid('Each resource must appear at most once.')
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    return invalid('Error due to duplicate config keys')
  }
  const missing = configs.filter((config) => config.value === null && needsValue(config))
  if (missing.length > 0) return invalid(`Null value not supported for : ${missing.map(({ name }) => name).join(', ')}`)
  const unknown = configs.find(({ configOperation = 0 }) => configOperations[configOperation] === undefined)
  if (unknown !== undefined) return invalid(`Unknown operations type ${unknown.configOperation}`)
  if (resourceType === topicResource) {
    if (resourceName === '') return invalid('Default topic resources are not allowed.')
    const problem = topicNameProblem(resourceName)
    return problem === undefined ? undefined : { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
  }
  if (resourceType !== brokerResource) return invalid(`Unknown resource type ${resourceType}`)
  if (resourceName === '' || resourceName === String(nodeId)) return undefined
  if (!/^[+-]?\d+$/.test(resourceName)) return invalid(`Node id must be an integer, but it is: ${resourceName}`)
  return invalid(`Unexpected broker id, expected ${nodeId}, but received ${resourceName}`)
}

async function alter(
  broker: Broker,
  { resourceType, resourceName: name }: ChangedResource,
  validateOnly: boolean,
  edits: (current: Readonly<Record<string, string>>) => readonly ConfigEdit[],
): Promise<ConfigRefusal | undefined> {
  const resource = resourceType === topicResource ? 'topic' : 'broker'
  try {
    return await broker.configChanges.alter({ resource, name, edits, validateOnly })
  } catch (error) {
    return { error: errorNameOf(error), message: (error as Error).message }
  }
}

function invalid(message: string): ConfigRefusal {
  return { error: 'INVALID_REQUEST', message }
}
