import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { SubTopology, TopologyNode } from './topology.ts'

/**
 * Splits the nodes into those that must run together: nodes linked as parent and child, and nodes that share a store.
 * Ids follow the order in which the groups are first met among the nodes, as in Kafka Streams.
 */
export function groupIntoSubTopologies(
  nodes: readonly TopologyNode[],
  stores: readonly StoreDeclaration[],
): SubTopology[] {
  const leaders = uniteLinked(nodes)
  const groups = new Map<string, TopologyNode[]>()
  for (const node of nodes) {
    const leader = leaderOf(node.name, leaders)
    const group = groups.get(leader)
    if (group === undefined) groups.set(leader, [node])
    else group.push(node)
  }
  return [...groups.values()].map((group, id) => {
    const used = new Set(group.flatMap((node) => (node.kind === 'processor' ? node.stores : [])))
    const isGlobal = group.some((node) => node.kind === 'source' && node.isGlobal)
    return { id, nodes: group, stores: stores.filter((store) => used.has(store.name)), isGlobal }
  })
}

/** For each node another one of its group, or itself where it leads the group (a union-find forest). */
function uniteLinked(nodes: readonly TopologyNode[]): Map<string, string> {
  const leaders = new Map(nodes.map((node) => [node.name, node.name]))
  const unite = (a: string, b: string): void => {
    leaders.set(leaderOf(a, leaders), leaderOf(b, leaders))
  }
  const firstUsers = new Map<string, string>()
  for (const node of nodes) {
    if (node.kind === 'source') continue
    for (const parent of node.parents) unite(node.name, parent)
    if (node.kind !== 'processor') continue
    for (const store of node.stores) {
      const user = firstUsers.get(store)
      if (user === undefined) firstUsers.set(store, node.name)
      else unite(node.name, user)
    }
  }
  return leaders
}

function leaderOf(name: string, leaders: Map<string, string>): string {
  let leader = name
  for (let next = leaders.get(leader); next !== undefined && next !== leader; next = leaders.get(leader)) leader = next
  // Later look-ups take one step instead of the whole way.
  leaders.set(name, leader)
  return leader
}
