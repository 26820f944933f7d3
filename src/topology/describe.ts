/**
 * A topology as text, byte for byte as Kafka Streams' `TopologyDescription` prints it, so that a topology can be compared
 * with the one it was ported from and tools that draw those texts can draw ours. The order of names is part of the text;
 * it follows from how Kafka Streams builds the description (InternalTopologyBuilder.describeSubtopology), step by step.
 */
import { javaHashCopyOrder, javaHashOrder } from './java-hash-order.ts'
import { JavaTreeSet } from './java-tree-set.ts'
import type { SubTopology, TopologyNode } from './topology.ts'

export function describeTopology(subTopologies: readonly SubTopology[]): string {
  return `Topologies:\n ${subTopologies.map((subTopology) => `  ${describeSubTopology(subTopology)}`).join('')}`
}

interface DescribedNode {
  readonly node: TopologyNode
  /** 1 plus the sizes of the successors, a successor counting once for each path to it. */
  size: number
  readonly predecessors: JavaTreeSet<DescribedNode>
  readonly successors: JavaTreeSet<DescribedNode>
}

function describeSubTopology(subTopology: SubTopology): string {
  const lines = connect(subTopology.nodes)
    .sort(bySizeThenName)
    .map((described) => `    ${describeNode(described)}\n`)
    .join('')
  if (subTopology.isGlobal)
    return `Sub-topology: ${subTopology.id} for global store (will not generate tasks)\n${lines}`
  return `Sub-topology: ${subTopology.id}\n${lines}\n`
}

/** Sizes grow while the links are made, in the order of two Java hash maps, and the links are sorted by the sizes of that moment. */
function connect(nodes: readonly TopologyNode[]): DescribedNode[] {
  const byName = new Map<string, DescribedNode>()
  for (const node of nodes) {
    byName.set(node.name, {
      node,
      size: 1,
      predecessors: new JavaTreeSet(bySizeThenName),
      successors: new JavaTreeSet(bySizeThenName),
    })
  }
  for (const name of javaHashOrder(javaHashOrder(byName.keys()))) {
    const described = byName.get(name) as DescribedNode
    if (described.node.kind === 'source') continue
    for (const parent of described.node.parents) {
      const predecessor = byName.get(parent) as DescribedNode
      described.predecessors.add(predecessor)
      predecessor.successors.add(described)
      grow(predecessor, described.size)
    }
  }
  return [...byName.values()]
}

function grow(described: DescribedNode, by: number): void {
  described.size += by
  for (const predecessor of described.predecessors.elements()) grow(predecessor, by)
}

function bySizeThenName(a: DescribedNode, b: DescribedNode): number {
  if (a === b) return 0
  return b.size - a.size || (a.node.name < b.node.name ? -1 : 1)
}

function describeNode({ node, predecessors, successors }: DescribedNode): string {
  const to = `\n      --> ${namesOf(successors)}`
  const from = `\n      <-- ${namesOf(predecessors)}`
  switch (node.kind) {
    case 'source': {
      if (node.pattern !== undefined) return `Source: ${node.name} (topics: ${node.pattern.source})${to}`
      const topics = javaHashCopyOrder(node.topics.map((topic) => topic.name))
      return `Source: ${node.name} (topics: [${topics.join(', ')}])${to}`
    }
    case 'processor':
      return `Processor: ${node.name} (stores: [${javaHashCopyOrder(javaHashOrder(node.stores)).join(', ')}])${to}${from}`
    case 'dynamic-sink':
      return `Sink: ${node.name} (extractor class: ${node.choose.name || 'anonymous'})${from}`
    case 'sink':
      return `Sink: ${node.name} (topic: ${node.topic.name})${from}`
  }
}

function namesOf(nodes: JavaTreeSet<DescribedNode>): string {
  const names = nodes.elements().map((described) => described.node.name)
  return names.length === 0 ? 'none' : names.join(', ')
}
