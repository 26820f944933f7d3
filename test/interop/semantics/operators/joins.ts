import { JoinWindows } from '../../../../src/dsl/join-windows.ts'
import type { GlobalKTable } from '../../../../src/dsl/streams.ts'
import type { CaseNode } from '../case.ts'
import { endless } from '../events.ts'
import { foreignKeyFunctions, join, joiners, mapKey } from '../functions.ts'
import { saysOtherOldValues, showsOtherValues, storing } from './aggregations.ts'
import type { Drawing, Drawn, Operator, Texts, TextTable } from './operator.ts'
import { drawKeyFunction, drawName, drawStore, named, serdeOf, stored } from './operator.ts'
import { hasNewKeys } from './stateless.ts'
import { hasUnknownSerdes } from './tables.ts'

/** Operators that put two inputs together by key. */
export const joins: Readonly<Record<string, Operator>> = {
  streamJoin: {
    weight: 5,
    takes: ['stream', 'stream'],
    draw: ([left, right], drawing) => (left.key === right.key ? drawStreamJoin(left, right, drawing) : undefined),
    build: (node, { input, inputNode, emitEveryMs }) => {
      const [left, right] = [input<Texts>(0), input<Texts>(1)]
      const joiner = (a: string | null, b: string | null) => join(node, a, b) as string
      const within = JoinWindows.of(0)
        .grace(node.grace as number)
        .after(node.after as number)
        .before(node.before as number)
      const [value, otherValue] = [serdeOf(inputNode(0).value), serdeOf(inputNode(1).value)]
      const sides = {
        ...(node.thisStore === undefined ? {} : { thisStore: { name: node.thisStore as string } }),
        ...(node.otherStore === undefined ? {} : { otherStore: { name: node.otherStore as string } }),
      }
      const options = { ...named(node), ...stored(node), ...sides, within, key: serdeOf(node.key), value, otherValue }
      if (node.how === 'inner') return left.join(right, joiner, options)
      const outer = { ...options, emitEvery: emitEveryMs }
      return node.how === 'left' ? left.leftJoin(right, joiner, outer) : left.outerJoin(right, joiner, outer)
    },
  },
  foreignKeyJoin: {
    weight: 4,
    takes: ['table', 'table'],
    draw: ([left, right], drawing) => {
      if (left.key !== 'string' || right.key !== 'string') return undefined
      if (saysOtherOldValues(left, drawing) || saysOtherOldValues(right, drawing)) return undefined
      if (hasUnknownSerdes(left, drawing) || hasUnknownSerdes(right, drawing)) return undefined
      const { draw } = drawing
      return {
        is: 'table',
        key: 'string',
        value: 'string',
        how: draw.one(['inner', 'left']),
        fn: draw.one(joiners),
        keyFn: draw.one(foreignKeyFunctions),
        ...drawName(drawing, 'join'),
        ...drawStore(drawing),
      }
    },
    build: (node, { input }) => {
      const [left, right] = [input<TextTable>(0), input<TextTable>(1)]
      const joiner = (a: string, b: string | null) => join(node, a, b)
      const options = { ...storing(node), foreignKey: (value: string) => mapKey(node, value, null) }
      return node.how === 'inner' ? left.join(right, joiner, options) : left.leftJoin(right, joiner, options)
    },
  },
  globalTableJoin: {
    weight: 2,
    takes: ['stream', 'globalTable'],
    draw: ([stream], drawing) => {
      // Kafka Streams merges repartitions also across this join, which changes values.
      if (drawing.optimize && hasNewKeys(stream, drawing)) return undefined
      return {
        is: 'stream',
        key: stream.key,
        value: 'string',
        how: drawing.draw.one(['inner', 'left']),
        keyFn: drawKeyFunction(drawing),
        fn: joiners[0],
        ...drawName(drawing, 'join'),
      }
    },
    build: (node, { input }) => {
      const [stream, table] = [input<Texts>(0), input<GlobalKTable<string, string>>(1)]
      const joiner = (left: string, right: string | null) => join(node, left, right) as string
      const options = { ...named(node), keySelector: (value: string, key: string) => mapKey(node, value, key) }
      return node.how === 'inner' ? stream.join(table, joiner, options) : stream.leftJoin(table, joiner, options)
    },
  },
  streamTableJoin: {
    weight: 4,
    takes: ['stream', 'table'],
    draw: ([stream, table], drawing) =>
      stream.key === table.key && !showsOtherValues(table, drawing)
        ? {
            is: 'stream',
            key: stream.key,
            value: 'string',
            how: drawing.draw.one(['inner', 'left']),
            fn: joiners[0],
            ...drawName(drawing, 'join'),
            ...drawGrace(table, drawing),
          }
        : undefined,
    build: (node, { input, inputNode }) => {
      const [stream, table] = [input<Texts>(0), input<TextTable>(1)]
      const joiner = (left: string, right: string | null) => join(node, left, right) as string
      const grace = node.grace === undefined ? {} : { grace: node.grace as number }
      const options = { ...named(node), ...grace, key: serdeOf(node.key), value: serdeOf(inputNode(0).value) }
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

/** Only records that are joined with a versioned table can wait, and not longer than its history. */
function drawGrace({ historyMs }: CaseNode, { draw }: Drawing): { grace?: number } {
  return historyMs !== undefined && draw.chance(0.6) ? { grace: draw.between(0, historyMs as number) } : {}
}

function drawStreamJoin(left: CaseNode, right: CaseNode, drawing: Drawing): Drawn {
  const { draw } = drawing
  const after = draw.one([0, 1, 5, 10, 20])
  // Kafka Streams makes an inner join also of a left one, joins a record with itself whatever the window, and leaves that out
  // where the record would expire within 1 ms.
  const isSimplified = drawing.optimize && areOne(left, right)
  return {
    is: 'stream',
    key: left.key,
    value: 'string',
    how: isSimplified ? 'inner' : draw.one(['inner', 'left', 'outer']),
    // Below 0: the right record comes after the left one, by at least so much.
    before: !isSimplified && draw.chance(0.1) ? -draw.between(0, after) : draw.one([0, 1, 5, 10, 20]),
    after,
    grace: isSimplified ? endless : draw.one([0, 0, 1, 5, 20]),
    fn: joiners[0],
    ...drawName(drawing, 'join'),
    ...drawStore(drawing),
    ...(draw.chance(0.1) ? { thisStore: drawing.unique('left') } : {}),
    ...(draw.chance(0.1) ? { otherStore: drawing.unique('right') } : {}),
  }
}

/** Whether both are the same records, in one stream or in two that were opened on the same topics. */
function areOne(left: CaseNode, right: CaseNode): boolean {
  return (
    left === right || (left.op === 'stream' && right.op === 'stream' && String(left.topics) === String(right.topics))
  )
}

function drawTableJoin(left: CaseNode, right: CaseNode, drawing: Drawing): Drawn | undefined {
  if (saysOtherOldValues(left, drawing) || saysOtherOldValues(right, drawing)) return undefined
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
