// Public types have buffers in them: a program whose settings name no types of Node has them by this.
/// <reference types="node" preserve="true" />
import { requireTopic, requireTopology } from '../arguments.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import { VirtualClock } from '../env/virtual-clock.ts'
import { MillraceError } from '../errors.ts'
import { defaultCacheBytes } from '../runtime/cache-bound.ts'
import type { DropMetric } from '../runtime/drop-metric.ts'
import { withMatchingTopics } from '../runtime/matching-topics.ts'
import { requireApplicationId } from '../runtime/run-options.ts'
import type { BadRecordPolicy } from '../runtime/task-input.ts'
import { changelogTopic, planTopics, type TopicPlan, topicName } from '../runtime/topic-plan.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { TypedStore } from '../stores/typed-store.ts'
import type { Topic } from '../topic.ts'
import { hasChangelog } from '../topology/filled-stores.ts'
import { isOfPattern } from '../topology/node-topic.ts'
import type { Topology } from '../topology/topology.ts'
import { MemoryLog } from './memory-log.ts'
import { TestInput, type TestInputOptions } from './test-input.ts'
import { TestOutput } from './test-output.ts'
import { TestStore } from './test-store.ts'
import { type TestSetting, TestTasks } from './test-tasks.ts'

export { type CapturedForward, type CapturedPunctuation, MockProcessorContext } from './mock-processor-context.ts'
export type { TestInput, TestInputOptions } from './test-input.ts'
export type { TestOutput, TestRecord } from './test-output.ts'
export type { StoredSession, StoredValue, TestStore } from './test-store.ts'

export interface TopologyTestDriverOptions {
  /** Begins the names of the application's own topics. Default: `topology-test`. */
  readonly applicationId?: string
  /** Where the driver's clock stands at first, in milliseconds since 1970. Default: 0. */
  readonly startMs?: number
  /** What happens with a record that cannot be decoded or has no valid event time. Default `'fail'`; `'skip'` counts it and goes on. */
  readonly badRecords?: BadRecordPolicy
  /** Bytes that updates in record caches may take in a `batch`, as `run` has it. Default: 10 MiB. */
  readonly maxCacheBytes?: number
}

/**
 * Runs a topology on records that a test gives it, synchronously: no cluster, no promises, no time but the test's own.
 * These are the runtime's tasks, sinks, stores, changelogs and commits, on a log in memory: one partition for each topic,
 * one task for each sub-topology, a commit after every record, all stores in memory. After Kafka Streams' TopologyTestDriver.
 */
export class TopologyTestDriver implements Disposable {
  #setting: TestSetting
  /** Topics that a pattern matches, as the test pipes to them. */
  readonly #matched: string[] = []
  readonly #clock: VirtualClock
  /** By topic: the next offset that a test reads. */
  readonly #positions = new Map<string, number>()
  #tasks: TestTasks
  #isProcessing = false
  #isBatch = false
  #isClosed = false

  /** @throws MillraceError INVALID_TOPOLOGY, INVALID_ARGUMENT */
  constructor(topology: Topology, options: TopologyTestDriverOptions = {}) {
    requireTopology(topology)
    const applicationId = options.applicationId ?? 'topology-test'
    requireApplicationId(applicationId)
    this.#clock = new VirtualClock(toMilliseconds(options.startMs ?? 0, 'time since 1970'))
    this.#setting = {
      topology,
      applicationId,
      plan: planOf(topology, applicationId, []),
      badRecords: options.badRecords ?? 'fail',
      maxCacheBytes: options.maxCacheBytes ?? defaultCacheBytes,
      log: new MemoryLog(),
      clock: this.#clock,
    }
    this.#tasks = new TestTasks(this.#setting)
  }

  /**
   * Where records are piped to a topic that the topology reads.
   * @throws MillraceError INVALID_ARGUMENT where it does not read the topic
   */
  input<K, V>(topic: Topic<K, V>, options: TestInputOptions = {}): TestInput<K, V> {
    requireTopic('input', topic)
    this.#match(topic.name)
    this.#requireKnown(topic.name, 'read', this.#sourceTopics())
    return new TestInput(topic, this.#clock, (batch) => this.#process(topic.name, batch), options)
  }

  /**
   * Where what the topology wrote to a topic is read: one of its sinks, a repartition topic or a changelog.
   * @throws MillraceError INVALID_ARGUMENT where it does not write the topic
   */
  output<K, V>(topic: Topic<K, V>): TestOutput<K, V> {
    requireTopic('output', topic)
    if (!this.#choosesTopics()) this.#requireKnown(topic.name, 'write', this.#writtenTopics())
    return new TestOutput(topic, this.#setting.log, this.#positions)
  }

  /**
   * The contents of a store, as the operators see them now: by its name, or by its declaration, which gives what reads it. That
   * is for the store as it is until the driver restarts.
   * @throws MillraceError INVALID_ARGUMENT where the topology has no such store
   */
  store(name: string): TestStore
  store<S, R>(declared: TypedStore<S, R>): R
  store<S, R>(which: string | TypedStore<S, R>): TestStore | R {
    if (typeof which === 'string') return this.#store(which)
    const { subTopologies, globalStores } = this.#setting.topology
    const isThis = (store: StoreDeclaration) => store === which || store.declaredAs === which
    const isOurs = [...globalStores, ...subTopologies].some(({ stores }) => stores.some(isThis))
    if (isOurs) return which.openReadOnly(this.#current(which.name))
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `The topology does not have this declaration of a store '${which.name}'`,
      {
        remedy:
          'Give the declaration that its processors were connected to, or that an operator was given as its store.',
      },
    )
  }

  #store(name: string): TestStore {
    const { topology } = this.#setting
    const stores = [...topology.globalStores, ...topology.subTopologies].flatMap((subTopology) => subTopology.stores)
    if (!stores.some((store) => store.name === name)) {
      throw new MillraceError('INVALID_ARGUMENT', `The topology has no store '${name}'`, {
        remedy: listOf(stores.map((store) => store.name)),
      })
    }
    return new TestStore(name, () => this.#current(name))
  }

  #current(name: string): NonNullable<ReturnType<TestTasks['store']>> {
    this.#requireOpen()
    return this.#tasks.store(name) as NonNullable<ReturnType<TestTasks['store']>>
  }

  /** Records an operator did not pass on although no user function said so. */
  drops(): DropMetric[] {
    return this.#tasks.drops()
  }

  /** All topics that were written to, with those of the application's own (`<application id>-...`), sorted by name. */
  producedTopics(): string[] {
    return this.#setting.log.producedTopics()
  }

  /**
   * Stops the application and starts it again with nothing but what was committed: stores are rebuilt from their
   * changelogs, and stream times and the counts of dropped records are those of the last commit.
   * @throws MillraceError CLOSED
   */
  restart(): void {
    this.#requireOpen()
    this.#tasks.close()
    this.#tasks = new TestTasks(this.#setting)
  }

  /**
   * Moves the driver's clock, which otherwise stands still: it is the timestamp of records that bring none. Punctuations
   * of the clock on the wall that are due are called, each once, and what they hand on is processed and committed.
   * @throws MillraceError INVALID_ARGUMENT; CLOSED; as `pipe` where a punctuation throws, of which nothing then remains
   */
  advanceWallClockTime(by: Duration): void {
    this.#requireOpen()
    this.#step('The clock was moved', () => {
      this.#clock.advance(toMilliseconds(by))
      this.#tasks.punctuateWallClock()
      if (!this.#isBatch) this.#tasks.flushCaches()
    })
  }

  /**
   * Commits only once, when `steps` has ended: what it pipes is processed as an application processes what comes between two
   * commits, so that updates which wait in record caches (`caching`) are merged. Where one of them fails, all of the batch so far
   * is taken back.
   * @throws MillraceError INVALID_ARGUMENT within another batch; CLOSED
   */
  batch(steps: () => void): void {
    this.#requireOpen()
    if (this.#isBatch) {
      throw new MillraceError('INVALID_ARGUMENT', 'A batch was begun in a batch', {
        remedy: 'A commit ends a batch: begin the next one after it.',
      })
    }
    this.#isBatch = true
    try {
      steps()
    } catch (error) {
      this.#takeBack()
      throw error
    } finally {
      this.#isBatch = false
    }
    this.#step('A batch ended', () => this.#tasks.flushCaches())
  }

  /** Lets go of the tasks and stores; what was written can still be read. Closing twice is closing once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#tasks.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #process(topic: string, batch: Buffer): void {
    this.#requireOpen()
    this.#step('A record was piped', () => this.#setting.log.pipe(topic, batch))
  }

  /** Begins something, processes what comes of it to the end, and commits, unless a batch goes on; or leaves all as it was. */
  #step(what: string, begin: () => void): void {
    if (this.#isProcessing) {
      throw new MillraceError('INVALID_ARGUMENT', `${what} while a record was processed`, {
        remedy: 'Do it in the test, not in a function of the topology.',
      })
    }
    this.#isProcessing = true
    try {
      begin()
      this.#tasks.run(!this.#isBatch)
      if (!this.#isBatch) this.#tasks.commit()
    } catch (error) {
      this.#takeBack()
      throw error
    } finally {
      this.#isProcessing = false
    }
  }

  /** Goes back to the last commit. */
  #takeBack(): void {
    this.#setting.log.rollBack()
    this.restart()
  }

  /** Has the topology read a topic that one of its patterns matches, as if it had been there at the start. */
  #match(topic: string): void {
    const { topology, applicationId } = this.#setting
    const sources = topology.subTopologies.flatMap(({ nodes }) => nodes.filter((node) => node.kind === 'source'))
    const isNew = sources.some(({ pattern }) => pattern !== undefined && isOfPattern(topic, pattern))
    if (!isNew || this.#matched.includes(topic)) return
    this.#matched.push(topic)
    const matching = withMatchingTopics(topology, this.#matched, applicationId)
    this.#setting = { ...this.#setting, topology: matching, plan: planOf(matching, applicationId, this.#matched) }
    this.restart()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new MillraceError('CLOSED', 'The test driver was closed')
  }

  #requireKnown(topic: string, verb: 'read' | 'write', known: readonly string[]): void {
    this.#requireOpen()
    if (known.includes(topic)) return
    throw new MillraceError('INVALID_ARGUMENT', `The topology does not ${verb} the topic '${topic}'`, {
      remedy: listOf(known),
    })
  }

  #sourceTopics(): string[] {
    const { topology } = this.#setting
    return [...topology.globalStores, ...topology.subTopologies]
      .flatMap(({ nodes }) => nodes.flatMap((node) => (node.kind === 'source' ? node.topics : [])))
      .filter((topic) => !topic.internal)
      .map((topic) => topic.name)
  }

  /** Whether a sink may write to any topic. */
  #choosesTopics(): boolean {
    const { subTopologies } = this.#setting.topology
    return subTopologies.some(({ nodes }) => nodes.some((node) => node.kind === 'dynamic-sink'))
  }

  #writtenTopics(): string[] {
    const { topology, applicationId } = this.#setting
    return topology.subTopologies.flatMap((subTopology) => [
      ...subTopology.nodes.flatMap((node) => (node.kind === 'sink' ? [topicName(node.topic, applicationId)] : [])),
      ...subTopology.stores
        .filter((store) => hasChangelog(subTopology, store))
        .map((store) => changelogTopic(store.name, applicationId)),
    ])
  }
}

/** What the application would run is planned, and refused where it cannot run, before it is made narrow. */
function planOf(topology: Topology, applicationId: string, existing: readonly string[]): TopicPlan {
  const described = existing.map((name) => ({ name, partitions: 1, config: {} }))
  const plan = planTopics(topology, applicationId, described)
  return {
    topics: plan.topics.map((topic) => ({ ...topic, partitions: 1 })),
    taskCounts: new Map([...plan.taskCounts.keys()].map((subTopology) => [subTopology, 1])),
    otherPartitions: 1,
    partitionCounts: new Map([...plan.partitionCounts.keys()].map((topic) => [topic, 1])),
  }
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'There are none.' : `There are: ${[...new Set(names)].sort().join(', ')}.`
}
