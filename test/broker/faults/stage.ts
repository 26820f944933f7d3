import { isDeepStrictEqual } from 'node:util'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { MillraceError } from '../../../src/errors.ts'
import { foldedState, liveState } from '../folded-state.ts'
import { batchOfRecords, worldOn } from '../records.ts'
import { type Fault, FaultyDisk } from './faulty-disk.ts'
import { PlainPartition, type PlainPartitionOptions, requireThat } from './plain-partition.ts'
import { StagedGroups } from './staged-groups.ts'
import { StagedTransactions } from './staged-transactions.ts'

/** What may be heard from a broker whose disk fails; anything else is a bug. */
const storageErrors: ReadonlySet<string> = new Set([
  'STORAGE_FAILED',
  'DISK_FULL',
  'DIRECTORY_UNUSABLE',
  'CLOSED',
  // Of a topic that could not be made.
  'UNKNOWN_TOPIC_OR_PARTITION',
])

const settings = {
  segmentBytes: 700,
  indexIntervalBytes: 200,
  checkpointIntervalMs: 1_000,
  retentionCheckIntervalMs: 60_000,
}

/** What the clock on the wall says when a process starts. */
const startMs = Date.UTC(2026, 0)
const retentionMs = 50_000

/** Topics that have settings of their own, by name. */
export const compactedTopic = 'compacted'
/** Of transactions. */
export const otherCompactedTopic = 'compacted-too'
export const agedTopic = 'aged'
const compactedConfig = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }
const configs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [compactedTopic]: compactedConfig,
  [otherCompactedTopic]: compactedConfig,
  [agedTopic]: { 'retention.ms': String(retentionMs) },
}
const partitionOptions: Readonly<Record<string, PlainPartitionOptions>> = {
  [compactedTopic]: { isCompacted: true },
  [agedTopic]: { timestampAt: (offset) => startMs + offset * 1_000 },
}

/** A broker on a disk on which something goes wrong, and the model of what it must still hold afterwards. */
export class Stage {
  disk: FaultyDisk
  readonly transactions: StagedTransactions
  readonly groups: StagedGroups
  broker: Broker | undefined
  /** Whether the disk has failed, so that nothing more comes of this process. */
  hasFailed = false
  #memory: MemoryDisk
  readonly #partitions = new Map<string, PlainPartition>()
  /** The topics that were made, with their ids. */
  readonly #topics = new Map<string, string>()
  readonly #deleted = new Set<string>()
  readonly #grown = new Map<string, number>()
  /** Topics whose settings were changed, or may have been; and the changes that were. */
  readonly #configured = new Set<string>()
  readonly #configs: { readonly topic: string; readonly name: string; readonly value: string }[] = []
  readonly #producerIds = new Set<number>()
  #world: VirtualEnvironment

  constructor(seed: number, fault?: Fault, at?: number) {
    this.#memory = new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) })
    this.disk = new FaultyDisk(this.#memory, fault, at)
    this.#world = worldOn(this.#memory)
    this.transactions = new StagedTransactions(this)
    this.groups = new StagedGroups(this)
  }

  /** Does a step; a failure of the disk is noted by its absence, and anything else thrown on. */
  async attempt(step: () => unknown): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (error instanceof MillraceError && storageErrors.has(error.code)) return false
      throw error
    }
  }

  /** Starts a process. What the last one was not sure of is decided: it is there, or it never will be. */
  open(): Promise<boolean> {
    return this.attempt(async () => {
      const broker = await this.#openOn(this.disk)
      for (const [topic, partition] of this.#partitions) {
        if (broker.topics.get(topic) !== undefined) partition.settle(broker)
      }
      this.groups.settle(broker)
    })
  }

  /** The process ends as it does in life, in order if it can, and another one is started. */
  async restart(): Promise<void> {
    await this.close()
    await this.open()
  }

  /** The machine loses power and comes up again, on a disk without faults. */
  async crash(keepUnsynced: 'none' | 'all' | 'random'): Promise<void> {
    this.broker = undefined
    this.transactions.interrupt()
    this.#memory = this.disk.found(keepUnsynced)
    this.disk = new FaultyDisk(this.#memory)
    await this.open()
  }

  create(topic: string): Promise<boolean> {
    return this.attempt(async () => {
      if (this.broker !== undefined) this.#beginAnew(this.broker, topic)
      const partitions = this.broker?.topics.get(topic)?.partitions ?? 1
      await this.broker?.createTopics([{ name: topic, partitions, config: configs[topic] ?? {} }])
      if (this.broker !== undefined) this.#topics.set(topic, this.broker.topics.get(topic)?.id as string)
    })
  }

  /** Gives a topic more partitions; each of them then takes a record. */
  async grow(topic: string, partitions: number): Promise<void> {
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      await this.broker.topicChanges.grow(topic, partitions)
      for (let partition = 1; partition < partitions; partition++) {
        const log = this.broker.log(topic, partition)
        log.append(batchOfRecords([{ value: topic }]))
        await log.acknowledged()
      }
    })
    if (isDone) this.#grown.set(topic, partitions)
  }

  /** Sets a setting of a topic. */
  async configure(topic: string, name: string, value: string): Promise<void> {
    this.#configured.add(topic)
    const edits = () => [{ name, value, operation: 'SET' }] as const
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      const change = { resource: 'topic', name: topic, edits, validateOnly: false } as const
      const refusal = await this.broker.configChanges.alter(change)
      if (refusal !== undefined) throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', refusal.message)
    })
    if (isDone) this.#configs.push({ topic, name, value })
  }

  /** Deletes a topic. Where that is not acknowledged it may be there or not, but then as a whole. */
  async delete(topic: string): Promise<void> {
    this.#topics.delete(topic)
    this.groups.mayForget(topic)
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      await this.broker.topicChanges.delete(topic)
    })
    if (!isDone) return
    this.#partitions.delete(topic)
    this.#deleted.add(topic)
  }

  /** A topic that is about to be made and was there once, or was about to be deleted, has none of its old records. */
  #beginAnew(broker: Broker, topic: string): void {
    if (broker.topics.get(topic) !== undefined) return
    requireThat(!this.#topics.has(topic), `the topic ${topic} is gone`)
    this.#partitions.delete(topic)
    this.#deleted.delete(topic)
  }

  /** Appends some batches of an idempotent producer, waits for them, and sends again what was refused for want of room. */
  async append(topic: string, batches: number): Promise<void> {
    const partition = this.#partitionOf(topic)
    for (let i = 0; i < batches; i++) {
      await this.attempt(() => {
        if (this.broker !== undefined) partition.append(this.broker.log(topic, 0))
      })
    }
    const { length } = partition.sent
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      await this.broker.log(topic, 0).acknowledged()
    })
    if (isDone) partition.acknowledged = length
  }

  async deleteBefore(topic: string, offset: number): Promise<void> {
    const partition = this.#partitionOf(topic)
    if (offset > partition.acknowledged) return
    partition.deleted = Math.max(partition.deleted, offset)
    await this.attempt(() => this.broker?.deleteRecords([{ topic, partition: 0, offset }]))
  }

  /** Gives out producer ids, so many that some blocks are set aside: each only once. */
  async allocateProducerIds(): Promise<void> {
    for (let i = 0; i < 2_001; i += 1_000) {
      const isDone = await this.attempt(async () => {
        for (let k = 0; k < 1_000; k++) {
          const id = await this.broker?.producerIds.allocate()
          if (id === undefined) return
          requireThat(!this.#producerIds.has(id), `the producer id ${id} is given out again`)
          this.#producerIds.add(id)
        }
      })
      if (!isDone) return
    }
  }

  /** Lets checkpoints, retention and removals have their turn. */
  async wait(ms: number): Promise<void> {
    await this.attempt(() => this.#world.clock.advanceAsync(ms))
    this.#partitions.get(agedTopic)?.mayHaveAged(retentionMs, this.#world.clock.wallMs())
    await this.#world.clock.nextTurn()
  }

  /** Compacts what can be compacted. */
  async compact(): Promise<void> {
    await this.attempt(() => this.broker?.compact())
  }

  async close(): Promise<void> {
    const isInOrder = this.broker !== undefined && (await this.attempt(() => this.broker?.close()))
    // What was sent may have been lost with it.
    if (!isInOrder) this.transactions.interrupt()
    this.broker = undefined
  }

  /** Whether the broker takes appends: after a full disk it must, as soon as there is room. */
  get isOffline(): boolean {
    return this.broker === undefined
  }

  /** Opens what the next process finds, on a disk that works, and requires all that must be there. */
  async verify(keepUnsynced: 'none' | 'all' | 'random'): Promise<void> {
    const broker = await this.#openOn(this.disk.found(keepUnsynced))
    requireThat(broker.damages.length === 0, `damage was found: ${JSON.stringify(broker.damages)}`)
    requireThat(isDeepStrictEqual(liveState(broker), foldedState(broker)), 'the state is not that of the log')
    for (const [topic, id] of this.#topics) {
      const found = broker.topics.get(topic)
      requireThat(found?.id === id, `the topic ${topic} is ${found === undefined ? 'gone' : 'another one'}`)
      const isSame = this.#configured.has(topic) || isDeepStrictEqual(found?.config, configs[topic] ?? {})
      requireThat(isSame, `the settings of ${topic} are ${JSON.stringify(found?.config)}`)
    }
    for (const topic of this.#deleted) requireThat(broker.topics.get(topic) === undefined, `the topic ${topic} is back`)
    for (const [topic, partition] of this.#partitions) {
      if (broker.topics.get(topic) === undefined) continue
      partition.requireIn(broker)
      partition.requireProducer(broker)
    }
    this.groups.settle(broker)
    await this.transactions.requireIn(broker)
    requireThat(isDeepStrictEqual(liveState(broker), foldedState(broker)), 'the state is no longer that of the log')
    if (this.#producerIds.size > 0) await this.allocateProducerIds()
    // Whatever became of a topic, its name can be used.
    for (const [topic, partitions] of this.#grown) {
      requireThat(broker.topics.get(topic)?.partitions === partitions, `${topic} has not grown to ${partitions}`)
      for (let partition = 1; partition < partitions; partition++) {
        requireThat(broker.log(topic, partition).logEndOffset >= 1, `${topic}-${partition} has lost its record`)
      }
    }
    for (const { topic, name, value } of this.#configs) {
      requireThat(broker.topics.get(topic)?.config[name] === value, `${name} of ${topic} is not ${value}`)
    }
    const free = [...this.#partitions.keys(), ...this.#deleted].filter((name) => broker.topics.get(name) === undefined)
    await broker.createTopics(['afterwards', ...free].map((name) => ({ name, partitions: 1 })))
    for (const topic of free) requireThat(broker.log(topic, 0).logEndOffset === 0, `${topic} is not empty`)
    const log = broker.log('afterwards', 0)
    log.append(batchOfRecords([{ value: 'a' }]))
    await log.acknowledged()
    await broker.close()
  }

  /** The files of the directory, as the machine that stays up has them, with their sizes. */
  files(): { path: string; bytes: number }[] {
    const disk = this.disk.found('all')
    return disk.list('data').flatMap((name) => {
      const path = `data/${name}`
      const paths = name.endsWith('-0') ? disk.list(path).map((file) => `${path}/${file}`) : [path]
      return paths.map((file) => ({ path: file, bytes: disk.open(file).size() }))
    })
  }

  /** Opens the directory with one bit changed: what is lost of what was acknowledged is told, and nothing wrong is served. */
  async verifyFlip(path: string, position: number): Promise<void> {
    const disk = this.disk.found('all')
    disk.flipBit(path, position, position % 8)
    let broker: Broker
    try {
      broker = await openBroker({ directory: 'data', environment: worldOn(disk), flush: 'fsync', settings })
    } catch (error) {
      if (error instanceof MillraceError) return
      throw error
    }
    const isTold = broker.cuts.length > 0 || broker.damages.length > 0
    for (const topic of this.#topics.keys()) {
      const isThere = broker.topics.get(topic) !== undefined
      requireThat(isThere || isTold, `the topic ${topic} is gone and nothing was said`)
      if (isThere) this.#partitions.get(topic)?.requireUnharmedIn(broker, isTold)
    }
    this.transactions.requireUnharmedIn(broker, isTold)
    await this.attempt(() => broker.close())
  }

  /** A process of its own: its clock starts anew. */
  async #openOn(disk: FaultyDisk | MemoryDisk): Promise<Broker> {
    this.broker = undefined
    this.hasFailed = false
    this.#world = worldOn(this.#memory)
    const environment = { ...this.#world, disk }
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
    this.broker = broker
    broker.onOffline(() => {
      // The process before may notice only now that its disk is gone.
      if (this.broker === broker) this.hasFailed = true
    })
    return broker
  }

  #partitionOf(topic: string): PlainPartition {
    const partition = this.#partitions.get(topic) ?? new PlainPartition(topic, partitionOptions[topic])
    this.#partitions.set(topic, partition)
    return partition
  }
}
