import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { MillraceError } from '../../../src/errors.ts'
import { batchOfRecords, recordsIn, worldOn } from '../records.ts'
import { type Fault, FaultyDisk } from './faulty-disk.ts'

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

export const compactedTopic = 'compacted'
const compactedConfig = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }
const keyCount = 7

function keyAt(offset: number): string {
  return `key ${offset % keyCount}`
}

/** What a partition must hold at least, and what it may hold. */
interface PartitionModel {
  /** Everything that was appended or may have been, in order. */
  readonly sent: string[]
  acknowledged: number
  /** What was deleted, or may have been. */
  deleted: number
  /** Whether of each key only the last record must be there. */
  readonly isCompacted: boolean
}

/** A broker on a disk on which something goes wrong, and the model of what it must still hold afterwards. */
export class Stage {
  readonly disk: FaultyDisk
  broker: Broker | undefined
  readonly #memory: MemoryDisk
  readonly #models = new Map<string, PartitionModel>()
  readonly #topics = new Set<string>()
  readonly #deleted = new Set<string>()
  #world: VirtualEnvironment
  #group = 0
  #groupAtMost = 0

  constructor(seed: number, fault?: Fault, at?: number) {
    this.#memory = new MemoryDisk({ tracksCrashes: true, random: new SeededRandom(seed) })
    this.disk = new FaultyDisk(this.#memory, fault, at)
    this.#world = worldOn(this.#memory)
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

  open(): Promise<boolean> {
    return this.attempt(async () => {
      this.#world = worldOn(this.#memory)
      const environment = { ...this.#world, disk: this.disk }
      this.broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
      this.#settle(this.broker)
    })
  }

  /** What the last process was not sure of is decided: it is in the log, or it never will be. */
  #settle(broker: Broker): void {
    for (const [topic, model] of this.#models) {
      if (broker.topics.get(topic) === undefined) continue
      requireRecords(broker, topic, model)
      model.sent.length = broker.log(topic, 0).logEndOffset
    }
  }

  create(topic: string): Promise<boolean> {
    return this.attempt(async () => {
      const config = topic === compactedTopic ? compactedConfig : {}
      if (this.broker !== undefined) this.#beginAnew(this.broker, topic)
      await this.broker?.createTopics([{ name: topic, partitions: 1, config }])
      if (this.broker !== undefined) this.#topics.add(topic)
    })
  }

  /** Deletes a topic. Where that is not acknowledged it may be there or not, but then as a whole. */
  async delete(topic: string): Promise<void> {
    this.#topics.delete(topic)
    if (topic === 't') this.#group = 0
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      await this.broker.changes.delete(topic)
    })
    if (!isDone) return
    this.#models.delete(topic)
    this.#deleted.add(topic)
  }

  /** A topic that is about to be made and was there once, or was about to be deleted, has none of its old records. */
  #beginAnew(broker: Broker, topic: string): void {
    if (broker.topics.get(topic) !== undefined) return
    requireThat(!this.#topics.has(topic), `the topic ${topic} is gone`)
    this.#models.delete(topic)
    this.#deleted.delete(topic)
  }

  /** Appends some batches of an idempotent producer, waits for them, and sends again what was refused for want of room. */
  async append(topic: string, batches: number): Promise<void> {
    const model = this.#modelOf(topic)
    for (let i = 0; i < batches; i++) {
      const values = [0, 1, 2].map((k) => `${topic} ${model.sent.length + k} ${'x'.repeat(20)}`)
      const header = { producerId: 7, producerEpoch: 0, baseSequence: model.sent.length }
      await this.attempt(() => {
        const log = this.broker?.log(topic, 0)
        if (log === undefined) return
        try {
          const records = values.map((value, k) => ({ key: keyAt(model.sent.length + k), value }))
          log.append(batchOfRecords(records, {}, header))
          model.sent.push(...values)
        } catch (error) {
          // A write that failed and could not be undone may be found later, or a part of it.
          if (error instanceof MillraceError && error.code === 'STORAGE_FAILED') model.sent.push(...values)
          throw error
        }
      })
    }
    const { length } = model.sent
    const isDone = await this.attempt(async () => {
      if (this.broker === undefined) throw new MillraceError('CLOSED', 'There is no broker')
      await this.broker.log(topic, 0).acknowledged()
    })
    if (isDone) model.acknowledged = length
  }

  async commit(topic: string): Promise<void> {
    const offset = this.#modelOf(topic).sent.length
    this.#groupAtMost = Math.max(this.#groupAtMost, offset)
    await this.attempt(async () => {
      await this.broker?.offsets.commit('g', [{ topic, partition: 0, offset, metadata: '' }])
      if (this.broker !== undefined) this.#group = offset
    })
  }

  async deleteBefore(topic: string, offset: number): Promise<void> {
    const model = this.#modelOf(topic)
    if (offset > model.acknowledged) return
    model.deleted = offset
    await this.attempt(() => this.broker?.deleteRecords([{ topic, partition: 0, offset }]))
  }

  /** Lets checkpoints, retention and removals have their turn. */
  async wait(ms: number): Promise<void> {
    await this.attempt(() => this.#world.clock.advanceAsync(ms))
    await this.#world.clock.nextTurn()
  }

  /** Compacts what can be compacted. */
  async compact(): Promise<void> {
    await this.attempt(() => this.broker?.compact())
  }

  async close(): Promise<void> {
    await this.attempt(() => this.broker?.close())
    this.broker = undefined
  }

  /** Whether the broker takes appends: after a full disk it must, as soon as there is room. */
  get isOffline(): boolean {
    return this.broker === undefined
  }

  /** Opens what the next process finds, on a disk that works, and requires all that must be there. */
  async verify(keepUnsynced: 'none' | 'all' | 'random'): Promise<void> {
    const environment = worldOn(this.disk.found(keepUnsynced))
    const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
    requireThat(broker.damages.length === 0, `damage was found: ${JSON.stringify(broker.damages)}`)
    for (const topic of this.#topics) requireThat(broker.topics.get(topic) !== undefined, `the topic ${topic} is gone`)
    for (const topic of this.#deleted) requireThat(broker.topics.get(topic) === undefined, `the topic ${topic} is back`)
    for (const [topic, model] of this.#models)
      if (broker.topics.get(topic) !== undefined) requireRecords(broker, topic, model)
    const committed = broker.offsets.committed('g', 't', 0)?.offset ?? 0
    requireThat(committed >= this.#group && committed <= this.#groupAtMost, `the group is at ${committed}`)
    // Whatever became of a topic, its name can be used.
    const free = [...this.#models.keys(), ...this.#deleted].filter((name) => broker.topics.get(name) === undefined)
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
    for (const [topic, model] of this.#models) {
      const isTold = broker.cuts.length > 0 || broker.damages.length > 0
      if (broker.topics.get(topic) !== undefined) requireUnharmed(broker, topic, model, isTold)
      else requireThat(isTold, `the topic ${topic} is gone and nothing was said`)
    }
    await this.attempt(() => broker.close())
  }

  #modelOf(topic: string): PartitionModel {
    const model = this.#models.get(topic) ?? {
      sent: [],
      acknowledged: 0,
      deleted: 0,
      isCompacted: topic === compactedTopic,
    }
    this.#models.set(topic, model)
    return model
  }
}

function requireRecords(broker: Broker, topic: string, model: PartitionModel): void {
  const log = broker.log(topic, 0)
  requireThat(log.logStartOffset <= model.deleted, `${topic} begins at ${log.logStartOffset}, not at ${model.deleted}`)
  requireThat(log.logEndOffset >= model.acknowledged, `${topic} ends at ${log.logEndOffset}, not ${model.acknowledged}`)
  const cursor = new LogCursor(log, log.logStartOffset, 500)
  let due = log.logStartOffset
  const lastOfKey = new Map<string, number>()
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    for (const { offset, value } of recordsIn(bytes, log.logStartOffset)) {
      const isDue = model.isCompacted ? offset >= due : offset === due
      requireThat(isDue && value === model.sent[offset], `'${value}' is at ${offset}, not '${model.sent[due]}'`)
      lastOfKey.set(keyAt(offset), offset)
      due = offset + 1
    }
  }
  if (!model.isCompacted) requireThat(due === log.logEndOffset, `${due} of ${log.logEndOffset} of ${topic} were read`)
  for (let offset = 0; model.isCompacted && offset < model.acknowledged; offset++) {
    const last = lastOfKey.get(keyAt(offset)) ?? -1
    requireThat(last >= offset, `${keyAt(offset)} was written at ${offset}, and what is left of it is at ${last}`)
  }
}

/** The same of a log of which something may be missing, as long as that is told. */
function requireUnharmed(broker: Broker, topic: string, model: PartitionModel, isTold: boolean): void {
  const log = broker.log(topic, 0)
  const cursor = new LogCursor(log, log.logStartOffset, 500)
  let due = log.logStartOffset
  try {
    for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
      for (const { offset, value } of recordsIn(bytes)) {
        requireThat(value === model.sent[offset], `'${value}' is at ${offset}, not '${model.sent[offset]}'`)
        due = offset + 1
      }
    }
  } catch (error) {
    if (error instanceof MillraceError) return
    throw error
  }
  requireThat(
    isTold || due >= model.acknowledged,
    `${topic} ends at ${due}, not ${model.acknowledged}, and nothing was said`,
  )
}

function requireThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
