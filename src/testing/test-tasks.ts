import type { TopicPartition } from '../cluster/cluster.ts'
import type { Clock } from '../env/environment.ts'
import { BatchReader } from '../record/batch-reader.ts'
import type { BatchOutput } from '../runtime/batch-output.ts'
import { CacheBound } from '../runtime/cache-bound.ts'
import { applyRecords, Changelog } from '../runtime/changelog.ts'
import type { CommitMetadata } from '../runtime/commit-metadata.ts'
import { type DropMetric, dropMetrics } from '../runtime/drop-metric.ts'
import { GlobalStores, globalInputs, globalTask } from '../runtime/global-stores.ts'
import { type ReplaySetting, SourceReplay } from '../runtime/source-replay.ts'
import { SourceRestore } from '../runtime/source-restore.ts'
import type { Task, TaskStore } from '../runtime/task.ts'
import { assembleTask, metadataOf, type PlannedInput, plannedInputs } from '../runtime/task-assembly.ts'
import type { BadRecordPolicy, TaskInput } from '../runtime/task-input.ts'
import { changelogTopic, type TopicPlan } from '../runtime/topic-plan.ts'
import { memoryEngine } from '../state/memory-engine.ts'
import type { StateStore } from '../state/state-store.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import { JavaPriorityQueue } from '../topology/java-priority-queue.ts'
import type { SubTopology, Topology } from '../topology/topology.ts'
import type { MemoryLog } from './memory-log.ts'

export interface TestSetting {
  readonly topology: Topology
  readonly applicationId: string
  readonly plan: TopicPlan
  readonly badRecords: BadRecordPolicy
  readonly maxCacheBytes: number
  readonly log: MemoryLog
  readonly clock: Clock
}

const neverOver = () => false

interface TopicReader {
  readonly task: Task
  readonly input: TaskInput
}

/**
 * The runtime's own tasks on a log in memory, one for each sub-topology, started where the last commit left them: with
 * empty engines, into which the changelogs are read.
 */
export class TestTasks implements BatchOutput {
  readonly #setting: TestSetting
  readonly #globals: GlobalStores
  readonly #cacheBound: CacheBound
  readonly #tasks: readonly Task[]
  readonly #stores = new Map<string, StateStore>()
  /** Who reads a topic: of one partition there is one. */
  readonly #byTopic = new Map<string, TopicReader>()
  /** Inputs with a record at hand. */
  readonly #queue = new JavaPriorityQueue<TaskInput>((input) => input.record.timestamp)
  /** Topics to which the last record's results were written, in the order of their first ones. */
  readonly #written: string[] = []

  constructor(setting: TestSetting) {
    this.#setting = setting
    this.#cacheBound = new CacheBound(setting.maxCacheBytes)
    const globalStores = new Map<string, StateStore>()
    const globalTasks = setting.topology.globalStores.map((global) => this.#startGlobal(global, globalStores))
    this.#globals = new GlobalStores(globalStores, globalTasks)
    for (const [name, store] of globalStores) this.#stores.set(name, store)
    this.#fillGlobalStores()
    this.#globals.commit()
    this.#tasks = setting.topology.subTopologies.map((subTopology) => this.#start(subTopology))
    for (const task of this.#tasks) {
      for (const input of task.inputs) this.#byTopic.set(input.partition.topic, { task, input })
    }
  }

  append(partition: TopicPartition, batch: Buffer, onAcknowledged?: (baseOffset: number) => void): void {
    this.#written.push(partition.topic)
    this.#setting.log.append(partition, batch, onAcknowledged)
  }

  /**
   * Processes all that there is to read, and what comes of it on topics that the topology reads again: record by record,
   * of all tasks' inputs always the one whose record is earliest. Kafka Streams' driver does the same, with one task for
   * the whole topology. Its driver commits after each record; `flushes` says whether record caches are flushed as they are then.
   */
  run(flushes: boolean): void {
    this.#fillGlobalStores()
    // What punctuations wrote comes in the order in which they did.
    for (const topic of this.#written) this.#queueNext(topic)
    for (const topic of this.#byTopic.keys()) this.#queueNext(topic)
    for (;;) {
      const input = this.#queue.take()
      this.#written.length = 0
      if (input === undefined) return
      const { topic } = input.partition
      const { task } = this.#byTopic.get(topic) as TopicReader
      task.processNext(input)
      if (flushes) task.flushCaches()
      if (input.hasHead) this.#queue.add(input)
      else this.#queueNext(topic)
      if (this.#written.length > 0) this.#fillGlobalStores()
      for (const written of this.#written) this.#queueNext(written)
    }
  }

  /** Calls what is due by the driver's clock. */
  punctuateWallClock(): void {
    for (const task of this.#tasks) task.punctuateWallClock()
  }

  /** Hands on what waits in record caches. */
  flushCaches(): void {
    for (const task of this.#tasks) task.flushCaches()
  }

  /** What the runtime does at a commit, for all tasks in one. */
  commit(): void {
    this.#globals.commit()
    const tasks = this.#tasks.filter((task) => task.hasUncommitted)
    for (const task of tasks) task.prepareCommit()
    this.#setting.log.commit(tasks.flatMap((task) => task.commitEntries()))
    for (const task of tasks) task.finishCommit()
  }

  store(name: string): StateStore | undefined {
    return this.#stores.get(name)
  }

  drops(): DropMetric[] {
    return dropMetrics([...this.#globals.tasks, ...this.#tasks])
  }

  close(): void {
    this.#globals.close()
    for (const task of this.#tasks) task.close()
  }

  /** Brings the global stores to the ends of their topics. */
  #fillGlobalStores(): void {
    for (const task of this.#globals.tasks) while (this.#feed(task)) task.process(neverOver)
  }

  #feed(task: Task): boolean {
    let hasNew = false
    for (const input of task.inputs) {
      if (input.hasHead) continue
      const fetched = this.#setting.log.fetch(input.partition.topic, input.position)
      if (fetched === undefined) continue
      task.load(fetched)
      hasNew = true
    }
    return hasNew
  }

  /** Takes the topic's next record to hand, if it is read, has one, and none is at hand yet. */
  #queueNext(topic: string): void {
    const reader = this.#byTopic.get(topic)
    if (reader === undefined || reader.input.hasHead) return
    for (;;) {
      const fetched = this.#setting.log.fetch(topic, reader.input.position)
      if (fetched === undefined) return
      reader.task.load(fetched)
      // Nothing is at hand where all records of a batch were skipped.
      if (reader.input.hasHead) break
    }
    this.#queue.add(reader.input)
  }

  #start(subTopology: SubTopology): Task {
    const { applicationId, plan, badRecords, log, clock } = this.#setting
    const cacheBound = this.#cacheBound
    const inputs = plannedInputs(subTopology, 0, plan, applicationId)
    const topics = inputs.map((input) => input.partition.topic)
    const offsets = topics.map((topic) => log.committedOffset(topic))
    const metadata = metadataOf(offsets)
    const offsetOf = (topic: string): number => log.committedOffset(topic)?.offset ?? 0
    const id = `${subTopology.id}_0`
    const globalStores = this.#globals.stores
    const setting = { id, subTopology, applicationId, plan, badRecords, globalStores, clock, cacheBound }
    const stores = subTopology.stores.map((declaration) => {
      const { name, sourceTopic } = declaration
      const filling = inputs.find(({ source }) => source.fills === name)
      if (filling !== undefined) return this.#replay(setting, declaration, filling)
      const input = inputs.find(({ partition }) => partition.topic === sourceTopic)
      return input === undefined
        ? this.#restore(declaration, metadata)
        : this.#restoreSourced(declaration, input, offsetOf(input.partition.topic))
    })
    for (const { store } of stores) this.#stores.set(store.name, store)
    return assembleTask({
      ...setting,
      inputs,
      positions: offsets.map((committed) => committed?.offset ?? 0),
      ranges: topics.map((topic) => ({ start: 0, end: log.end(topic) })),
      metadata,
      stores,
      batchOutput: this,
    })
  }

  #startGlobal(subTopology: SubTopology, stores: Map<string, StateStore>): Task {
    const { log, ...setting } = this.#setting
    const inputs = globalInputs(subTopology, setting.plan)
    const ranges = inputs.map(({ partition }) => ({ start: 0, end: log.end(partition.topic) }))
    const openEngine = ({ name }: StoreDeclaration) => memoryEngine.open({ directory: undefined, store: name })
    return globalTask({ ...setting, subTopology, inputs, ranges, openEngine }, stores)
  }

  #restoreSourced(declaration: StoreDeclaration, input: PlannedInput, to: number): TaskStore {
    const { badRecords, clock } = this.#setting
    const store = declaration.create(memoryEngine.open({ directory: undefined, store: declaration.name }))
    this.#readSource(new SourceRestore({ input, store, from: 0, to, badRecords, clock }), input)
    store.ready(to)
    return { store, changelog: undefined, sourceTopic: input.partition.topic }
  }

  /** Opens a store that a source topic fills, and replays the topic up to the last commit. */
  #replay(setting: ReplaySetting, declaration: StoreDeclaration, input: PlannedInput): TaskStore {
    const { log } = this.#setting
    const { topic } = input.partition
    const engine = memoryEngine.open({ directory: undefined, store: declaration.name })
    const range = { start: 0, end: log.end(topic) }
    const committed = log.committedOffset(topic)?.offset
    const replay = new SourceReplay(setting, { declaration, engine, input, range, committed })
    this.#readSource(replay, input)
    replay.close()
    return { store: replay.store, changelog: undefined, sourceTopic: topic }
  }

  #readSource(restore: Pick<SourceRestore, 'isOver' | 'position' | 'take'>, { partition }: PlannedInput): void {
    while (!restore.isOver) {
      const fetched = this.#setting.log.fetch(partition.topic, restore.position)
      if (fetched === undefined) return
      restore.take(fetched)
    }
  }

  #restore(declaration: StoreDeclaration, metadata: CommitMetadata): TaskStore {
    const { applicationId, log } = this.#setting
    const store = declaration.create(memoryEngine.open({ directory: undefined, store: declaration.name }))
    if (!declaration.logged) {
      store.ready(0)
      return { store, changelog: undefined }
    }
    const topic = changelogTopic(declaration.name, applicationId)
    const changelog = new Changelog({ topic, partition: 0 }, log)
    const committed = metadata.changelogs[declaration.name] ?? 0
    const reader = new BatchReader()
    for (let from = 0; from < committed; ) {
      const fetched = log.fetch(topic, from)
      if (fetched === undefined) break
      applyRecords(reader, fetched.bytes, from, committed, (record) => store.restore(record))
      from = fetched.nextOffset
    }
    store.ready(committed)
    changelog.position = committed
    return { store, changelog }
  }
}
