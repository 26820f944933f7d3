import type { FetchedBatches, OffsetRange } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import { assert } from '../errors.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngine } from '../state/store-engine.ts'
import { processorFilling } from '../topology/filled-stores.ts'
import type { SourceNode, SubTopology } from '../topology/topology.ts'
import type { BatchOutput } from './batch-output.ts'
import type { CacheBound } from './cache-bound.ts'
import { emptyCommit } from './commit-metadata.ts'
import type { Task } from './task.ts'
import { assembleTask, type PlannedInput } from './task-assembly.ts'
import type { BadRecordPolicy, TaskInput } from './task-input.ts'
import type { TopicPlan } from './topic-plan.ts'

/** What a replay takes from the task that it is for. */
export interface ReplaySetting {
  readonly id: string
  readonly subTopology: SubTopology
  readonly applicationId: string
  readonly plan: TopicPlan
  readonly badRecords: BadRecordPolicy
  readonly globalStores: ReadonlyMap<string, StateStore>
  readonly clock: Clock
  readonly cacheBound: CacheBound
}

/** A store that a source topic fills, and how far: nothing where the last commit says nothing of the topic. */
export interface ReplayedStore {
  readonly declaration: StoreDeclaration
  readonly engine: StoreEngine
  readonly input: PlannedInput
  readonly range: OffsetRange
  /** The offset up to which the last commit took the topic. */
  readonly committed: number | undefined
}

/**
 * Brings a store whose changelog is a source topic (KIP-813) to the last commit: runs the topic's records, from where the
 * engine stands up to there, through the store's own processor once more. That is done in a task of its own, so that nothing
 * is counted, timed or handed on twice.
 */
export class SourceReplay {
  readonly store: StateStore
  readonly #task: Task
  readonly #input: TaskInput
  readonly #until: number

  /** Opens the store, which may be used when all is replayed. */
  constructor(setting: ReplaySetting, { declaration, engine, input, range, committed = 0 }: ReplayedStore) {
    // As with changelogs: an engine that cannot be brought to the commit starts over.
    if (engine.position() > committed || engine.position() < range.start) engine.clear()
    this.store = declaration.create(engine)
    const from = Math.max(engine.position(), range.start)
    this.store.ready(engine.position())
    this.#until = Math.min(committed, range.end)
    const source = { ...input.source, children: [processorFilling(input.source)] }
    this.#task = assembleTask({
      ...setting,
      subTopology: onlyFilling(setting.subTopology, source, declaration),
      inputs: [{ ...input, source }],
      positions: [from],
      ranges: [{ start: range.start, end: this.#until }],
      metadata: emptyCommit,
      stores: [{ store: this.store, changelog: undefined }],
      batchOutput: nowhere,
    })
    this.#input = this.#task.inputs[0]
  }

  get isOver(): boolean {
    return this.position >= this.#until || this.#input.hasHead
  }

  /** The offset that is to be replayed next. */
  get position(): number {
    return this.#input.position
  }

  /** Replays what was fetched, and has the engine take it over. */
  take(fetched: FetchedBatches): void {
    const input = this.#input
    this.#task.load(fetched)
    while (input.hasHead && input.record.offset < this.#until) this.#task.processNext(input)
    this.store.flush(unlogged)
    this.store.commit(Math.min(input.position, this.#until))
  }

  /** Lets go of the processor; the store goes to the task. */
  close(): void {
    this.#task.closeProcessors()
  }
}

/** The source and the processor that fill the store, alone. */
function onlyFilling(whole: SubTopology, source: SourceNode, store: StoreDeclaration): SubTopology {
  const [name] = source.children
  const filling = whole.nodes.find((node) => node.name === name)
  assert(filling?.kind === 'processor', `a processor fills the store '${store.name}'`)
  const nodes = [source, { ...filling, children: [] }]
  return { id: whole.id, nodes, stores: [store], isGlobal: false }
}

const unlogged = { append(): void {} }

const nowhere: BatchOutput = {
  append: () => assert(false, 'what fills a read-only store writes to no topic'),
}
