import type { FlowRecord } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import type { RecordCallback } from './stateless.ts'
import { takesParameter } from './takes-parameter.ts'

/** Where records go for which the predicate holds and none before it did. */
export interface Branch {
  readonly predicate: RecordCallback<boolean>
  readonly child: string
}

/**
 * Hands each record to the child of the first predicate that holds, or to the default child where none does; without one
 * the record ends here. `branches` may grow until the processor is made. After Kafka Streams' KStreamBranch.
 */
export function branch(branches: readonly Branch[], defaultChild: () => string | undefined): () => Processor {
  return () => new BranchSwitch(branches, defaultChild())
}

class BranchSwitch implements Processor {
  readonly #branches: readonly Branch[]
  readonly #predicates: readonly RecordCallback<boolean>[]
  readonly #defaultChild: string | undefined
  readonly #readsKey: boolean
  readonly #children: Processor[] = []
  #default: Processor | undefined
  #name = ''

  constructor(branches: readonly Branch[], defaultChild: string | undefined) {
    this.#branches = branches
    this.#predicates = branches.map(({ predicate }) => predicate)
    this.#defaultChild = defaultChild
    this.#readsKey = this.#predicates.some((predicate) => takesParameter(predicate, 1))
  }

  init(context: ProcessorContext): void {
    this.#name = context.name
    for (const { child } of this.#branches) this.#children.push(context.outputTo(child))
    this.#default = this.#defaultChild === undefined ? undefined : context.outputTo(this.#defaultChild)
  }

  process(record: FlowRecord): void {
    record.operator = this.#name
    const predicates = this.#predicates
    const value = record.value()
    const key = this.#readsKey ? record.key() : undefined
    for (let i = 0; i < predicates.length; i++) {
      const predicate = predicates[i] as RecordCallback<boolean>
      if (!predicate(value, key)) continue
      ;(this.#children[i] as Processor).process(record)
      return
    }
    this.#default?.process(record)
  }
}
