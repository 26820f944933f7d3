import { ByteWriter } from '../../src/bytes/byte-writer.ts'
import { CacheBound } from '../../src/runtime/cache-bound.ts'
import { ProcessorGraph } from '../../src/runtime/processor-graph.ts'
import type { Sink } from '../../src/runtime/sink.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { memoryEngine } from '../../src/state/memory-engine.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import { FlowRecord } from '../../src/topology/flow-record.ts'
import type { Processor } from '../../src/topology/processor.ts'
import type { SinkNode, SourceNode, SubTopology, Topology } from '../../src/topology/topology.ts'
import { idleTask } from '../topology/topology-fixtures.ts'

interface TestInput {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

interface Entry {
  readonly source: SourceNode
  readonly output: Processor
}

/** A whole topology with one task for each sub-topology, driven by hand, record by record. */
export class TopologyRun {
  readonly stores: Map<string, StateStore> = new Map<string, StateStore>()
  /** `<operator> <reason>`, once for each dropped record. */
  readonly drops: string[] = []
  readonly #entries = new Map<string, Entry>()
  /** Records written to repartition topics, which are read when the record at hand is through. */
  readonly #waiting: (() => void)[] = []
  #outputs: string[] = []

  constructor(topology: Topology) {
    for (const subTopology of topology.subTopologies) this.#start(subTopology)
  }

  /** What sinks were given for one record of a topic, as text: `(key, value, ts=1)`. */
  process(topic: string, { key, value, timestamp }: TestInput): string[] {
    this.#outputs = []
    const { source } = this.#entry(topic)
    this.#read(topic, bytesOf(source.key, key), bytesOf(source.value, value), timestamp)
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
    return this.#outputs
  }

  #start(subTopology: SubTopology): void {
    for (const declaration of subTopology.stores) {
      const store = declaration.create(memoryEngine.open({ directory: undefined, store: declaration.name }))
      store.ready(0)
      this.stores.set(declaration.name, store)
    }
    const state = {
      taskId: `${subTopology.id}_0`,
      stores: this.stores,
      task: idleTask,
      streamTimes: new Map(),
      cacheBound: new CacheBound(0),
      countDrop: (operator: string, reason: string) => void this.drops.push(`${operator} ${reason}`),
    }
    const graph = new ProcessorGraph(subTopology, state, (node) => this.#sink(node as SinkNode) as unknown as Sink)
    for (const source of subTopology.nodes) {
      if (source.kind !== 'source') continue
      for (const { name } of source.topics) this.#entries.set(name, { source, output: graph.outputOf(source) })
    }
  }

  #sink(node: SinkNode): Processor {
    if (!node.topic.internal) return { process: (record) => void this.#outputs.push(describeRecord(record)) }
    return {
      process: (record) => {
        const { timestamp } = record
        const key = bytesOf(node.key, record.key())
        const value = bytesOf(node.value, record.value())
        this.#waiting.push(() => this.#read(node.topic.name, key, value, timestamp))
      },
    }
  }

  #read(topic: string, key: Buffer | null, value: Buffer | null, timestamp: number): void {
    const { source, output } = this.#entry(topic)
    const record = new FlowRecord()
    record.timestamp = timestamp
    record.loadKey(key ?? Buffer.alloc(0), key === null ? -1 : 0, key?.length ?? 0, source.key)
    record.loadValue(value ?? Buffer.alloc(0), value === null ? -1 : 0, value?.length ?? 0, source.value)
    const before = describeRecord(record)
    output.process(record)
    if (describeRecord(record) !== before || record.oldValue !== undefined) {
      throw new Error(`The record was not put back: ${describeRecord(record)}, ${record.oldValue}`)
    }
  }

  #entry(topic: string): Entry {
    const entry = this.#entries.get(topic)
    if (entry === undefined) throw new Error(`Nothing reads '${topic}'`)
    return entry
  }
}

function bytesOf(serde: Serde<unknown>, data: unknown): Buffer | null {
  if (data === null) return null
  const out = new ByteWriter(64)
  serde.write(data, out)
  return out.toBuffer()
}

function describeRecord(record: FlowRecord): string {
  return `(${record.key()}, ${record.value()}, ts=${record.timestamp})`
}
