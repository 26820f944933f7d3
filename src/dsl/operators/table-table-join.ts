import type { FlowRecord, SavedKey, SavedValue } from '../../topology/flow-record.ts'
import type { Processor, ProcessorContext } from '../../topology/processor.ts'
import { emptySavedKey, emptySavedValue } from './saved-record.ts'
import { takesParameter } from './takes-parameter.ts'
import type { ValueGetter, ValueGetterFactory } from './value-getter.ts'

/** Makes a value of both tables' values for a key, of which one may be missing (null) where the join allows it. */
export type TableJoiner = (left: unknown, right: unknown, key: unknown) => unknown

export interface TableJoinRule {
  readonly joiner: TableJoiner
  /** Whether the result has only keys that the left table has; likewise for the right one. */
  readonly needsLeft: boolean
  readonly needsRight: boolean
}

export interface TableJoinSide {
  readonly rule: TableJoinRule
  /** Whether the updates that it takes are those of the left table. */
  readonly isLeft: boolean
  /** Looks rows of the other table up. */
  readonly other: ValueGetterFactory
}

/**
 * One side of a join of two tables by key: takes the updates of one table, looks the other one's row up, and hands on what
 * becomes of the joined row. Its timestamp is the later one of both rows. An update for which the other table has no row
 * is handed on only where the join does without, and then not if the row was not there before either. After Kafka Streams' KTableKTableInnerJoin, -LeftJoin,
 * -RightJoin and -OuterJoin, which differ in what is needed. `sendsOldValues` is asked when the processor is made.
 */
export function tableTableJoin(side: TableJoinSide, sendsOldValues: () => boolean): () => Processor {
  return () => new TableTableJoin(side, sendsOldValues())
}

/** For a join without a store: both tables' rows are looked up, and joined anew at every look-up. */
export function joinedValue(
  rule: TableJoinRule,
  operator: string,
  left: ValueGetterFactory,
  right: ValueGetterFactory,
): ValueGetterFactory {
  return (context) => new JoinedValue(rule, operator, left(context), right(context))
}

class TableTableJoin implements Processor {
  readonly #joiner: TableJoiner
  readonly #readsKey: boolean
  readonly #isLeft: boolean
  readonly #makeOther: ValueGetterFactory
  readonly #needsOwn: boolean
  readonly #needsOther: boolean
  readonly #sendsOldValues: boolean
  readonly #savedKey: SavedKey = emptySavedKey()
  readonly #savedValue: SavedValue = emptySavedValue()
  #context!: ProcessorContext
  #name = ''
  #output!: Processor
  #other!: ValueGetter

  constructor({ rule, isLeft, other }: TableJoinSide, sendsOldValues: boolean) {
    this.#joiner = rule.joiner
    this.#readsKey = takesParameter(rule.joiner, 2)
    this.#isLeft = isLeft
    this.#makeOther = other
    this.#needsOwn = isLeft ? rule.needsLeft : rule.needsRight
    this.#needsOther = isLeft ? rule.needsRight : rule.needsLeft
    this.#sendsOldValues = sendsOldValues
  }

  init(context: ProcessorContext): void {
    this.#context = context
    this.#name = context.name
    this.#output = context.output
    this.#other = this.#makeOther(context)
  }

  process(record: FlowRecord): void {
    if (!record.isLatest) {
      this.#context.drop('not-latest')
      return
    }
    const other = this.#other.get(record)
    if (other === undefined && (this.#needsOther || (!record.hasValue && record.oldValue === undefined))) return
    const joined = this.#join(record, record.hasValue ? record.value() : undefined, other)
    const before = this.#sendsOldValues ? this.#join(record, record.oldValue, other) : undefined

    record.saveKey(this.#savedKey)
    record.saveValue(this.#savedValue)
    record.setValue(joined)
    record.oldValue = before
    if (other !== undefined && this.#other.timestamp > record.timestamp) record.timestamp = this.#other.timestamp
    this.#output.process(record)
    record.restoreKey(this.#savedKey)
    record.restoreValue(this.#savedValue)
  }

  /** The joined row; undefined where there is none. */
  #join(record: FlowRecord, own: unknown, other: unknown): unknown {
    if (own === undefined && (this.#needsOwn || other === undefined)) return undefined
    record.operator = this.#name
    const joiner = this.#joiner
    const left = this.#isLeft ? own : other
    const right = this.#isLeft ? other : own
    return joiner(left ?? null, right ?? null, this.#readsKey ? record.key() : undefined) ?? undefined
  }
}

class JoinedValue implements ValueGetter {
  timestamp = 0
  readonly #rule: TableJoinRule
  readonly #readsKey: boolean
  readonly #operator: string
  readonly #left: ValueGetter
  readonly #right: ValueGetter

  constructor(rule: TableJoinRule, operator: string, left: ValueGetter, right: ValueGetter) {
    this.#rule = rule
    this.#readsKey = takesParameter(rule.joiner, 2)
    this.#operator = operator
    this.#left = left
    this.#right = right
  }

  get(record: FlowRecord): unknown {
    const { joiner, needsLeft, needsRight } = this.#rule
    const left = this.#left.get(record)
    if (left === undefined && needsLeft) return undefined
    const right = this.#right.get(record)
    if (right === undefined && (needsRight || left === undefined)) return undefined
    this.timestamp = Math.max(
      left === undefined ? -1 : this.#left.timestamp,
      right === undefined ? -1 : this.#right.timestamp,
    )
    record.operator = this.#operator
    return joiner(left ?? null, right ?? null, this.#readsKey ? record.key() : undefined) ?? undefined
  }
}
