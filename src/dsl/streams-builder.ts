import { requireTopic, requireTopics } from '../arguments.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { Serde } from '../serde/serde.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { Topic, TopicPattern } from '../topic.ts'
import type { Topology } from '../topology/topology.ts'
import { compilePlan } from './compile.ts'
import { withDeclaredStore } from './declared-store.ts'
import { addGlobalStore, addGlobalTable } from './global-table.ts'
import {
  type GlobalStoreOptions,
  type GlobalTableOptions,
  historyOf,
  type SourceTableOptions,
  type StreamOptions,
} from './operator-options.ts'
import { type BuildOptions, chosenOptimisations } from './optimisation.ts'
import { Plan, type SourcePlan, type StreamState } from './plan.ts'
import { PlannedStream } from './planned-stream.ts'
import { PlannedTable } from './planned-table.ts'
import { addTable } from './source-table.ts'
import { settingsOf } from './store-declarations.ts'
import type { GlobalKTable, KStream, KTable } from './streams.ts'

/**
 * Where a topology begins: opens streams on topics, and builds the topology of all that was done with them. One builder is
 * for one topology. After Kafka Streams' StreamsBuilder.
 */
export class StreamsBuilder {
  readonly #plan = new Plan(openStream)

  /**
   * The records of a topic, of several topics that were declared with the same serdes and timestamp, or of all topics with
   * names of a pattern. A topic can be opened more than once; it is read once.
   */
  stream<K, V>(
    topic: Topic<K, V> | readonly Topic<K, V>[] | TopicPattern<K, V>,
    options: StreamOptions<K, V> = {},
  ): KStream<K, V> {
    requireTopics('stream', topic)
    const plan = this.#plan
    const pattern = 'pattern' in topic ? topic : undefined
    const topics: readonly Topic<K, V>[] = 'pattern' in topic ? [] : 'name' in topic ? [topic] : topic
    const { key, value } = pattern ?? topics[0] ?? { key: undefined, value: undefined }
    const name = plan.names.operator('KSTREAM-SOURCE-', options.name)
    const node = plan.add<SourcePlan>(
      {
        kind: 'source',
        name,
        topics: topics as SourcePlan['topics'],
        pattern: pattern as SourcePlan['pattern'],
        options: options as SourcePlan['options'],
        isTable: false,
      },
      [],
    )
    return openStream({
      plan,
      node,
      key: { serde: key, madeBy: name },
      value: { serde: value, madeBy: name },
      keyChanged: false,
    })
  }

  /**
   * The records of a topic as the updates of a table: the latest value of each key, where null deletes. Records without a
   * key are dropped and counted as `null-key`. The rows are kept in a store, with a changelog of its own, where the store is
   * named here or a join needs it. Such a topic can be opened only once. `options.name` names the operator, and with
   * `-source` after it the source.
   */
  table<K, V>(topic: Topic<K, V>, given: SourceTableOptions<K, V> = {}): KTable<K, V> {
    requireTopic('table', topic)
    const plan = this.#plan
    const options = withDeclaredStore(given, undefined)
    const store = plan.names.store(`${topic.name}-`, options.store)
    const source = options.name === undefined ? undefined : `${options.name}-source`
    const sourceName = plan.names.operator('KSTREAM-SOURCE-', source)
    const name = plan.names.operator('KTABLE-SOURCE-', options.name)
    const topics = [topic] as unknown as SourcePlan['topics']
    const node = plan.add<SourcePlan>(
      {
        kind: 'source',
        name: sourceName,
        topics,
        pattern: undefined,
        options: options as SourcePlan['options'],
        isTable: true,
      },
      [],
    )
    return new PlannedTable<K, V>(
      addTable(plan, node, {
        name,
        store,
        isNamed: options.store !== undefined,
        key: { serde: options.key ?? (topic.key as Serde<unknown>), madeBy: name },
        value: { serde: options.value ?? (topic.value as Serde<unknown>), madeBy: name },
        ...settingsOf(options),
        historyRetentionMs: historyOf(options),
        method: 'table',
      }),
    )
  }

  /**
   * The records of a topic as the rows of a global table: every application that runs the topology has all of them, from all
   * partitions, before its first record is processed. Records without a key are dropped and counted as `null-key`. There is
   * no changelog: each start reads the topic. `options.name` names the operator, and with `-source` after it the source.
   */
  globalTable<K, V>(topic: Topic<K, V>, options: GlobalTableOptions<K, V> = {}): GlobalKTable<K, V> {
    requireTopic('globalTable', topic)
    return addGlobalTable(this.#plan, topic, options)
  }

  /**
   * A store of your own that every task can read, as `context.readOnlyStore(store)`, and that a processor of your own fills
   * from all partitions of a topic: it is given all records at each start. It can hand on nothing and schedule nothing.
   */
  addGlobalStore<K, V>(
    store: StoreDeclaration,
    topic: Topic<K, V>,
    supplier: ProcessorSupplier<K, V, never, never>,
    options: GlobalStoreOptions<K, V> = {},
  ): void {
    addGlobalStore(this.#plan, store, topic, supplier, options)
  }

  /**
   * The topology, to be run or described, with the optimisations that were asked for.
   * @throws MillraceError INVALID_TOPOLOGY where it could not run, with the operator and what to do.
   */
  build(options: BuildOptions = {}): Topology {
    return compilePlan(this.#plan, chosenOptimisations(options))
  }
}

function openStream<K, V>(state: StreamState): KStream<K, V> {
  return new PlannedStream<K, V>(state)
}
