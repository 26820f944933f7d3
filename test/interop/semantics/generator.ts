import { drawBatches, plentyOfBytes, seesWaitingRows, withCache } from './caching.ts'
import { type Case, type CaseNode, isSink, type Shape } from './case.ts'
import type { Coverage } from './coverage.ts'
import { Draw } from './draw.ts'
import { drawEvents } from './events.ts'
import type { Drawing, Operator } from './operators/operator.ts'
import { byHand, ofDsl } from './operators/operators.ts'

/** What is drawn last is drawn from first, so that chains grow. */
const recent = 3

/** Shapes that come to nothing unless something follows them. */
const unfinished: readonly Shape[] = ['grouped', 'windowed', 'groupedTable', 'cogrouped', 'windowedCogrouped', 'split']

/**
 * A random topology and random events. The same seed gives the same case, whatever was drawn before; coverage, where it is
 * given, is only told.
 */
export function generateCase(id: number, seed: number, coverage?: Coverage, isCached = false): Case {
  const draw = new Draw(seed * 1_000_003 + id)
  const isByHand = draw.chance(0.1)
  const optimize = !isByHand && draw.chance(0.2)
  const nodes = new TopologyDraw(draw, isByHand ? byHand : ofDsl, optimize, isCached).run()
  const emitEvery = isThrottled(nodes) && draw.chance(0.2) ? { emitEveryMs: draw.between(1, 30) } : {}
  const kind = isByHand ? { byHand: true as const } : {}
  const events = drawEvents(draw, nodes, { optimize, ...emitEvery })
  const commits = isCached ? { cacheBytes: plentyOfBytes, events: drawBatches(draw, events) } : { events }
  const drawn: Case = { id, optimize, ...kind, ...emitEvery, nodes, ...commits }
  coverage?.add(drawn)
  return drawn
}

/** Whether anything is handed on that was looked for, and not at once. */
function isThrottled(nodes: readonly CaseNode[]): boolean {
  return nodes.some(({ op, how }) => op === 'emitOnClose' || (op === 'streamJoin' && how !== 'inner'))
}

/** Grows a topology operator by operator, and then gives every stream and table without a follower a sink. */
class TopologyDraw {
  readonly #draw: Draw
  readonly #operators: Readonly<Record<string, Operator>>
  readonly #optimize: boolean
  readonly #isCached: boolean
  readonly #nodes: CaseNode[] = []
  readonly #counters = new Map<string, number>()

  constructor(draw: Draw, kinds: Readonly<Record<string, Operator>>, optimize: boolean, isCached: boolean) {
    this.#draw = draw
    this.#operators = kinds
    this.#optimize = optimize
    this.#isCached = isCached
  }

  run(): CaseNode[] {
    const size = this.#draw.between(2, 10)
    this.#append(this.#operators === byHand ? 'handSource' : 'stream', [])
    while (this.#nodes.length < size) this.#grow()
    for (const node of [...this.#nodes]) this.#finish(node)
    const nodes = declareLookedAt(separateTimers(settleTimers(this.#chooseChildren())))
    return this.#isCached && !isWhole(nodes) ? separateSinks(nodes) : nodes
  }

  #grow(): void {
    const open = this.#draw.chance(0.7) ? this.#nodes.findLast((node) => this.#isOpen(node)) : undefined
    if (open?.is === 'cogrouped' && this.#draw.chance(0.5)) this.#groupOneMore()
    const able = Object.entries(this.#operators).filter(
      ([op, { takes }]) =>
        (open === undefined || takes.includes(open.is)) && !(this.#isCached && seesWaitingRows.test(op)),
    )
    const [op, { takes }] = this.#draw.weighted(able, ([, { weight }]) => weight)
    const inputs = takes.map((shape) => (shape === open?.is ? open : this.#drawInput(shape)))
    if (inputs.every((input) => input !== undefined)) this.#append(op, inputs)
  }

  /** So that what is cogrouped can have several streams. */
  #groupOneMore(): void {
    const stream = this.#drawInput('stream')
    if (stream !== undefined) this.#append('groupByKey', [stream])
  }

  #isOpen({ id, is }: CaseNode): boolean {
    return unfinished.includes(is) && !this.#nodes.some((other) => other.of.includes(id))
  }

  #drawInput(shape: Shape): CaseNode | undefined {
    const able = this.#nodes.filter((node) => node.is === shape)
    return able.length === 0 ? undefined : this.#draw.one(this.#draw.chance(0.7) ? able.slice(-recent) : able)
  }

  #append(op: string, inputs: readonly CaseNode[]): CaseNode | undefined {
    const drawn = this.#operators[op].draw(inputs, this.#drawing())
    if (drawn === undefined) return undefined
    const plain = { id: `n${this.#nodes.length}`, op, of: inputs.map((input) => input.id), ...drawn }
    const node = this.#isCached ? withCache(plain, inputs[0] ?? plain) : plain
    this.#nodes.push(node)
    return node
  }

  #finish(node: CaseNode): void {
    const isFollowed = this.#nodes.some((other) => other.of.includes(node.id))
    // What passes in the middle of a chain is looked at too, now and then.
    if (isFollowed && !this.#draw.chance(0.15)) return
    if (node.is === 'table') this.#sink(this.#append('toStream', [node]))
    if (node.is === 'stream') this.#sink(node)
    if (node.is === 'node') this.#append('handSink', [node])
  }

  #sink(node: CaseNode | undefined): void {
    if (node !== undefined) this.#append('to', [node])
  }

  /** Some processors by hand have what they hand on for one of their children alone. */
  #chooseChildren(): CaseNode[] {
    return this.#nodes.map((node) => {
      const children = this.#nodes.filter(({ of }) => of.includes(node.id))
      const mayChoose = children.length > 1 && /^hand(Processor|Junction)$/.test(node.op)
      return mayChoose && this.#draw.chance(0.4) ? { ...node, toChild: this.#draw.one(children).id } : node
    })
  }

  #drawing(): Drawing {
    return {
      draw: this.#draw,
      optimize: this.#optimize,
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

/** Stores that processors look at are declared in Millrace. */
function declareLookedAt(nodes: readonly CaseNode[]): CaseNode[] {
  const looked = new Set(nodes.flatMap(({ looksAt }) => (looksAt === undefined ? [] : [looksAt])))
  return nodes.map((node) =>
    node.store !== undefined && looked.has(node.store) ? { ...node, isDeclared: true } : node,
  )
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
  const settled = nodes.map((node) =>
    node.timer === 'stream-time' && !whole ? { ...node, timer: 'wall-clock' } : node,
  )
  // What the wall clock brings would make records later than final sessions are kept in Kafka Streams: see events.ts. And of a
  // windowed cogroup it would take one stream so far ahead that the results of the others are logged there and not kept.
  const isSensitive = nodes.some(({ op, windows }) => {
    return op === 'cogroupWindowedBy' || (op === 'emitOnClose' && windows === 'session')
  })
  return isSensitive ? settled.map((node) => (node.timer === 'wall-clock' ? withoutTimer(node) : node)) : settled
}

/** Whether there is one sub-topology, as far as this can be told without building it. */
function isWhole(nodes: readonly CaseNode[]): boolean {
  const sourceCount = nodes.filter((node) => node.of.length === 0).length
  return sourceCount === 1 && !nodes.some((node) => dividing.includes(node.op))
}

/**
 * Kafka Streams' driver runs the timers of all sub-topologies in one task, by their times; a live application, as Millrace's
 * driver, those of one task after those of another. So what follows other timers does not meet: neither in an operator or a
 * store, where one of them is left out, nor in an output topic.
 */
function separateTimers(nodes: readonly CaseNode[]): CaseNode[] {
  if (isWhole(nodes)) return [...nodes]
  const kept: CaseNode[] = []
  const timers = new Map<string, string>()
  const writers = new Map<string, string>()
  /** Of stores that several processors use, the timer that they follow. */
  const users = new Map<string, string>()
  for (const node of nodes) {
    const user = node.store === undefined ? '' : (users.get(node.store as string) ?? '')
    const followed = [...node.of.map((id) => timers.get(id) as string), user]
    const before = [...new Set(followed.filter((timer) => timer !== ''))]
    if (before.length > 1)
      return separateTimers(nodes.map((each) => (each.id === before[1] ? withoutTimer(each) : each)))
    const own = node.timer !== undefined && before.length === 0
    timers.set(node.id, own ? node.id : (before[0] ?? ''))
    if (node.store !== undefined) users.set(node.store as string, timers.get(node.id) as string)
    if (node.timer !== undefined && !own) kept.push(withoutTimer(node))
    else if (isSink(node)) kept.push(sinkOfItsOwn(node, timers.get(node.id) as string, writers))
    else kept.push(node)
  }
  return kept
}

/** Kafka Streams' driver flushes the record caches of all sub-topologies in one go: so they do not share output topics. */
function separateSinks(nodes: readonly CaseNode[]): CaseNode[] {
  return nodes.map((node) => (isSink(node) ? { ...node, topic: `${node.topic}-of-${node.id}` } : node))
}

function withoutTimer({ timer: _, intervalMs: __, ...rest }: CaseNode): CaseNode {
  return rest as CaseNode
}

/** The sink, with another topic where what follows another timer is written to its own. */
function sinkOfItsOwn(node: CaseNode, timer: string, writers: Map<string, string>): CaseNode {
  const other = writers.get(node.topic as string) ?? timer
  writers.set(node.topic as string, other)
  return other === timer ? node : { ...node, topic: `${node.topic}-of-${node.id}` }
}
