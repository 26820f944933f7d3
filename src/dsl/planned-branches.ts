import { MillraceError } from '../errors.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { BranchOptions, OperatorOptions } from './operator-options.ts'
import { type Branch, branch } from './operators/branch.ts'
import { passThrough, type RecordCallback } from './operators/stateless.ts'
import type { PlanNode, StreamState } from './plan.ts'
import type { BranchedKStream, Branches, KStream } from './streams.ts'

/** Adds the operator that sends records into branches, and opens the object that branches are added to. */
export function splitStream<K, V>(state: StreamState, options: OperatorOptions): BranchedKStream<K, V> {
  const planned = new PlannedBranches(state, options.name)
  // The branches' types grow with each call, which only the interface can say.
  return planned as unknown as BranchedKStream<K, V>
}

type Predicate = (value: never, key: never) => boolean
type Planned = Record<string, KStream<unknown, unknown>>

class PlannedBranches {
  readonly #state: StreamState
  readonly #node: PlanNode
  readonly #branches: Branch[] = []
  readonly #streams: Planned = {}
  #defaultChild: string | undefined
  #hasEnded = false

  constructor(state: StreamState, givenName: string | undefined) {
    const { plan, node } = state
    const name = plan.names.operator('KSTREAM-BRANCH-', givenName)
    this.#state = state
    this.#node = plan.addProcessor(
      name,
      branch(this.#branches, () => this.#defaultChild),
      [node],
      { changes: 'nothing' },
    )
  }

  branch(predicate: Predicate, options: BranchOptions<string> = {}): this {
    const child = this.#add(options.name ?? String(this.#branches.length + 1))
    this.#branches.push({ predicate: predicate as RecordCallback<boolean>, child })
    return this
  }

  defaultBranch(options: BranchOptions<string> = {}): Branches<Planned> {
    this.#defaultChild = this.#add(options.name ?? '0')
    this.#hasEnded = true
    return this.#streams
  }

  noDefaultBranch(): Branches<Planned> {
    this.#hasEnded = true
    return this.#streams
  }

  /** Adds the node that a branch's stream begins at, and returns its name; takes a number that the name does not have. */
  #add(branchName: string): string {
    const { plan } = this.#state
    const name = `${this.#node.name}${branchName}`
    requireNodeName(name, 'operator')
    this.#requireNew(branchName)
    plan.names.generated('')
    const node = plan.addProcessor(name, passThrough, [this.#node], { changes: 'nothing' })
    this.#streams[branchName] = plan.openStream({ ...this.#state, node })
    return name
  }

  #requireNew(branchName: string): void {
    const at = { operator: this.#node.name }
    if (this.#hasEnded) {
      throw new MillraceError('INVALID_TOPOLOGY', 'A branch was added after the split was ended', {
        at,
        remedy: 'Call defaultBranch or noDefaultBranch last.',
      })
    }
    if (Object.hasOwn(this.#streams, branchName)) {
      throw new MillraceError('INVALID_TOPOLOGY', `Two branches are named '${branchName}'`, {
        at,
        remedy: 'Give one of the two another name.',
      })
    }
  }
}
