import type { Case, CaseNode, Shape } from './case.ts'
import type { Coverage } from './coverage.ts'
import { Draw } from './draw.ts'
import { drawEvents } from './events.ts'
import type { Drawing } from './operators/operator.ts'
import { operators } from './operators/operators.ts'

/** What is drawn last is drawn from first, so that chains grow. */
const recent = 3

/** Shapes that come to nothing unless something follows them. */
const unfinished: readonly Shape[] = ['grouped', 'windowed', 'groupedTable', 'cogrouped', 'windowedCogrouped', 'split']

/**
 * A random topology and random events. The same seed gives the same case, whatever was drawn before; coverage, where it is
 * given, is only told.
 */
export function generateCase(id: number, seed: number, coverage?: Coverage): Case {
  const draw = new Draw(seed * 1_000_003 + id)
  const nodes = new TopologyDraw(draw).run()
  coverage?.add(nodes)
  return { id, optimize: false, nodes, events: drawEvents(draw, nodes) }
}

/** Grows a topology operator by operator, and then gives every stream and table without a follower a sink. */
class TopologyDraw {
  readonly #draw: Draw
  readonly #nodes: CaseNode[] = []
  readonly #counters = new Map<string, number>()

  constructor(draw: Draw) {
    this.#draw = draw
  }

  run(): CaseNode[] {
    const size = this.#draw.between(2, 10)
    this.#append('stream', [])
    while (this.#nodes.length < size) this.#grow()
    for (const node of [...this.#nodes]) this.#finish(node)
    return separateTimers(settleTimers(this.#nodes))
  }

  #grow(): void {
    const open = this.#draw.chance(0.7) ? this.#nodes.findLast((node) => this.#isOpen(node)) : undefined
    const able = Object.entries(operators).filter(([, { takes }]) => open === undefined || takes.includes(open.is))
    const [op, { takes }] = this.#draw.weighted(able, ([, { weight }]) => weight)
    const inputs = takes.map((shape) => (shape === open?.is ? open : this.#drawInput(shape)))
    if (inputs.every((input) => input !== undefined)) this.#append(op, inputs)
  }

  #isOpen({ id, is }: CaseNode): boolean {
    return unfinished.includes(is) && !this.#nodes.some((other) => other.of.includes(id))
  }

  #drawInput(shape: Shape): CaseNode | undefined {
    const able = this.#nodes.filter((node) => node.is === shape)
    return able.length === 0 ? undefined : this.#draw.one(this.#draw.chance(0.7) ? able.slice(-recent) : able)
  }

  #append(op: string, inputs: readonly CaseNode[]): CaseNode | undefined {
    const drawn = operators[op].draw(inputs, this.#drawing())
    if (drawn === undefined) return undefined
    const node = { id: `n${this.#nodes.length}`, op, of: inputs.map((input) => input.id), ...drawn }
    this.#nodes.push(node)
    return node
  }

  #finish(node: CaseNode): void {
    const isFollowed = this.#nodes.some((other) => other.of.includes(node.id))
    // What passes in the middle of a chain is looked at too, now and then.
    if (isFollowed && !this.#draw.chance(0.15)) return
    if (node.is === 'table') this.#sink(this.#append('toStream', [node]))
    if (node.is === 'stream') this.#sink(node)
  }

  #sink(node: CaseNode | undefined): void {
    if (node !== undefined) this.#append('to', [node])
  }

  #drawing(): Drawing {
    return {
      draw: this.#draw,
      nodes: this.#nodes,
      unique: (prefix) => {
        const count = (this.#counters.get(prefix) ?? 0) + 1
        this.#counters.set(prefix, count)
        return `${prefix}${count}`
      },
      node: (id) => this.#nodes.find((node) => node.id === id) as CaseNode,
    }
  }
}

/** Operators before which, where the key has changed, another sub-topology begins; and those that always begin one. */
const dividing = [
  'groupByKey',
  'toTable',
  'streamJoin',
  'streamTableJoin',
  'repartition',
  'groupBy',
  'tableGroupBy',
  'foreignKeyJoin',
]

/**
 * Kafka Streams' driver has one event time for the whole topology; Millrace's, as every live application, one for each
 * sub-topology. So timers by event time stay only where there is one sub-topology.
 */
function settleTimers(nodes: readonly CaseNode[]): CaseNode[] {
  const whole = isWhole(nodes)
  return nodes.map((node) => (node.timer === 'stream-time' && !whole ? { ...node, timer: 'wall-clock' } : node))
}

/** Whether there is one sub-topology, as far as this can be told without building it. */
function isWhole(nodes: readonly CaseNode[]): boolean {
  const sourceCount = nodes.filter((node) => node.of.length === 0).length
  return sourceCount === 1 && !nodes.some((node) => dividing.includes(node.op))
}

/**
 * Kafka Streams' driver runs the timers of all sub-topologies in one task, by their times; a live application, as Millrace's
 * driver, those of one task after those of another. So sinks that follow other timers do not share a topic.
 */
function separateTimers(nodes: readonly CaseNode[]): CaseNode[] {
  if (isWhole(nodes)) return [...nodes]
  const timersBefore = new Map<string, string>()
  for (const node of nodes) {
    const before = new Set(node.of.flatMap((id) => timersBefore.get(id)?.split(' ') ?? []))
    if (node.timer !== undefined) before.add(node.id)
    timersBefore.set(
      node.id,
      [...before]
        .filter((id) => id !== '')
        .sort()
        .join(' '),
    )
  }
  const writers = new Map<string, string>()
  return nodes.map((node) => {
    if (node.op !== 'to') return node
    const timers = timersBefore.get(node.id) as string
    const others = writers.get(node.topic as string) ?? timers
    writers.set(node.topic as string, others)
    return others === timers ? node : { ...node, topic: `${node.topic}-of-${node.id}` }
  })
}
