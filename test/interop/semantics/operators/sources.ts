import type { Drawing, Operator } from './operator.ts'
import { drawName, drawStore, named, stored, topicOf } from './operator.ts'

/** Where records come from. */
export const sources: Readonly<Record<string, Operator>> = {
  stream: {
    weight: 3,
    takes: [],
    draw: (_inputs, drawing) => ({
      is: 'stream',
      key: 'string',
      value: 'string',
      topics: drawTopics(drawing),
      ...drawName(drawing, 'source'),
    }),
    build: (node, { builder }) =>
      builder.stream(
        (node.topics as readonly string[]).map((name) => topicOf(name, node)),
        named(node),
      ),
  },

  table: {
    weight: 2,
    takes: [],
    draw: (_inputs, drawing) => ({
      is: 'table',
      key: 'string',
      value: 'string',
      topic: drawing.unique('in'),
      ...drawName(drawing, 'table'),
      ...drawStore(drawing),
    }),
    build: (node, { builder }) =>
      builder.table(topicOf(node.topic as string, node), { ...named(node), ...stored(node) }),
  },

  versionedTable: {
    // Kafka Streams has such stores only on disk, which takes much longer.
    weight: 0.1,
    takes: [],
    draw: (_inputs, drawing) => ({
      is: 'table',
      key: 'string',
      value: 'string',
      topic: drawing.unique('in'),
      historyMs: drawing.draw.one([5, 20, 100]),
      store: drawing.unique('history'),
      ...drawName(drawing, 'table'),
    }),
    build: (node, { builder }) =>
      builder.table(topicOf(node.topic as string, node), {
        ...named(node),
        store: node.store as string,
        versioned: node.historyMs as number,
      }),
  },
  globalTable: {
    weight: 1,
    takes: [],
    draw: (_inputs, drawing) => ({
      is: 'globalTable',
      key: 'string',
      value: 'string',
      topic: drawing.unique('in'),
      ...drawName(drawing, 'table'),
      ...drawStore(drawing),
    }),
    build: (node, { builder }) =>
      builder.globalTable(topicOf(node.topic as string, node), { ...named(node), ...stored(node) }),
  },
}

/** Topics of their own, or all those of an earlier source again: lists of topics must not overlap otherwise. */
function drawTopics({ draw, nodes, unique }: Drawing): readonly string[] {
  const earlier = nodes.filter((node) => node.op === 'stream')
  if (earlier.length > 0 && draw.chance(0.2)) return draw.one(earlier).topics as readonly string[]
  return Array.from({ length: draw.chance(0.15) ? 2 : 1 }, () => unique('in'))
}
