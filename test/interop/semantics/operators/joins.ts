import type { CaseNode } from '../case.ts'
import { join, joiners } from '../functions.ts'
import { saysInitialValues, storing } from './aggregations.ts'
import type { Drawing, Drawn, Operator, Texts, TextTable } from './operator.ts'
import { drawName, drawStore, named, serdeOf } from './operator.ts'

/** Operators that put two inputs together by key. */
export const joins: Readonly<Record<string, Operator>> = {
  streamTableJoin: {
    weight: 4,
    takes: ['stream', 'table'],
    draw: ([stream, table], drawing) =>
      stream.key === table.key
        ? {
            is: 'stream',
            key: stream.key,
            value: 'string',
            how: drawing.draw.one(['inner', 'left']),
            fn: joiners[0],
            ...drawName(drawing, 'join'),
          }
        : undefined,
    build: (node, { input, inputNode }) => {
      const [stream, table] = [input<Texts>(0), input<TextTable>(1)]
      const joiner = (left: string, right: string | null) => join(node, left, right) as string
      const options = { ...named(node), key: serdeOf(node.key), value: serdeOf(inputNode(0).value) }
      return node.how === 'inner' ? stream.join(table, joiner, options) : stream.leftJoin(table, joiner, options)
    },
  },
  tableJoin: {
    weight: 4,
    takes: ['table', 'table'],
    draw: ([left, right], drawing) => (left.key === right.key ? drawTableJoin(left, right, drawing) : undefined),
    build: (node, { input }) => {
      const [left, right] = [input<TextTable>(0), input<TextTable>(1)]
      const joiner = (a: string | null, b: string | null) => join(node, a, b)
      const options = node.plain === true ? named(node) : storing(node)
      if (node.how === 'inner') return left.join(right, joiner, options)
      return node.how === 'left' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options)
    },
  },
}

function drawTableJoin(left: CaseNode, right: CaseNode, drawing: Drawing): Drawn | undefined {
  if (saysInitialValues(left, drawing) || saysInitialValues(right, drawing)) return undefined
  const { draw } = drawing
  const store = drawStore(drawing)
  return {
    is: 'table',
    key: left.key,
    value: 'string',
    how: draw.one(['inner', 'left', 'outer']),
    fn: draw.one(joiners),
    ...drawName(drawing, 'join'),
    ...store,
    ...(store.store === undefined && draw.chance(0.5) ? { plain: true } : {}),
  }
}
