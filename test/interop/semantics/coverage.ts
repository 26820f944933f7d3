import type { Case, CaseNode } from './case.ts'
import { operators } from './operators/operators.ts'

/** What a case may have beside its operators. */
const traits: Readonly<Record<string, (given: Case) => boolean>> = {
  'by hand': ({ byHand }) => byHand === true,
  optimised: ({ optimize }) => optimize,
  'with an interval': ({ emitEveryMs }) => emitEveryMs !== undefined,
  'with timers': ({ nodes }) => nodes.some(({ timer }) => timer !== undefined),
  'with metadata': ({ nodes }) => nodes.some(({ metadata }) => metadata === true),
  'with rows looked at': ({ nodes }) => nodes.some(({ looksAt }) => looksAt !== undefined),
  'with headers': ({ events }) =>
    events.some((event) => ('batch' in event ? event.batch : [event]).some((each) => 'headers' in each)),
  'with record caches': ({ cacheBytes }) => cacheBytes !== undefined,
  'with restarts': ({ events }) => events.some((event) => 'restart' in event),
}

/** How often each operator was in a case, and which operators followed which; and how many cases were of which kind. */
export class Coverage {
  readonly #counts = new Map<string, number>(Object.keys(operators).map((op) => [op, 0]))
  readonly #traits = new Map<string, number>()
  readonly #pairs = new Map<string, number>()

  add(given: Case): void {
    const { nodes } = given
    for (const [trait, has] of Object.entries(traits)) if (has(given)) this.#traits.set(trait, this.#count(trait) + 1)
    for (const { op } of nodes) this.#counts.set(op, (this.#counts.get(op) ?? 0) + 1)
    for (const pair of neighbours(nodes)) this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1)
  }

  #count(trait: string): number {
    return this.#traits.get(trait) ?? 0
  }

  get pairCount(): number {
    return this.#pairs.size
  }

  /** `operator count` for each, in lines, and the same for the kinds of cases. */
  toString(): string {
    const kinds = Object.keys(traits).map((trait) => [trait, this.#count(trait)] as const)
    const lines = (counts: Iterable<readonly [string, number]>) =>
      [...counts].map(([name, count]) => `  ${name.padEnd(24)} ${count}`).join('\n')
    return `${lines(this.#counts)}\ncases:\n${lines(kinds)}`
  }
}

/** Which operators follow which, as `first > second`. */
export function neighbours(nodes: readonly CaseNode[]): string[] {
  const ops = new Map(nodes.map((node) => [node.id, node.op]))
  return nodes.flatMap(({ op, of }) => of.map((id) => `${ops.get(id)} > ${op}`))
}
