import type { BranchedKStream, KStream } from '../../../../src/dsl/streams.ts'
import type { Arm, CaseNode } from '../case.ts'
import type { Draw } from '../draw.ts'
import { mapKey, mapValue, spread, test, valueFunctions } from '../functions.ts'
import type { Drawing, Drawn, Operator, Texts } from './operator.ts'
import { drawKeyFunction, drawName, drawStore, named, serdeOf, stored, topicOf, unlessDeclared } from './operator.ts'

/** Operators of streams that keep nothing. */
export const stateless: Readonly<Record<string, Operator>> = {
  filter: {
    weight: 2,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), ...drawTest(drawing.draw), ...drawName(drawing, 'filter') }),
    build: (node, { input }) => input<Texts>(0).filter((value, key) => test(node, value, key), named(node)),
  },
  filterNot: {
    weight: 1,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), ...drawTest(drawing.draw), ...drawName(drawing, 'filter') }),
    build: (node, { input }) => input<Texts>(0).filterNot((value, key) => test(node, value, key), named(node)),
  },
  mapValues: {
    weight: 2,
    takes: ['stream'],
    draw: ([input], drawing) => ({
      ...same(input),
      value: 'string',
      fn: drawing.draw.one(valueFunctions),
      ...drawName(drawing, 'values'),
    }),
    build: (node, { input }) => input<Texts>(0).mapValues((value, key) => mapValue(node, value, key), named(node)),
  },
  flatMapValues: {
    weight: 1,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), value: 'string', ...drawName(drawing, 'values') }),
    build: (node, { input }) => input<Texts>(0).flatMapValues(spread, named(node)),
  },
  map: {
    weight: 1,
    takes: ['stream'],
    draw: (_inputs, drawing) => ({
      is: 'stream',
      key: 'string',
      value: 'string',
      keyFn: drawKeyFunction(drawing),
      fn: drawing.draw.one(valueFunctions),
      ...drawName(drawing, 'map'),
    }),
    build: (node, { input }) =>
      input<Texts>(0).map((value, key) => [mapKey(node, value, key), mapValue(node, value, key)], named(node)),
  },
  flatMap: {
    weight: 1,
    takes: ['stream'],
    draw: (_inputs, drawing) => ({
      is: 'stream',
      key: 'string',
      value: 'string',
      keyFn: drawKeyFunction(drawing),
      ...drawName(drawing, 'map'),
    }),
    build: (node, { input }) =>
      input<Texts>(0).flatMap(
        (value, key) => spread(value).map((each) => [mapKey(node, each, key), each] as const),
        named(node),
      ),
  },
  selectKey: {
    weight: 2,
    takes: ['stream'],
    draw: ([input], drawing) => ({
      is: 'stream',
      key: 'string',
      value: input.value,
      keyFn: drawKeyFunction(drawing),
      ...drawName(drawing, 'key'),
    }),
    build: (node, { input }) => input<Texts>(0).selectKey((value, key) => mapKey(node, value, key), named(node)),
  },
  peek: {
    weight: 0.5,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), ...drawName(drawing, 'peek') }),
    build: (node, { input }) => input<Texts>(0).peek(() => {}, named(node)),
  },
  foreach: {
    weight: 0.2,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), is: 'nothing', ...drawName(drawing, 'foreach') }),
    build: (node, { input }) => input<Texts>(0).foreach(() => {}, named(node)),
  },
  merge: {
    weight: 2,
    takes: ['stream', 'stream'],
    draw: ([left, right], drawing) => {
      if (left === right || left.key !== right.key || left.value !== right.value) return undefined
      // Whether repartitions behind it are merged depends, in Kafka Streams, on which of the streams comes first.
      if (drawing.optimize && (hasNewKeys(left, drawing) || hasNewKeys(right, drawing))) return undefined
      return { ...same(left), ...drawName(drawing, 'merge') }
    },
    build: (node, { input }) => input<Texts>(0).merge(input<Texts>(1), named(node)),
  },
  split: {
    weight: 1.5,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), is: 'split', ...drawArms(drawing), ...drawName(drawing, 'split') }),
    build: (node, { input }) => split(input<Texts>(0), node),
  },
  branch: {
    // Follows where a split is, and there are few of them.
    weight: 8,
    takes: ['split'],
    draw: ([input], { draw, nodes }) => {
      const arms = (input.arms as readonly Arm[]).map((_, i) => i + 1)
      if (input.otherwise !== undefined) arms.push(0)
      const free = arms.filter((arm) => !nodes.some((node) => node.of[0] === input.id && node.arm === arm))
      return free.length === 0 ? undefined : { ...same(input), is: 'stream', arm: draw.one(free) }
    },
    build: (node, { input, inputNode }) => {
      const arm = node.arm as number
      const { name } = arm === 0 ? (inputNode(0).otherwise as Arm) : (inputNode(0).arms as readonly Arm[])[arm - 1]
      return input<Record<string, Texts>>(0)[name ?? arm]
    },
  },
  repartition: {
    weight: 1.5,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), ...drawName(drawing, 'repartitioned') }),
    build: (node, { input }) =>
      input<Texts>(0).repartition({ ...named(node), key: serdeOf(node.key), value: serdeOf(node.value) }),
  },
  toTable: {
    weight: 2,
    takes: ['stream'],
    draw: ([input], drawing) => ({ ...same(input), is: 'table', ...drawName(drawing, 'table'), ...drawStore(drawing) }),
    build: (node, { input }) =>
      input<Texts>(0).toTable({
        ...named(node),
        ...stored(node),
        ...unlessDeclared(node, { key: serdeOf(node.key), value: serdeOf(node.value) }),
      }),
  },
  to: {
    // Every stream that nothing follows is written to a topic anyway.
    weight: 0.2,
    takes: ['stream'],
    draw: ([input], drawing) => ({
      ...same(input),
      is: 'nothing',
      topic: drawOutput(input, drawing),
      ...drawName(drawing, 'sink'),
    }),
    build: (node, { input }) => input<Texts>(0).to(topicOf(node.topic as string, node), named(node)),
  },
}

/** Whether keys were changed and the records not repartitioned since, as far as this can be told without building it. */
export function hasNewKeys({ op, of }: CaseNode, { node }: Pick<Drawing, 'node'>): boolean {
  if (['selectKey', 'map', 'flatMap', 'process'].includes(op)) return true
  return op !== 'repartition' && of.some((id) => hasNewKeys(node(id), { node }))
}

/** The formats and shape of the input. */
export function same({ is, key, value }: CaseNode): Drawn {
  return { is, key, value }
}

function drawTest(draw: Draw): { on: string; mod: number } {
  return { on: draw.chance(0.2) ? 'key' : 'value', mod: draw.between(2, 4) }
}

function drawArms(drawing: Drawing): { arms: readonly Arm[]; otherwise?: Arm } {
  const { draw, unique } = drawing
  const name = () => (draw.chance(0.3) ? { name: unique('-arm') } : {})
  const arms = Array.from({ length: draw.between(1, 3) }, () => ({ ...(drawTest(draw) as Arm), ...name() }))
  return { arms, ...(draw.chance(0.5) ? { otherwise: name() } : {}) }
}

/** Sometimes a topic that another sink writes to as well, in the same formats. */
function drawOutput(input: CaseNode, { draw, nodes, unique }: Drawing): string {
  const others = nodes.filter((node) => node.op === 'to' && node.key === input.key && node.value === input.value)
  return others.length > 0 && draw.chance(0.2) ? (draw.one(others).topic as string) : unique('out')
}

function split(stream: Texts, node: CaseNode): unknown {
  let branches = stream.split(named(node)) as BranchedKStream<string, string, Record<string, KStream<string, string>>>
  for (const arm of node.arms as readonly Arm[]) {
    const predicate = (value: string, key: string) => test(arm, value, key)
    branches = (arm.name === undefined
      ? branches.branch(predicate)
      : branches.branch(predicate, { name: arm.name })) as unknown as typeof branches
  }
  const otherwise = node.otherwise as Arm | undefined
  if (otherwise === undefined) return branches.noDefaultBranch()
  return otherwise.name === undefined ? branches.defaultBranch() : branches.defaultBranch({ name: otherwise.name })
}
