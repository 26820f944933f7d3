import { SlidingWindows } from '../../../../src/dsl/sliding-windows.ts'
import type {
  CogroupedKStream,
  KGroupedStream,
  KTable,
  SessionWindowedCogroupedKStream,
  SessionWindowedKStream,
  TimeWindowedCogroupedKStream,
  TimeWindowedKStream,
} from '../../../../src/dsl/streams.ts'
import { UnlimitedWindows } from '../../../../src/dsl/unlimited-windows.ts'
import { SessionWindows, TimeWindows } from '../../../../src/dsl/windows.ts'
import type { Windowed } from '../../../../src/windowed.ts'
import type { CaseNode, Format } from '../case.ts'
import type { Draw } from '../draw.ts'
import { combinations, combine, mapKey } from '../functions.ts'
import type { Building, Drawing, Drawn, Operator, Texts } from './operator.ts'
import { drawKeyFunction, drawName, drawStore, keptLong, named, serdeOf, stored, unlessDeclared } from './operator.ts'
import { hasNewKeys, same } from './stateless.ts'

type Grouped = KGroupedStream<string, string>
type TimeWindowed = TimeWindowedKStream<string, string>
type SessionWindowed = SessionWindowedKStream<string, string>
type Cogrouped = CogroupedKStream<string, string, string>
type TimeWindowedCogrouped = TimeWindowedCogroupedKStream<string, string>
type SessionWindowedCogrouped = SessionWindowedCogroupedKStream<string, string>
type Results = KTable<Windowed<string> | string, string | number>

/** What groups streams and keeps a result for each group. */
export const aggregations: Readonly<Record<string, Operator>> = {
  groupByKey: {
    weight: 3,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), is: 'grouped', ...drawName(drawing, 'grouped') }),
    build: (node, { input }) => input<Texts>(0).groupByKey({ ...named(node), ...serdes(node) }),
  },
  groupBy: {
    weight: 2,
    takes: ['stream'],
    draw: ([input], drawing) => ({
      is: 'grouped',
      key: 'string',
      value: input.value,
      keyFn: drawKeyFunction(drawing),
      ...drawName(drawing, 'grouped'),
    }),
    build: (node, { input }) =>
      input<Texts>(0).groupBy((value, key) => mapKey(node, value, key), { ...named(node), ...serdes(node) }),
  },
  windowedBy: {
    weight: 6,
    takes: ['grouped'],
    draw: ([input], { draw }) =>
      input.key === 'string' ? { ...same(input), is: 'windowed', ...drawWindows(draw) } : undefined,
    build: (node, { input }) => windowedBy(input<Grouped>(0), node),
  },
  emitOnClose: {
    weight: 3,
    takes: ['windowed'],
    draw: ([input], { nodes }) => {
      if (input.windows === 'unlimited' || input.op === 'emitOnClose') return undefined
      // Kafka Streams changes the stream that it is called on; Millrace's stays as it is.
      if (nodes.some((node) => node.of.includes(input.id))) return undefined
      const { windows, size, advance, grace } = input
      return { ...same(input), windows, size, grace, ...(advance === undefined ? {} : { advance }) }
    },
    build: (_node, { input, emitEveryMs }) => input<TimeWindowed>(0).emit('window-close', { every: emitEveryMs }),
  },
  count: {
    weight: 3,
    takes: ['grouped'],
    draw: ([input], drawing) => drawCount(drawResult(input, drawing), drawing),
    build: count,
  },
  windowedCount: {
    weight: 3,
    takes: ['windowed'],
    draw: ([input], drawing) => drawCount(drawResult(input, drawing), drawing),
    build: count,
  },
  reduce: {
    weight: 3,
    takes: ['grouped'],
    draw: ([input], drawing) => (input.value === 'string' ? drawFold(input, drawing) : undefined),
    build: reduce,
  },
  windowedReduce: {
    weight: 3,
    takes: ['windowed'],
    draw: ([input], drawing) => (input.value === 'string' ? drawFold(input, drawing) : undefined),
    build: reduce,
  },
  aggregate: {
    weight: 3,
    takes: ['grouped'],
    draw: ([input], drawing) => drawFold(input, drawing),
    build: (node, { input }) =>
      input<Grouped>(0).aggregate(empty, (aggregate, value) => combine(node, '+', aggregate, value), storing(node)),
  },
  windowedAggregate: {
    weight: 4,
    takes: ['windowed'],
    draw: ([input], drawing) => drawFold(input, drawing),
    build: windowedAggregate,
  },
  cogroup: {
    weight: 2,
    takes: ['grouped'],
    draw: ([input], { draw }) =>
      input.key === 'string'
        ? { is: 'cogrouped', key: 'string', value: 'string', fn: draw.one(combinations) }
        : undefined,
    build: (node, { input }) =>
      input<Grouped>(0).cogroup((aggregate: string, value) => combine(node, '+', aggregate, value)),
  },
  cogroupMore: {
    weight: 4,
    takes: ['cogrouped', 'grouped'],
    draw: ([cogrouped, grouped], drawing) =>
      grouped.key === 'string' &&
      isUnused(cogrouped, drawing) &&
      isUnused(grouped, drawing) &&
      !(drawing.optimize && isNumbered(grouped, drawing))
        ? { ...same(cogrouped), fn: drawing.draw.one(combinations) }
        : undefined,
    build: (node, { input }) =>
      input<Cogrouped>(0).cogroup(input<Grouped>(1), (aggregate, value) => combine(node, '/', aggregate, value)),
  },
  cogroupWindowedBy: {
    weight: 2,
    takes: ['cogrouped'],
    draw: ([input], drawing) =>
      isUnused(input, drawing) ? { ...same(input), is: 'windowedCogrouped', ...drawWindows(drawing.draw) } : undefined,
    build: (node, { input }) => windowedBy(input<Grouped>(0), node),
  },
  cogroupAggregate: {
    weight: 3,
    takes: ['cogrouped'],
    draw: ([input], drawing) => (isUnused(input, drawing) ? drawFold(input, drawing) : undefined),
    build: (node, { input }) => input<Cogrouped>(0).aggregate(empty, storing(node)),
  },
  windowedCogroupAggregate: {
    weight: 3,
    takes: ['windowedCogrouped'],
    draw: ([input], drawing) => (isUnused(input, drawing) ? drawFold(input, drawing) : undefined),
    build: windowedCogroupAggregate,
  },
}

/**
 * Whether its repartition topic has a number where it is not the first to be cogrouped: Kafka Streams gives all one name, and
 * is refused, unless an optimisation merges one of them with another.
 */
function isNumbered({ op, of, name }: CaseNode, drawing: Drawing): boolean {
  return name === undefined && (op === 'groupBy' || hasNewKeys(drawing.node(of[0]), drawing))
}

/** Whether the grouped stream or what is cogrouped is used only here: Kafka Streams' cogroup changes what it is called on. */
function isUnused({ id }: CaseNode, { nodes }: Drawing): boolean {
  return !nodes.some((node) => node.of.includes(id))
}

function windowedCogroupAggregate(node: CaseNode, { input, inputNode }: Building): Results {
  if (inputNode(0).windows !== 'session') return input<TimeWindowedCogrouped>(0).aggregate(empty, storing(node))
  const merger = (a: string, b: string) => combine(node, '&', a, b) as string
  return input<SessionWindowedCogrouped>(0).aggregate(empty, merger, storing(node))
}

/** Sizes that are small against the times of events, so that windows fill, overlap and close within a case. */
function drawWindows(draw: Draw): Omit<Drawn, 'is' | 'key' | 'value'> {
  const windows = draw.weighted(['tumbling', 'hopping', 'session', 'sliding', 'unlimited'] as const, (kind) =>
    kind === 'unlimited' ? 0.3 : 1,
  )
  const size = draw.one([1, 3, 5, 10, 10, 20])
  const grace = draw.one([0, 0, 1, 5, 10, 30])
  return windows === 'hopping' ? { windows, size, advance: draw.between(1, size), grace } : { windows, size, grace }
}

function windowedBy(grouped: Grouped, node: CaseNode): unknown {
  const { windows, size, advance, grace } = node as unknown as Record<string, number>
  switch (windows as unknown) {
    case 'session':
      return grouped.windowedBy(SessionWindows.withGap(size).grace(grace))
    case 'sliding':
      return grouped.windowedBy(SlidingWindows.of(size).grace(grace))
    case 'unlimited':
      return grouped.windowedBy(
        node.startOn === undefined ? UnlimitedWindows.of() : UnlimitedWindows.of().startOn(node.startOn as number),
      )
    case 'hopping':
      return grouped.windowedBy(TimeWindows.of(size).advanceBy(advance).grace(grace))
    default:
      return grouped.windowedBy(TimeWindows.of(size).grace(grace))
  }
}

/** The format of the keys of a windowed stream's results. */
function resultKey(input: CaseNode): Format {
  if (input.is === 'grouped' || input.is === 'cogrouped') return input.key
  if (input.windows === 'unlimited') return 'window:9223372036854775807'
  return input.windows === 'session' ? 'session' : `window:${input.size as number}`
}

function drawResult(input: CaseNode, drawing: Drawing): Drawn | undefined {
  if (drawing.nodes.some((node) => node.op === 'emitOnClose' && node.of[0] === input.id)) return undefined
  return {
    is: 'table',
    key: resultKey(input),
    value: 'string',
    ...drawRetention(input),
    ...drawName(drawing, 'result'),
    ...drawStore(drawing),
  }
}

/**
 * How long Kafka Streams is told to keep windows. Left to itself it takes a session as expired when it ends exactly gap and
 * grace before the store's stream time, although a record at that distance still belongs to it; and of sliding windows those
 * from which a record that is not too late yet would make others. And windows that are handed on when they close have
 * expired by then, which loses them. Of sessions those come first that began first only where the store is on disk.
 */
function drawRetention({ op, windows, size, grace }: CaseNode): { retention?: number; persistent?: true } {
  if (op === 'emitOnClose') return { retention: keptLong, ...(windows === 'session' ? { persistent: true } : {}) }
  if (windows === 'session') return { retention: (size as number) + (grace as number) + 1 }
  return windows === 'sliding' ? { retention: 3 * (size as number) + (grace as number) + 1 } : {}
}

/**
 * Whether updates of the table say that before a key's first update it had the initializer's value. Without a cache Kafka
 * Streams' aggregations say so (in sliding windows also the value that a new window begins with); with one, and in Millrace,
 * there was nothing before.
 */
export function saysInitialValues(table: CaseNode, { node }: Pick<Drawing, 'node'>): boolean {
  const { windows } = table.of.length === 0 ? table : node(table.of[0])
  if (table.caching === true) return false
  if (windows === 'sliding') return true
  if (/^(windowedC|c)ount$|^(windowedA|a|windowedCogroupA|cogroupA)ggregate$/.test(table.op))
    return windows !== 'session'
  return isDerived(table) && saysInitialValues(node(table.of[0]), { node })
}

/**
 * Whether the values before are not those that were handed on before: an operator that uses them takes out of its result
 * what was never put in. Kafka Streams' suppress also says the value before the last update, though that waited in vain.
 */
export function saysOtherOldValues(table: CaseNode, drawing: Pick<Drawing, 'node'>): boolean {
  return saysInitialValues(table, drawing) || isSuppressed(table, drawing)
}

/**
 * A suppressed table is looked up as it was before what waits: before the first, the value that the update said to replace,
 * which may be another than what was handed on.
 */
export function showsOtherValues(table: CaseNode, { node }: Pick<Drawing, 'node'>): boolean {
  if (table.op === 'suppress') return saysOtherOldValues(node(table.of[0]), { node })
  return isDerived(table) && showsOtherValues(node(table.of[0]), { node })
}

function isSuppressed(table: CaseNode, { node }: Pick<Drawing, 'node'>): boolean {
  return table.op === 'suppress' || (isDerived(table) && isSuppressed(node(table.of[0]), { node }))
}

/** Made of the updates of another table, without rows of its own. */
function isDerived(table: CaseNode): boolean {
  return /^table(Filter|FilterNot|MapValues)$|^suppress$/.test(table.op) && table.store === undefined
}

function drawFold(input: CaseNode, drawing: Drawing): Drawn | undefined {
  const result = drawResult(input, drawing)
  return result && { ...result, fn: drawing.draw.chance(0.3) ? combinations[1] : combinations[0] }
}

/** A count needs no serdes; where it is plain it is told none. */
export function drawCount(result: Drawn | undefined, { draw }: Drawing): Drawn | undefined {
  if (result === undefined) return undefined
  return {
    ...result,
    value: 'long',
    ...(result.store === undefined && result.retention === undefined && draw.chance(0.4) ? { plain: true } : {}),
  }
}

export function countOptions(node: CaseNode, key: Format) {
  return {
    ...named(node),
    ...stored(node),
    ...(node.plain === true ? {} : unlessDeclared(node, { key: serdeOf(key) })),
  }
}

function count(node: CaseNode, { input, inputNode }: Building): Results {
  return input<Grouped>(0).count(countOptions(node, inputNode(0).key))
}

function reduce(node: CaseNode, { input, inputNode }: Building): Results {
  const reducer = (aggregate: string, value: string) => combine(node, ',', aggregate, value)
  return input<Grouped>(0).reduce(reducer, {
    ...storing(node),
    ...unlessDeclared(node, { key: serdeOf(inputNode(0).key) }),
  })
}

function windowedAggregate(node: CaseNode, { input, inputNode }: Building): Results {
  const aggregator = (aggregate: string, value: string) => combine(node, '+', aggregate, value)
  if (inputNode(0).windows !== 'session') return input<TimeWindowed>(0).aggregate(empty, aggregator, storing(node))
  const merger = (a: string, b: string) => combine(node, '&', a, b) as string
  return input<SessionWindowed>(0).aggregate(empty, aggregator, merger, storing(node))
}

function empty(): string {
  return ''
}

function serdes(node: CaseNode) {
  return { key: serdeOf(node.key), value: serdeOf(node.value) }
}

/** Options of what keeps its results in a store. */
export function storing(node: CaseNode) {
  return { ...named(node), ...stored(node), ...unlessDeclared(node, { value: serdeOf(node.value) }) }
}
