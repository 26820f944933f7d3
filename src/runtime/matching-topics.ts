import { MillraceError } from '../errors.ts'
import { isOfPattern } from '../topology/node-topic.ts'
import type { Topology } from '../topology/topology.ts'

/**
 * The topology with the topics that its patterns match among those that exist. The application's own topics are not among
 * them. A topic that is made later is read after the next start.
 */
export function withMatchingTopics(topology: Topology, existing: readonly string[], applicationId: string): Topology {
  const names = existing.filter((name) => !name.startsWith(`${applicationId}-`)).sort()
  const found = (pattern: RegExp) =>
    names.filter((name) => isOfPattern(name, pattern)).map((name) => ({ name, internal: false }))
  return {
    ...topology,
    subTopologies: topology.subTopologies.map((subTopology) => ({
      ...subTopology,
      nodes: subTopology.nodes.map((node) =>
        node.kind === 'source' && node.pattern !== undefined ? { ...node, topics: found(node.pattern) } : node,
      ),
    })),
  }
}

/**
 * @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION where a pattern matches none: nothing could run behind it
 * @throws MillraceError INVALID_TOPOLOGY where two patterns match one topic
 */
export function requireMatches(topology: Topology): void {
  requireOneReader(topology)
  for (const node of topology.subTopologies.flatMap(({ nodes }) => nodes)) {
    if (node.kind !== 'source' || node.pattern === undefined || node.topics.length > 0) continue
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `No topic has a name like ${node.pattern}`, {
      at: { operator: node.name },
      remedy: 'Create the topics before the application starts: it looks for them then.',
    })
  }
}

function requireOneReader(topology: Topology): void {
  const readers = new Map<string, string>()
  for (const node of topology.subTopologies.flatMap(({ nodes }) => nodes)) {
    if (node.kind !== 'source') continue
    for (const { name, internal } of node.topics) {
      const reader = readers.get(name)
      if (reader === undefined || internal) readers.set(name, node.name)
      else {
        throw new MillraceError('INVALID_TOPOLOGY', `'${reader}' reads the topic too`, {
          at: { topic: name, operator: node.name },
          remedy: 'Choose patterns of which only one matches a topic.',
        })
      }
    }
  }
}
