import { functionOf } from '../arguments.ts'
import { MillraceError } from '../errors.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { BranchOptions, OperatorOptions } from './operator-options.ts'
import { type Branch, branch } from './operators/branch.ts'
import { passThrough, type RecordCallback } from './operators/stateless.ts'
import type { PlanNode, StreamState } from './plan.ts'
import type { BranchEnd, BranchedKStream, Branches, KStream } from './streams.ts'

/** Adds the operator that sends records into branches, and opens the object that branches are added to. */
export function splitStream<K, V>(state: StreamState, options: OperatorOptions): BranchedKStream<K, V> {
  const planned = new PlannedBranches(state, options.name)
  // The branches' types grow with each call, which only the interface can say.
  return planned as unknown as BranchedKStream<K, V>
}

type Predicate = (value: never, key: never) => boolean
type AnyStream = KStream<unknown, unknown>
type Planned = Record<string, AnyStream>

type PlannedBranchOptions = BranchOptions<string, AnyStream, BranchEnd>

class PlannedBranches {
  readonly #state: StreamState
  readonly #node: PlanNode
  readonly #branches: Branch[] = []
  readonly #names = new Set<string>()
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

  branch(predicate: Predicate, options: PlannedBranchOptions = {}): this {
    const branchName = options.name ?? String(this.#branches.length + 1)
    const predicateOfRecord = functionOf<RecordCallback<boolean>>('branch', 'predicate', predicate)
    this.#add(branchName, options, (child) => this.#branches.push({ predicate: predicateOfRecord, child }))
    return this
  }

  defaultBranch(options: PlannedBranchOptions = {}): Branches<Planned> {
    this.#add(options.name ?? '0', options, (child) => {
      this.#defaultChild = child
      this.#hasEnded = true
    })
    return this.#streams
  }

  noDefaultBranch(): Branches<Planned> {
    this.#hasEnded = true
    return this.#streams
  }

  /**
   * Adds the node that a branch's stream begins at, whose name is told before anything goes on with the branch; it takes a number
   * that the name does not have.
   */
  #add(branchName: string, { with: goOn }: PlannedBranchOptions, tell: (child: string) => void): void {
    const { plan } = this.#state
    const name = `${this.#node.name}${branchName}`
    requireNodeName(name, 'operator')
    this.#requireNew(branchName)
    plan.names.generated('')
    const node = plan.addProcessor(name, passThrough, [this.#node], { changes: 'nothing' })
    tell(name)
    const stream = plan.openStream<unknown, unknown>({ ...this.#state, node })
    this.#names.add(branchName)
    const made = goOn === undefined ? stream : goOn(stream)
    if (made !== undefined) this.#streams[branchName] = made
  }

  #requireNew(branchName: string): void {
    const at = { operator: this.#node.name }
    if (this.#hasEnded) {
      throw new MillraceError('INVALID_TOPOLOGY', 'A branch was added after the split was ended', {
        at,
        remedy: 'Call defaultBranch or noDefaultBranch last.',
      })
    }
    if (this.#names.has(branchName)) {
      throw new MillraceError('INVALID_TOPOLOGY', `Two branches are named '${branchName}'`, {
        at,
        remedy: 'Give one of the two another name.',
      })
    }
  }
}
