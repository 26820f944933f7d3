import { MillraceError } from '../errors.ts'
import type { Topology } from '../topology/topology.ts'
import { TopologyBuilder } from '../topology/topology-builder.ts'
import { dropNullKeys } from './operators/stateless.ts'
import type { Plan, PlanNode, SourcePlan } from './plan.ts'

/** Turns the plan into a topology. Nodes are added in Kafka Streams' order, which decides the numbers of the sub-topologies. */
export function compilePlan(plan: Plan): Topology {
  const shared = sharedSources(plan)
  const parents = new Map(plan.nodes.map((node) => [node, parentsOf(node, shared)]))
  const builder = new TopologyBuilder()
  const written = new Set<PlanNode>()
  const next = (): PlanNode | undefined => nextReady(parents, shared, written)
  for (let node = next(); node !== undefined; node = next()) {
    const parentNames = (parents.get(node) as PlanNode[]).map((parent) => parent.name)
    write(node, parentNames, builder)
    written.add(node)
  }
  return builder.build()
}

/** Sources of the same topics as an earlier one, which is read in their place: a topic can be read only once. */
function sharedSources(plan: Plan): Map<PlanNode, SourcePlan> {
  const shared = new Map<PlanNode, SourcePlan>()
  const readers = new Map<string, SourcePlan>()
  for (const node of plan.nodes) {
    if (node.kind !== 'source') continue
    for (const topic of node.topics) {
      const reader = readers.get(topic.name)
      if (reader === undefined) readers.set(topic.name, node)
      else if (reader !== node) {
        requireSameTopics(reader, node, topic.name)
        shared.set(node, reader)
      }
    }
  }
  return shared
}

function requireSameTopics(reader: SourcePlan, other: SourcePlan, topic: string): void {
  const at = { topic, operator: other.name }
  const names = new Set(reader.topics.map((each) => each.name))
  if (names.size !== other.topics.length || !other.topics.every((each) => names.has(each.name))) {
    throw new MillraceError('INVALID_TOPOLOGY', `'${reader.name}' reads the topic too, together with other topics`, {
      at,
      remedy: 'Read the same list of topics in both places, or each topic by itself, and merge the streams.',
    })
  }
  const [first, second] = [reader.topics[0], other.topics[0]]
  if (first.key !== second.key || first.value !== second.value || first.timestamp !== second.timestamp) {
    throw new MillraceError(
      'INVALID_TOPOLOGY',
      `'${reader.name}' reads the topic with other serdes or another timestamp`,
      {
        at,
        remedy: 'Declare the topic once and use that declaration in both places.',
      },
    )
  }
}

/** Kafka Streams moves the children of such a source to the earlier one, which thereby becomes the last of their parents. */
function parentsOf(node: PlanNode, shared: ReadonlyMap<PlanNode, SourcePlan>): PlanNode[] {
  const kept = node.parents.filter((parent) => !shared.has(parent))
  const moved = node.parents.flatMap((parent) => shared.get(parent) ?? [])
  return [...new Set([...kept, ...moved])]
}

/** Of the nodes whose parents are all written, the one that was planned first. */
function nextReady(
  parents: ReadonlyMap<PlanNode, readonly PlanNode[]>,
  shared: ReadonlyMap<PlanNode, SourcePlan>,
  written: ReadonlySet<PlanNode>,
): PlanNode | undefined {
  let first: PlanNode | undefined
  for (const [node, parentsOfNode] of parents) {
    if (written.has(node) || shared.has(node) || !parentsOfNode.every((parent) => written.has(parent))) continue
    if (first === undefined || node.priority < first.priority) first = node
  }
  return first
}

function write(node: PlanNode, parents: readonly string[], builder: TopologyBuilder): void {
  switch (node.kind) {
    case 'source':
      builder.addSource(node.name, node.topics)
      break
    case 'processor': {
      const sideChildren = node.lateChild === undefined ? {} : { sideChildren: [node.lateChild] }
      builder.addProcessor(node.name, node.create, { parents, ...sideChildren })
      for (const store of node.stores) builder.addStateStore(store, [node.name])
      break
    }
    case 'repartition':
      builder.addProcessor(node.filterName, dropNullKeys, { parents })
      builder.addSink(node.sinkName, node.topic, [node.filterName])
      builder.addSource(node.name, node.topic)
      break
    case 'sink':
      builder.addSink(node.name, node.topic, parents)
  }
}
