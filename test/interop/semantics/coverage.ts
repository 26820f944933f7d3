import type { CaseNode } from './case.ts'
import { operators } from './operators/operators.ts'

/** How often each operator was in a case, and which operators followed which. */
export class Coverage {
  readonly #counts = new Map<string, number>(Object.keys(operators).map((op) => [op, 0]))
  readonly #pairs = new Map<string, number>()

  add(nodes: readonly CaseNode[]): void {
    for (const { op } of nodes) this.#counts.set(op, (this.#counts.get(op) ?? 0) + 1)
    for (const pair of neighbours(nodes)) this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1)
  }

  get pairCount(): number {
    return this.#pairs.size
  }

  /** `operator count` for each, in lines. */
  toString(): string {
    return [...this.#counts].map(([op, count]) => `  ${op.padEnd(20)} ${count}`).join('\n')
  }
}

/** Which operators follow which, as `first > second`. */
export function neighbours(nodes: readonly CaseNode[]): string[] {
  const ops = new Map(nodes.map((node) => [node.id, node.op]))
  return nodes.flatMap(({ op, of }) => of.map((id) => `${ops.get(id)} > ${op}`))
}
