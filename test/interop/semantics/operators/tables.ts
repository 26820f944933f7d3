import type { KGroupedTable } from '../../../../src/dsl/streams.ts'
import { untilTimeLimit, untilWindowCloses } from '../../../../src/dsl/suppressed.ts'
import type { CaseNode } from '../case.ts'
import { combinations, combine, mapKey, mapValue, test, valueFunctions } from '../functions.ts'
import { countOptions, drawCount, saysOtherOldValues, storing } from './aggregations.ts'
import type { Drawing, Drawn, Operator, TextTable } from './operator.ts'
import { drawKeyFunction, drawName, drawStore, named, serdeOf } from './operator.ts'
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
    draw: ([input], drawing) => drawMapValues(input, drawing),
    build: (node, { input }) => {
      const options = node.plain === true ? named(node) : storing(node)
      return input<TextTable>(0).mapValues((value, key) => mapValue(node, value, key), options)
    },
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
    draw: drawSuppress,
    build: (node, { input }) => input<TextTable>(0).suppress(suppressed(node) as never, named(node)),
  },
  tableGroupBy: {
    weight: 3,
    takes: ['table'],
    draw: ([input], drawing) =>
      saysOtherOldValues(input, drawing)
        ? undefined
        : {
            is: 'groupedTable',
            key: 'string',
            value: 'string',
            keyFn: drawKeyFunction(drawing),
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
  return drawn.store === undefined && saysOtherOldValues(input, drawing) ? undefined : drawn
}

/** With serdes but no store Kafka Streams takes a versioned table for one without versions, although it has no other rows. */
function drawMapValues(input: CaseNode, drawing: Drawing): Drawn {
  const { draw } = drawing
  const fn = draw.one(valueFunctions)
  const drawn: Drawn = { ...same(input), value: 'string', fn, ...drawName(drawing, 'values'), ...drawStore(drawing) }
  return drawn.store === undefined && isVersioned(input, drawing) ? { ...drawn, plain: true } : drawn
}

function drawResult(input: CaseNode, drawing: Drawing): Drawn {
  return { ...same(input), is: 'table', ...drawName(drawing, 'result'), ...drawStore(drawing) }
}

function drawCombination({ draw }: Drawing): string {
  return draw.chance(0.3) ? combinations[1] : combinations[0]
}

function drawSuppress([input]: readonly CaseNode[], drawing: Drawing): Drawn | undefined {
  const { draw } = drawing
  if (isVersioned(input, drawing) || hasUnknownSerdes(input, drawing)) return undefined
  const name = drawName(drawing, 'suppress')
  if (isResultOfWindows(input, drawing) && draw.chance(0.7)) {
    return {
      ...same(input),
      until: 'window-closes',
      ...(deletesNothing(input) && draw.chance(0.2) ? drawBounds(input, drawing) : {}),
      ...name,
    }
  }
  const whenFull = draw.chance(0.15) ? 'shut-down' : 'emit-early'
  const bound = draw.chance(0.6) ? { ...drawBounds(input, drawing), whenFull } : {}
  return { ...same(input), until: 'time-limit', limit: draw.one([0, 1, 5, 20]), ...bound, ...name }
}

/** In Kafka Streams a deletion waits, and counts, like a result. */
function deletesNothing({ op, key, fn }: CaseNode): boolean {
  return /^windowed(Count|Aggregate)$/.test(op) && key !== 'session' && fn !== 'dropSome'
}

/**
 * What a row takes is known only when it comes: some 40 bytes, its key and values, its headers, and the name of its topic. The
 * value that was handed on before counts, also where Kafka Streams says that it was another one.
 */
function drawBounds(input: CaseNode, drawing: Drawing): { maxRecords?: number; maxBytes?: number } {
  const { draw } = drawing
  const kind = saysOtherOldValues(input, drawing) ? 'records' : draw.one(['records', 'bytes', 'both'])
  return {
    ...(kind === 'bytes' ? {} : { maxRecords: draw.between(1, 3) }),
    ...(kind === 'records' ? {} : { maxBytes: draw.between(40, 300) }),
  }
}

function suppressed({ until, limit, maxRecords, maxBytes, whenFull }: CaseNode) {
  const bounds = {
    ...(maxRecords === undefined ? {} : { maxRecords: maxRecords as number }),
    ...(maxBytes === undefined ? {} : { maxBytes: maxBytes as number }),
  }
  if (until === 'window-closes') return untilWindowCloses(bounds)
  const isBounded = maxRecords !== undefined || maxBytes !== undefined
  const full = whenFull === 'shut-down' ? whenFull : 'emit-early'
  return untilTimeLimit(limit as number, isBounded ? { ...bounds, whenFull: full } : 'unbounded')
}

/** Through operators that keep no rows of their own. */
function comesFrom(input: CaseNode, { node }: Pick<Drawing, 'node'>, isOrigin: (table: CaseNode) => boolean): boolean {
  if (isOrigin(input)) return true
  return /^table(Filter|FilterNot|MapValues)$/.test(input.op) && comesFrom(node(input.of[0]), { node }, isOrigin)
}

/** A versioned table's history would be lost in a buffer: neither can hold one back. */
function isVersioned(input: CaseNode, drawing: Drawing): boolean {
  return comesFrom(input, drawing, (table) => table.historyMs !== undefined)
}

/** Kafka Streams takes the application's default serdes where an operator has told none; Millrace has no such default. */
export function hasUnknownSerdes(input: CaseNode, drawing: Drawing): boolean {
  return comesFrom(input, drawing, (table) => /^table(Join|MapValues)$/.test(table.op) && table.plain === true)
}

/** Whether the windows and their grace are known: those of the aggregation that the table comes from. */
function isResultOfWindows(input: CaseNode, drawing: Pick<Drawing, 'node'>): boolean {
  if (input.op.startsWith('windowed')) return true
  return /^table(Filter|FilterNot|MapValues)$/.test(input.op) && isResultOfWindows(drawing.node(input.of[0]), drawing)
}
