import type { SubTopology, TopologyNode } from './topology.ts'

/** A topology as a graph to be drawn or read by tools: every node, store and topic once, and who hands records to whom. */
export interface TopologyGraph {
  readonly subTopologies: readonly {
    readonly id: number
    readonly nodes: readonly GraphNode[]
    readonly stores: readonly string[]
    /** Whether it fills a global store. */
    readonly global: boolean
  }[]
  /** Topics read or written, in the order in which they are first met. */
  readonly topics: readonly { readonly name: string; readonly internal: boolean }[]
}

export interface GraphNode {
  readonly name: string
  readonly kind: 'source' | 'processor' | 'sink'
  /** Of a source, those it reads; of a sink, the one it writes, unless it chooses topics one by one. */
  readonly topics: readonly string[]
  /** Of a processor, those it uses. */
  readonly stores: readonly string[]
  /** The nodes it hands records to. */
  readonly children: readonly string[]
}

export function topologyGraph(subTopologies: readonly SubTopology[]): TopologyGraph {
  const topics = new Map<string, { name: string; internal: boolean }>()
  for (const node of subTopologies.flatMap((subTopology) => subTopology.nodes)) {
    for (const { name, internal } of topicsOf(node)) topics.set(name, { name, internal })
  }
  return {
    subTopologies: subTopologies.map(({ id, nodes, stores, isGlobal }) => ({
      id,
      nodes: nodes.map(graphNode),
      stores: stores.map((store) => store.name),
      global: isGlobal,
    })),
    topics: [...topics.values()],
  }
}

function graphNode(node: TopologyNode): GraphNode {
  return {
    name: node.name,
    kind: node.kind === 'dynamic-sink' ? 'sink' : node.kind,
    topics: topicsOf(node).map((topic) => topic.name),
    stores: node.kind === 'processor' ? node.stores : [],
    children: 'children' in node ? node.children : [],
  }
}

function topicsOf(node: TopologyNode): readonly { readonly name: string; readonly internal: boolean }[] {
  if (node.kind === 'processor' || node.kind === 'dynamic-sink') return []
  return node.kind === 'source' ? node.topics : [node.topic]
}
