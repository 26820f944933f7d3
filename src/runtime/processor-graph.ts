import { assert, MillraceError } from '../errors.ts'
import type { KeyLookup, KeysAhead } from '../record/keys-ahead.ts'
import { LayeredStore } from '../state/layered-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { processorFilling, sourceFilling } from '../topology/filled-stores.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { DropReason, Processor, ProcessorContext, StreamTime, TaskContext } from '../topology/processor.ts'
import type { DynamicSinkNode, ProcessorNode, SinkNode, SourceNode, SubTopology } from '../topology/topology.ts'
import type { CacheBound } from './cache-bound.ts'
import { closeAll } from './close-all.ts'
import { RecordCache } from './record-cache.ts'
import type { Sink } from './sink.ts'

/** What the nodes of a task share with it and what outlives a restart. */
export interface GraphState {
  readonly taskId: string
  readonly task: TaskContext
  readonly stores: ReadonlyMap<string, StateStore>
  /** By processor name; restored from the last commit. */
  readonly streamTimes: Map<string, StreamTime>
  readonly cacheBound: CacheBound
  countDrop(operator: string, reason: DropReason, count: number): void
}

/** The processors of one task, wired: each one's output is its children. */
export class ProcessorGraph {
  readonly #subTopology: SubTopology
  readonly #state: GraphState
  readonly #makeSink: (node: SinkNode | DynamicSinkNode) => Sink
  readonly #nodes: Map<string, SubTopology['nodes'][number]>
  readonly #processors = new Map<string, Processor>()
  readonly sinks: Sink[] = []
  /** By store. */
  readonly #caches = new Map<string, RecordCache>()
  /** In the order of the operators that have them, parents first. */
  readonly #flushOrder: RecordCache[] = []

  constructor(subTopology: SubTopology, state: GraphState, makeSink: (node: SinkNode | DynamicSinkNode) => Sink) {
    this.#subTopology = subTopology
    this.#state = state
    this.#makeSink = makeSink
    this.#nodes = new Map(subTopology.nodes.map((node) => [node.name, node]))
    for (const node of subTopology.nodes) if (node.kind !== 'source') this.#processor(node.name)
    // In the topology's order, parents first, as Kafka Streams does: schedules that are due at once are called in it.
    for (const node of subTopology.nodes) {
      if (node.kind === 'processor') this.#processor(node.name).init?.(this.#contextFor(node))
    }
  }

  /** Where the records of a source go. */
  outputOf(source: SourceNode): Processor {
    return this.#childrenOf(source.children)
  }

  /** Whether updates wait in record caches. */
  get hasWaiting(): boolean {
    return this.#flushOrder.some((cache) => cache.size > 0)
  }

  /** What waits in record caches, in bytes as the bound counts them. */
  get cachedBytes(): number {
    return this.#flushOrder.reduce((sum, cache) => sum + cache.byteLength, 0)
  }

  /** Hands on the updates that wait in record caches, and those that come of them: of operators further up first. */
  flushCaches(): void {
    while (this.hasWaiting) for (const cache of this.#flushOrder) cache.flush()
  }

  close(): void {
    closeAll(this.#processors.values())
  }

  #processor(name: string): Processor {
    const existing = this.#processors.get(name)
    if (existing !== undefined) return existing
    const node = this.#nodes.get(name)
    assert(node !== undefined && node.kind !== 'source', `child '${name}' is a processor or sink of the sub-topology`)
    const processor: Processor = node.kind === 'processor' ? node.create() : this.#sink(node)
    this.#processors.set(name, processor)
    return processor
  }

  #sink(node: SinkNode | DynamicSinkNode): Sink {
    const sink = this.#makeSink(node)
    this.sinks.push(sink)
    return sink
  }

  #childrenOf(names: readonly string[]): Processor {
    const children = names.map((name) => this.#processor(name))
    if (children.length === 0) return new Discard()
    return children.length === 1 ? children[0] : new FanOut(children)
  }

  #cacheOf(name: string): RecordCache | undefined {
    const { stores, cacheBound: bound } = this.#state
    const isCached = this.#subTopology.stores.some((declared) => declared.name === name && declared.caching === true)
    if (!isCached || bound.maxBytes === 0) return undefined
    const known = this.#caches.get(name)
    if (known !== undefined) return known
    const store = stores.get(name)
    assert(store instanceof LayeredStore, `the store '${name}' has rows`)
    const cache = new RecordCache(store, bound)
    this.#caches.set(name, cache)
    return cache
  }

  #contextFor(node: ProcessorNode): ProcessorContext {
    const state = this.#state
    const streamTime = state.streamTimes.get(node.name) ?? { observed: -1, emitted: -1 }
    state.streamTimes.set(node.name, streamTime)
    const output = this.#childrenOf(node.children.filter((child) => !node.sideChildren?.includes(child)))
    return {
      name: node.name,
      taskId: state.taskId,
      output,
      outputTo: (child) => {
        if (node.children.includes(child)) return this.#processor(child)
        throw notConnected(node.name, `child '${child}'`)
      },
      store: (name) => {
        const store = node.stores.includes(name) ? state.stores.get(name) : undefined
        if (store !== undefined) return store
        throw notConnected(node.name, `store '${name}'`)
      },
      cacheOf: (name, sendsOldValues) => {
        const cache = this.#cacheOf(name)
        if (cache === undefined) return undefined
        cache.serve({ output, operator: node.name, sendsOldValues })
        if (!this.#flushOrder.includes(cache)) this.#flushOrder.push(cache)
        return cache
      },
      waitingRows: (name) => this.#cacheOf(name),
      mayWrite: (name) => {
        const source = sourceFilling(this.#subTopology, name)
        return source === undefined || processorFilling(source) === node.name
      },
      streamTime,
      task: state.task,
      drop: (reason, count = 1) => state.countDrop(node.name, reason, count),
    }
  }
}

/** Hands a record to several children, one after the other; each leaves it as it found it. */
class FanOut implements Processor, KeyLookup {
  readonly #children: readonly Processor[]

  constructor(children: readonly Processor[]) {
    this.#children = children
  }

  get keyLookup(): KeyLookup {
    return this
  }

  get expectsKeys(): boolean {
    for (const { keyLookup } of this.#children) if (keyLookup?.expectsKeys === true) return true
    return false
  }

  expectKeys(keys: KeysAhead): void {
    for (const { keyLookup } of this.#children) if (keyLookup?.expectsKeys === true) keyLookup.expectKeys(keys)
  }

  process(record: FlowRecord): void {
    const children = this.#children
    for (let i = 0; i < children.length; i++) children[i].process(record)
  }
}

class Discard implements Processor {
  process(): void {}
}

function notConnected(operator: string, what: string): MillraceError {
  return new MillraceError('INVALID_TOPOLOGY', `The processor asks for ${what}, which is not connected to it`, {
    at: { operator },
    remedy: 'Connect it where the processor is added to the topology.',
  })
}
