import type { Case, CaseEvent, CaseNode, PipeEvent } from './case.ts'
import type { Draw } from './draw.ts'

/** Parameters that are durations: event times are drawn at such distances from each other, and one beside. */
const durations = ['size', 'advance', 'grace', 'before', 'after', 'startOn', 'limit', 'historyMs', 'intervalMs']

/** Durations that nothing in a case outlasts. */
export const endless = 100_000

const keys = ['a', 'b', 'c'] as const

/** Events that hit the edges: windows' bounds and one beside, time that stands, jumps and goes back, nulls, the same value twice. */
export function drawEvents(
  draw: Draw,
  nodes: readonly CaseNode[],
  { emitEveryMs, optimize }: Pick<Case, 'emitEveryMs' | 'optimize'>,
): CaseEvent[] {
  const topics = [...new Set(nodes.flatMap(sourceTopics))]
  const times = new TimeDraw(draw, nodes)
  const events: CaseEvent[] = []
  const nullKeys = optimize || draw.chance(0.5) ? 0 : 0.1
  const nullValues = draw.one([0, 0.1, 0.25])
  const hasTimers = emitEveryMs !== undefined || nodes.some((node) => node.timer !== undefined)
  // A restart begins timers and intervals anew, and so does it the search for records that found none in a join of streams.
  const beginsAnew =
    hasTimers || nodes.some(forgetsTime) || nodes.some((node) => node.op === 'streamJoin' && node.how !== 'inner')
  const restarts = draw.chance(0.2) && !beginsAnew ? 0.1 : 0
  const headers = draw.chance(0.3) ? 0.4 : 0
  const count = draw.between(3, 30)
  const versions = new Versions(nodes)
  let value = 'v0'
  for (let i = 1; i <= count; i++) {
    if (draw.chance(restarts)) events.push({ restart: true })
    if (hasTimers && draw.chance(0.2)) events.push({ wallclock: draw.between(1, 30) })
    if (!draw.chance(0.05)) value = `v${i}`
    const place = {
      topic: draw.one(topics),
      key: draw.chance(nullKeys) ? null : draw.one(keys),
      value: draw.chance(nullValues) ? null : value,
      ts: times.next(),
    }
    events.push({
      ...place,
      ...(versions.isForgotten(place) && { value }),
      ...(draw.chance(headers) ? { headers: [[draw.one(['h', 'g']), `${i}`] as const] } : {}),
    })
  }
  while (mostRecords(nodes, events) > maxRecords) events.pop()
  return events
}

/**
 * The versions of versioned tables. Kafka Streams' store forgets the deletion of a version at its very own time: a version before
 * it that comes later brings the row back. In Millrace it stays deleted. So such deletions are not drawn.
 */
class Versions {
  readonly #topics: ReadonlySet<string>
  readonly #seen = new Set<string>()

  constructor(nodes: readonly CaseNode[]) {
    this.#topics = new Set(nodes.filter(({ op }) => op === 'versionedTable').flatMap(sourceTopics))
  }

  isForgotten({ topic, key, value, ts }: Pick<PipeEvent, 'topic' | 'key' | 'value' | 'ts'>): boolean {
    if (!this.#topics.has(topic)) return false
    const place = JSON.stringify([topic, key, ts])
    if (value === null) return this.#seen.has(place)
    this.#seen.add(place)
    return false
  }
}

/** Stores that after a restart know how far time was, or what was used last, by what they hold alone. */
function forgetsTime({ op, kind }: CaseNode): boolean {
  return op === 'keepValues' && kind !== 'timestamped'
}

/** How many records an operator may come to at most: joins of joins of streams multiply them without end. */
const maxRecords = 20_000

/** The most records that any operator can hand on, were all of one key and in one window. */
function mostRecords(nodes: readonly CaseNode[], events: readonly CaseEvent[]): number {
  const piped = events.filter((event) => 'topic' in event)
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const inputs = node.of.map((id) => counts.get(id) as number)
    const topics = sourceTopics(node)
    const sum = inputs.reduce((total, count) => total + count, 0)
    if (topics.length > 0) counts.set(node.id, piped.filter((event) => topics.includes(event.topic)).length)
    else if (node.op === 'streamJoin') counts.set(node.id, inputs[0] * inputs[1] + sum)
    else
      counts.set(
        node.id,
        node.op.startsWith('flatMap') || /^process|^hand(Processor|Junction)$/.test(node.op) ? 2 * sum : sum,
      )
  }
  return Math.max(...counts.values())
}

export function sourceTopics(node: CaseNode): readonly string[] {
  if (node.topics !== undefined) return node.topics as readonly string[]
  return node.of.length === 0 ? [node.topic as string] : []
}

class TimeDraw {
  readonly #draw: Draw
  readonly #distances: readonly number[]
  readonly #reach: number
  /** How far a time may be behind the latest. */
  readonly #lateness: number
  #latest = 0
  #previous = 0

  constructor(draw: Draw, nodes: readonly CaseNode[]) {
    this.#draw = draw
    const known = nodes.flatMap((node) =>
      durations.flatMap((name) => (typeof node[name] === 'number' && node[name] < endless ? [node[name]] : [])),
    )
    this.#distances = known.length === 0 ? [1, 5, 10] : known
    this.#reach = 2 * Math.max(...this.#distances, 5)
    this.#lateness = longestLateness(nodes)
    this.#latest = draw.one([0, 0, this.#draw.between(0, this.#reach)])
  }

  next(): number {
    const draw = this.#draw
    const kind = draw.between(0, 9)
    const distance = draw.one(this.#distances) * draw.one([1, 1, 1, 2]) + draw.one([-1, 0, 0, 1])
    let time: number
    if (kind <= 2) time = this.#latest + draw.between(0, 4)
    else if (kind <= 4) time = this.#latest + distance
    else if (kind <= 6) time = this.#latest - distance
    else if (kind === 7) time = this.#previous
    else if (kind === 8) time = this.#latest - draw.between(0, this.#reach)
    else time = this.#edge() + draw.one([-1, 0, 1])
    time = Math.max(0, time, this.#latest - this.#lateness)
    this.#latest = Math.max(this.#latest, time)
    this.#previous = time
    return time
  }

  /** The bound of an aligned window near the latest time. */
  #edge(): number {
    const size = Math.max(1, this.#draw.one(this.#distances))
    return (Math.floor(this.#latest / size) + this.#draw.between(-1, 1)) * size
  }
}

/**
 * Sessions that were handed on when they closed are still in Kafka Streams' store, where a record that comes later than their
 * grace can join them again; in Millrace they are final. So such records do not come. Each processor of the user's own can
 * hand on a record that is later by 1 ms than the one that it was given.
 */
function longestLateness(nodes: readonly CaseNode[]): number {
  const final = nodes.filter((node) => node.op === 'emitOnClose' && node.windows === 'session')
  const ahead = nodes.filter((node) => node.op === 'process' || node.op === 'processValues').length
  return Math.min(Number.POSITIVE_INFINITY, ...final.map((node) => (node.grace as number) - ahead))
}
