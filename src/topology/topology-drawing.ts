import type { GraphNode, TopologyGraph } from './topology-graph.ts'

/** Shapes and arrows as one drawing language writes them. */
interface Pen {
  readonly open: readonly string[]
  readonly close: readonly string[]
  frame(id: number, title: string, body: readonly string[]): string[]
  shape(id: string, label: string, kind: ShapeKind): string
  arrow(from: string, to: string, kind: 'records' | 'state'): string
}

type ShapeKind = GraphNode['kind'] | 'store' | 'topic' | 'internal-topic'

/** For Mermaid, which GitHub and most documentation tools draw where they find it. */
export function drawMermaid(graph: TopologyGraph): string {
  return draw(graph, mermaid)
}

/** For Graphviz. */
export function drawDot(graph: TopologyGraph): string {
  return draw(graph, dot)
}

/** Each sub-topology in a frame with its nodes and stores; topics outside, because they are what joins sub-topologies. */
function draw(graph: TopologyGraph, pen: Pen): string {
  const topicIds = new Map(graph.topics.map((topic, i) => [topic.name, `t${i}`]))
  const topics = graph.topics.map(({ name, internal }) =>
    pen.shape(topicIds.get(name) as string, name, internal ? 'internal-topic' : 'topic'),
  )
  const frames = graph.subTopologies.map(({ id, nodes, stores, global }) => {
    const nodeIds = new Map(nodes.map((node, i) => [node.name, `n${id}_${i}`]))
    const storeIds = new Map(stores.map((store, i) => [store, `s${id}_${i}`]))
    const shapes = [
      ...nodes.map((node) => pen.shape(nodeIds.get(node.name) as string, node.name, node.kind)),
      ...stores.map((store) => pen.shape(storeIds.get(store) as string, store, 'store')),
    ]
    const arrows = nodes.flatMap((node) => arrowsOf(node, { nodeIds, storeIds, topicIds }, pen))
    return { frame: pen.frame(id, global ? `Global store ${id}` : `Sub-topology ${id}`, shapes), arrows }
  })
  const lines = [...topics, ...frames.flatMap(({ frame }) => frame), ...frames.flatMap(({ arrows }) => arrows)]
  return `${[...pen.open, ...lines.map((line) => `  ${line}`), ...pen.close].join('\n')}\n`
}

type Ids = ReadonlyMap<string, string>

function arrowsOf(node: GraphNode, ids: { nodeIds: Ids; storeIds: Ids; topicIds: Ids }, pen: Pen): string[] {
  const id = ids.nodeIds.get(node.name) as string
  const topics = node.topics.map((topic) => ids.topicIds.get(topic) as string)
  return [
    ...(node.kind === 'source' ? topics.map((topic) => pen.arrow(topic, id, 'records')) : []),
    ...node.children.map((child) => pen.arrow(id, ids.nodeIds.get(child) as string, 'records')),
    ...node.stores.map((store) => pen.arrow(id, ids.storeIds.get(store) as string, 'state')),
    ...(node.kind === 'sink' ? topics.map((topic) => pen.arrow(id, topic, 'records')) : []),
  ]
}

const mermaid: Pen = {
  open: ['flowchart TD', '  classDef internal stroke-dasharray: 4'],
  close: [],
  frame: (id, title, body) => [`subgraph sub${id} ["${title}"]`, ...body.map((line) => `  ${line}`), 'end'],
  shape(id, label, kind) {
    const text = JSON.stringify(label)
    switch (kind) {
      case 'source':
      case 'sink':
        return `${id}([${text}])`
      case 'processor':
        return `${id}[${text}]`
      case 'store':
        return `${id}[(${text})]`
      case 'topic':
        return `${id}[[${text}]]`
      case 'internal-topic':
        return `${id}[[${text}]]:::internal`
    }
  },
  arrow: (from, to, kind) => (kind === 'records' ? `${from} --> ${to}` : `${from} -.- ${to}`),
}

const dotShapes: Record<ShapeKind, string> = {
  source: 'shape=oval',
  sink: 'shape=oval',
  processor: 'shape=box',
  store: 'shape=cylinder',
  topic: 'shape=cds',
  'internal-topic': 'shape=cds, style=dashed',
}

const dot: Pen = {
  open: ['digraph topology {'],
  close: ['}'],
  frame: (id, title, body) => [
    `subgraph cluster_${id} {`,
    `  label="${title}";`,
    ...body.map((line) => `  ${line}`),
    '}',
  ],
  shape: (id, label, kind) => `${id} [label=${JSON.stringify(label)}, ${dotShapes[kind]}];`,
  arrow: (from, to, kind) => (kind === 'records' ? `${from} -> ${to};` : `${from} -> ${to} [dir=none, style=dotted];`),
}
