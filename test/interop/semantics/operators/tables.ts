import type { KGroupedTable } from '../../../../src/dsl/streams.ts'
import { untilWindowCloses } from '../../../../src/dsl/suppressed.ts'
import type { CaseNode } from '../case.ts'
import { combinations, combine, keyFunctions, mapKey, mapValue, test, valueFunctions } from '../functions.ts'
import { countOptions, drawCount, saysInitialValues, storing } from './aggregations.ts'
import type { Drawing, Drawn, Operator, TextTable } from './operator.ts'
import { drawName, drawStore, named, serdeOf } from './operator.ts'
import { same } from './stateless.ts'

/** Operators of tables, and of tables that are grouped anew. */
export const tables: Readonly<Record<string, Operator>> = {
  tableFilter: {
    weight: 2,
    takes: ['table'],
    draw: ([input], drawing) => drawFilter(input, drawing),
    build: (node, { input }) => input<TextTable>(0).filter((value, key) => test(node, value, key), filtering(node)),
  },
  tableFilterNot: {
    weight: 1,
    takes: ['table'],
    draw: ([input], drawing) => drawFilter(input, drawing),
    build: (node, { input }) => input<TextTable>(0).filterNot((value, key) => test(node, value, key), filtering(node)),
  },
  tableMapValues: {
    weight: 2,
    takes: ['table'],
    draw: ([input], drawing) => ({
      ...same(input),
      value: 'string',
      fn: drawing.draw.one(valueFunctions),
      ...drawName(drawing, 'values'),
      ...drawStore(drawing),
    }),
    build: (node, { input }) =>
      input<TextTable>(0).mapValues((value, key) => mapValue(node, value, key), storing(node)),
  },
  toStream: {
    weight: 3,
    takes: ['table'],
    draw: ([input], drawing) => ({ ...same(input), is: 'stream', ...drawName(drawing, 'stream') }),
    build: (node, { input }) => input<TextTable>(0).toStream(named(node)),
  },
  suppress: {
    weight: 3,
    takes: ['table'],
    draw: ([input], drawing) =>
      isResultOfWindows(input, drawing)
        ? { ...same(input), until: 'window-closes', ...drawName(drawing, 'suppress') }
        : undefined,
    build: (node, { input }) => input<TextTable>(0).suppress(untilWindowCloses() as never, named(node)),
  },
  tableGroupBy: {
    weight: 3,
    takes: ['table'],
    draw: ([input], drawing) =>
      saysInitialValues(input, drawing)
        ? undefined
        : {
            is: 'groupedTable',
            key: 'string',
            value: 'string',
            keyFn: drawing.draw.one(keyFunctions),
            fn: drawing.draw.one(valueFunctions),
            ...drawName(drawing, 'grouped'),
          },
    build: (node, { input }) =>
      input<TextTable>(0).groupBy((value, key) => [mapKey(node, value, key), mapValue(node, value, key)], {
        ...named(node),
        key: serdeOf(node.key),
        value: serdeOf(node.value),
      }),
  },
  tableCount: {
    weight: 2,
    takes: ['groupedTable'],
    draw: ([input], drawing) => drawCount(drawResult(input, drawing), drawing),
    build: (node, { input }) => input<KGroupedTable<string, string>>(0).count(countOptions(node, node.key)),
  },
  tableReduce: {
    weight: 2,
    takes: ['groupedTable'],
    draw: ([input], drawing) => ({ ...drawResult(input, drawing), fn: drawCombination(drawing) }),
    build: (node, { input }) =>
      input<KGroupedTable<string, string>>(0).reduce(
        (aggregate, value) => combine(node, '+', aggregate, value),
        (aggregate, value) => combine(node, '-', aggregate, value),
        storing(node),
      ),
  },
  tableAggregate: {
    weight: 2,
    takes: ['groupedTable'],
    draw: ([input], drawing) => ({ ...drawResult(input, drawing), fn: drawCombination(drawing) }),
    build: (node, { input }) =>
      input<KGroupedTable<string, string>>(0).aggregate(
        () => '',
        (aggregate, value) => combine(node, '+', aggregate, value),
        (aggregate, value) => combine(node, '-', aggregate, value),
        storing(node),
      ),
  },
}

function filtering(node: CaseNode) {
  return node.store === undefined ? named(node) : storing(node)
}

/** With a store of its own a filter knows what was in it before. */
function drawFilter(input: CaseNode, drawing: Drawing): Drawn | undefined {
  const { draw } = drawing
  const drawn: Drawn = {
    ...same(input),
    on: draw.chance(0.2) ? 'key' : 'value',
    mod: draw.between(2, 4),
    ...drawName(drawing, 'filter'),
    ...drawStore(drawing),
  }
  return drawn.store === undefined && saysInitialValues(input, drawing) ? undefined : drawn
}

function drawResult(input: CaseNode, drawing: Drawing): Drawn {
  return { ...same(input), is: 'table', ...drawName(drawing, 'result'), ...drawStore(drawing) }
}

function drawCombination({ draw }: Drawing): string {
  return draw.chance(0.3) ? combinations[1] : combinations[0]
}

/** Whether the windows and their grace are known: those of the aggregation that the table comes from. */
function isResultOfWindows(input: CaseNode, { node }: Drawing): boolean {
  if (input.op.startsWith('windowed')) return true
  return (
    input.op.startsWith('table') && input.of.length === 1 && isResultOfWindows(node(input.of[0]), { node } as Drawing)
  )
}
