import { describeConfigs } from '../../broker/protocol/messages/describe-configs.ts'
import { incrementalAlterConfigs } from '../../broker/protocol/messages/incremental-alter-configs.ts'
import { listGroups } from '../../broker/protocol/messages/list-groups.ts'
import { metadata } from '../../broker/protocol/messages/metadata.ts'
import { invalid, wholeNumber } from './client-options.ts'
import { type Changes, type Entity, entityText, type Say } from './config-entity.ts'
import { requireGranted, type WireCluster } from './wire-cluster.ts'

/** Kafka's numbers: of the kinds of things that have settings, and of where settings that are changed come from. */
interface Resource {
  readonly type: number
  readonly dynamicSource: number
}
const resources: Readonly<Record<string, Resource>> = {
  topics: { type: 2, dynamicSource: 1 },
  brokers: { type: 4, dynamicSource: 2 },
  groups: { type: 32, dynamicSource: 8 },
}
const sources = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
]
const dynamicDefaultSource = 3
const setIt = 0
const deleteIt = 1

export function isResourceType(type: string): boolean {
  return Object.hasOwn(resources, type)
}

export async function describeResources(wire: WireCluster, entity: Entity, isWhole: boolean, say: Say): Promise<void> {
  for (const one of entity.name === undefined ? await allOf(wire, entity.type) : [entity]) {
    const all = await configsOf(wire, one)
    const shown = all.filter(({ configSource }) => isWhole || configSource === dynamicSourceOf(one))
    const what = one.name === null ? `${one.type} in the cluster` : entityText(one)
    say(`${isWhole ? 'All' : one.name === null ? 'Default' : 'Dynamic'} configs for ${what} are:\n`)
    for (const { name, value, isSensitive, synonyms } of shown) {
      const from = synonyms.map((synonym) => `${sources[synonym.source]}:${synonym.name}=${synonym.value}`)
      say(`  ${name}=${value} sensitive=${isSensitive} synonyms={${from.join(', ')}}\n`)
    }
  }
}

/** The cluster is told what changes, and nothing else: who changes something else at the same time is not undone. */
export async function alterResource(wire: WireCluster, entity: Entity, { set, unset }: Changes): Promise<void> {
  if (unset.length > 0) {
    const now = (await configsOf(wire, entity)).filter(({ configSource }) => configSource === dynamicSourceOf(entity))
    const missing = unset.find((name) => !now.some((config) => config.name === name))
    if (missing !== undefined) {
      throw invalid(`'${missing}' is not set`, `Set are: ${now.map(({ name }) => name).join(', ')}.`)
    }
  }
  const configs = [
    ...unset.filter((name) => !set.has(name)).map((name) => ({ name, configOperation: deleteIt, value: null })),
    ...[...set].map(([name, value]) => ({ name, configOperation: setIt, value })),
  ]
  const resource = { resourceType: resourceOf(entity).type, resourceName: entity.name ?? '', configs }
  const { responses } = await askOwner(wire, entity)(incrementalAlterConfigs, 0, {
    resources: [resource],
    validateOnly: false,
  })
  for (const { errorCode, errorMessage } of responses) requireGranted(errorCode, errorMessage)
}

async function configsOf(wire: WireCluster, entity: Entity) {
  const { results } = await askOwner(wire, entity)(describeConfigs, 1, {
    resources: [{ resourceType: resourceOf(entity).type, resourceName: entity.name ?? '', configurationKeys: null }],
    includeSynonyms: true,
  })
  for (const { errorCode, errorMessage } of results) requireGranted(errorCode, errorMessage)
  return (results[0]?.configs ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** A broker is asked for its own settings itself; for all others anyone is. */
function askOwner(wire: WireCluster, { type, name }: Entity): WireCluster['ask'] {
  if (type !== 'brokers' || name === null || name === undefined) return (...words) => wire.ask(...words)
  const nodeId = wholeNumber('--entity-name', name)
  return (...words) => wire.askBroker(nodeId, ...words)
}

async function allOf(wire: WireCluster, type: string): Promise<Entity[]> {
  if (type === 'groups') return groupsOf(wire)
  const { brokers, topics } = await wire.ask(metadata, 1, { topics: null })
  if (type === 'topics') return topics.map(({ name }) => ({ type, name: name ?? '' })).sort(byName)
  return [...brokers.map(({ nodeId }) => ({ type, name: String(nodeId) })).sort(byName), { type, name: null }]
}

/** Each broker knows the groups that it coordinates. */
async function groupsOf(wire: WireCluster): Promise<Entity[]> {
  const found = new Set<string>()
  for (const nodeId of await wire.brokerIds()) {
    const { errorCode, groups } = await wire.askBroker(nodeId, listGroups, 1, {})
    requireGranted(errorCode)
    for (const { groupId } of groups) found.add(groupId)
  }
  return [...found].sort().map((name) => ({ type: 'groups', name }))
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

function resourceOf({ type }: Entity): Resource {
  return resources[type] as Resource
}

function dynamicSourceOf(entity: Entity): number {
  return entity.name === null ? dynamicDefaultSource : resourceOf(entity).dynamicSource
}
