import { MillraceError } from '../errors.ts'
import type { Topology } from '../topology/topology.ts'
import { TopologyDraft } from '../topology/topology-draft.ts'
import { mergeRepartitions } from './merge-repartitions.ts'
import { dropNullKeys, passThrough } from './operators/stateless.ts'
import { type Optimisation, restoredFromSource } from './optimisation.ts'
import type { Plan, PlanNode, ProcessorPlan, SourcePlan } from './plan.ts'
import { simplifySelfJoins } from './self-joins.ts'

/** Turns the plan into a topology. Nodes are added in Kafka Streams' order, which decides the numbers of the sub-topologies. */
export function compilePlan(plan: Plan, optimisations: ReadonlySet<Optimisation>): Topology {
  const shared = sharedSources(plan)
  const parents = new Map(plan.nodes.map((node) => [node, parentsOf(node, shared)]))
  if (optimisations.has('merge-repartition-topics')) mergeRepartitions(parents)
  const selfJoins = optimisations.has('single-store-self-join')
    ? simplifySelfJoins(parents)
    : new Map<PlanNode, never>()
  const carrying = carryingNullKeys(parents)
  const reusesSources = optimisations.has('reuse-source-topics')
  const storesOf = (node: ProcessorPlan) => (reusesSources ? restoredFromSource(node, node.parents) : node.stores)
  const builder = new TopologyDraft()
  const written = new Set<PlanNode>()
  const next = (): PlanNode | undefined => nextReady(parents, shared, written)
  for (let node = next(); node !== undefined; node = next()) {
    const parentNames = (parents.get(node) as PlanNode[]).map((parent) => parent.name)
    const join = selfJoins.get(node)
    if (join === undefined) write(node, parentNames, builder, carrying.has(node))
    else {
      builder.addProcessor(node.name, join.create, { parents: parentNames })
      builder.addStateStore(join.store, [node.name])
    }
    if (node.kind === 'processor') for (const store of storesOf(node)) builder.addStateStore(store, [node.name])
    written.add(node)
  }
  for (const node of plan.nodes) connectLookUp(node, parents, builder)
  return builder.build()
}

/** Only when all nodes are written: the table may come after the operator that looks its rows up. */
function connectLookUp(
  node: PlanNode,
  parents: ReadonlyMap<PlanNode, readonly PlanNode[]>,
  builder: TopologyDraft,
): void {
  if (node.kind !== 'processor') return
  if (node.joinsPartitions) builder.copartition(sourcesOf([node], parents))
  if (node.looksUp === undefined) return
  builder.connect(node.name, ...node.looksUp.stores)
  builder.copartition(sourcesOf([node, node.looksUp.table], parents))
}

/** Names of the sources that the nodes' records are read by: their own, or those of a repartition topic before them. */
function sourcesOf(nodes: readonly PlanNode[], parents: ReadonlyMap<PlanNode, readonly PlanNode[]>): string[] {
  const sources = new Set<string>()
  for (const node of nodes) {
    if (node.kind === 'source' || node.kind === 'repartition') sources.add(node.name)
    else for (const source of sourcesOf(parents.get(node) as readonly PlanNode[], parents)) sources.add(source)
  }
  return [...sources]
}

/** Repartition topics with an operator behind them, at any distance, for which records without a key have a meaning. */
function carryingNullKeys(parents: ReadonlyMap<PlanNode, readonly PlanNode[]>): Set<PlanNode> {
  const carrying = new Set<PlanNode>()
  const mark = (node: PlanNode): void => {
    if (carrying.has(node)) return
    carrying.add(node)
    for (const parent of parents.get(node) as readonly PlanNode[]) mark(parent)
  }
  for (const node of parents.keys()) {
    if (node.kind === 'processor' && node.takesNullKeys) mark(node)
    if (node.kind === 'repartition' && node.keepsNullKeys) mark(node)
  }
  return carrying
}

/** Sources of the same topics as an earlier one, which is read in their place: a topic can be read only once. */
function sharedSources(plan: Plan): Map<PlanNode, SourcePlan> {
  const shared = new Map<PlanNode, SourcePlan>()
  const readers = new Map<string, SourcePlan>()
  for (const node of plan.nodes) {
    if (node.kind !== 'source' || node.isTable) continue
    for (const name of node.pattern === undefined
      ? node.topics.map((topic) => topic.name)
      : [String(node.pattern.pattern)]) {
      const reader = readers.get(name)
      if (reader === undefined) readers.set(name, node)
      else if (reader !== node) {
        requireSameTopics(reader, node, name)
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
  const [first, second] = [howRead(reader), howRead(other)]
  if (first.every((part, i) => part === second[i])) return
  throw new MillraceError('INVALID_TOPOLOGY', `'${reader.name}' reads the topic with other serdes or options`, {
    at,
    remedy: 'Declare the topic once, and use that declaration and the same options in both places.',
  })
}

function howRead({ topics, pattern, options }: SourcePlan): readonly unknown[] {
  const { key, value, timestamp } = pattern ?? topics[0]
  return [key, value, timestamp, options.timestamp, options.invalidTimestamp, options.offsetReset]
}

/** Kafka Streams moves the children of such a source to the earlier one, which thereby becomes the last of their parents. */
function parentsOf(node: PlanNode, shared: ReadonlyMap<PlanNode, SourcePlan>): PlanNode[] {
  const kept = node.parents.filter((parent) => !shared.has(parent))
  const moved = node.parents.flatMap((parent) => shared.get(parent) ?? [])
  return [...new Set([...kept, ...moved])]
}

/** Of the nodes that may be written, the one that was planned first. */
function nextReady(
  parents: ReadonlyMap<PlanNode, readonly PlanNode[]>,
  shared: ReadonlyMap<PlanNode, SourcePlan>,
  written: ReadonlySet<PlanNode>,
): PlanNode | undefined {
  const isReady = (node: PlanNode) => parents.get(node)?.every((parent) => written.has(parent)) ?? true
  let first: PlanNode | undefined
  for (const node of parents.keys()) {
    if (written.has(node) || shared.has(node) || !isReady(node)) continue
    if (node.otherSide !== undefined && !isReady(node.otherSide)) continue
    if (first === undefined || node.priority < first.priority) first = node
  }
  return first
}

function write(node: PlanNode, parents: readonly string[], builder: TopologyDraft, carriesNullKeys: boolean): void {
  switch (node.kind) {
    case 'source':
      builder.addSource(node.name, node.pattern ?? node.topics, node.options)
      break
    case 'processor': {
      const sideChildren = node.lateChild === undefined ? {} : { sideChildren: [node.lateChild] }
      builder.addProcessor(node.name, node.create, { parents, ...sideChildren })
      break
    }
    case 'repartition':
      if (node.filterName === undefined) builder.addSink(node.sinkName, node.topic, parents, node)
      else {
        builder.addProcessor(node.filterName, carriesNullKeys ? passThrough : dropNullKeys, { parents })
        builder.addSink(node.sinkName, node.topic, [node.filterName], node)
      }
      builder.addSource(node.name, node.topic)
      break
    case 'global-store':
      builder.addGlobalStore(
        node.store,
        node.topic,
        node.create,
        { source: node.sourceName, processor: node.name },
        node.options,
      )
      break
    case 'sink':
      builder.addSink(node.name, node.topic, parents, node.options)
      break
    case 'dynamic-sink':
      builder.addDynamicSink(node.name, node.choose, node.options, parents, node.options)
  }
}
