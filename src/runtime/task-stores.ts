import type { Cluster, CommittedOffset, TopicPartition } from '../cluster/cluster.ts'
import { MillraceError } from '../errors.ts'
import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { StoreEngine } from '../state/store-engine.ts'
import { hasChangelog } from '../topology/filled-stores.ts'
import { Changelog, restoreStore } from './changelog.ts'
import { type CommitMetadata, encodeCommitMetadata } from './commit-metadata.ts'
import type { RecordCollector } from './record-collector.ts'
import type { RunConfig } from './run-options.ts'
import { type ReplaySetting, SourceReplay } from './source-replay.ts'
import { SourceRestore } from './source-restore.ts'
import type { TaskStore } from './task.ts'
import type { PlannedInput } from './task-assembly.ts'
import { changelogTopic } from './topic-plan.ts'

/** The last commit of a task: for each of its inputs what was committed, and the metadata beside it. */
export interface LastCommit {
  readonly inputs: readonly PlannedInput[]
  readonly offsets: readonly (CommittedOffset | undefined)[]
  readonly metadata: CommitMetadata
}

/** Opens the stores of one task and brings them to its last commit. */
export class TaskStores {
  readonly #taskId: string
  readonly #partition: number
  readonly #config: RunConfig
  readonly #collector: RecordCollector

  constructor(taskId: string, partition: number, config: RunConfig, collector: RecordCollector) {
    this.#taskId = taskId
    this.#partition = partition
    this.#config = config
    this.#collector = collector
  }

  async open(setting: ReplaySetting, last: LastCommit): Promise<TaskStore[]> {
    const stores: TaskStore[] = []
    let hasUndone = false
    for (const declaration of setting.subTopology.stores) {
      if (declaration.sourceTopic !== undefined) {
        stores.push(await this.#openSourced(declaration, declaration.sourceTopic, last))
        continue
      }
      const filling = last.inputs.findIndex(({ source }) => source.fills === declaration.name)
      if (filling >= 0) {
        stores.push(await this.#openFilled(declaration, setting, last.inputs[filling], last.offsets[filling]))
        continue
      }
      requireChangelog(declaration, last.metadata)
      if (!hasChangelog(setting.subTopology, declaration)) {
        stores.push(await this.#openUnlogged(declaration))
        continue
      }
      const { changelog, store, undone } = await this.#openLogged(declaration, last.metadata)
      stores.push({ store, changelog })
      hasUndone ||= undone
    }
    if (hasUndone) await this.#commitUndone(stores, last)
    return stores
  }

  async #openUnlogged(declaration: StoreDeclaration): Promise<TaskStore> {
    const store = declaration.create(await this.#openEngine(declaration))
    store.ready(0)
    return { store, changelog: undefined }
  }

  /** Its position is one in the table's topic. */
  async #openSourced(declaration: StoreDeclaration, sourceTopic: string, last: LastCommit): Promise<TaskStore> {
    const { badRecords, cluster, environment } = this.#config
    const engine = await this.#openEngine({ ...declaration, name: `${declaration.name}${sourcedSuffix}` })
    const at = last.inputs.findIndex(({ partition }) => partition.topic === sourceTopic)
    const input = last.inputs[at]
    // Another topic of the sub-topology has more partitions.
    if (input === undefined) engine.clear()
    const committed = last.offsets[at]?.offset ?? 0
    const [range] = input === undefined ? [] : await cluster.offsets([input.partition], 'read-committed')
    const { start = 0, end = 0 } = range ?? {}
    const to = Math.min(committed, end)
    if (engine.position() > to || engine.position() < start) engine.clear()
    const store = declaration.create(engine)
    if (input !== undefined) {
      const from = Math.max(engine.position(), start)
      const restore = new SourceRestore({ input, store, from, to, badRecords, clock: environment.clock })
      await readSource(restore, input.partition, cluster)
    }
    store.ready(to)
    return { store, changelog: undefined, sourceTopic }
  }

  /** Opens a store that a source topic fills, and replays the topic up to the last commit. */
  async #openFilled(
    declaration: StoreDeclaration,
    setting: ReplaySetting,
    input: PlannedInput,
    last: CommittedOffset | undefined,
  ): Promise<TaskStore> {
    const { cluster } = this.#config
    const { partition } = input
    const [range] = await cluster.offsets([partition], 'read-committed')
    const engine = await this.#openEngine({ ...declaration, name: `${declaration.name}${sourcedSuffix}` })
    const replay = new SourceReplay(setting, { declaration, engine, input, range, committed: last?.offset })
    try {
      await readSource(replay, partition, cluster)
    } finally {
      replay.close()
    }
    return { store: replay.store, changelog: undefined, sourceTopic: partition.topic }
  }

  async #openLogged(declaration: StoreDeclaration, metadata: CommitMetadata) {
    const cluster = this.#config.cluster
    const partition = {
      topic: changelogTopic(declaration.name, this.#config.applicationId),
      partition: this.#partition,
    }
    const [range] = await cluster.offsets([partition], 'read-committed')
    const committed = metadata.changelogs[declaration.name] ?? 0
    const engine = await this.#openEngine(declaration)
    // An engine ahead of the last commit, or behind what the changelog still has, cannot be brought to it: start over.
    if (engine.position() > committed || engine.position() < range.start) engine.clear()
    const store = declaration.create(engine)
    const changelog = new Changelog(partition, this.#collector, this.#config.changelogCompression)
    const undone = await restoreStore(cluster, store, changelog, committed, range)
    return { store, changelog, undone }
  }

  async #openEngine(declaration: StoreDeclaration): Promise<StoreEngine> {
    const { stateDirectory, applicationId, environment } = this.#config
    const engine = declaration.engine ?? this.#config.engine
    const directory = stateDirectory === undefined ? undefined : `${stateDirectory}/${applicationId}/${this.#taskId}`
    const location = { directory, store: declaration.name, disk: environment.disk }
    await engine.prepare?.(location)
    return engine.open(location)
  }

  /** Undoing moved the ends of changelogs: the last commit is repeated with them, before the engines take them over. */
  async #commitUndone(stores: readonly TaskStore[], last: LastCommit): Promise<void> {
    await this.#collector.acknowledged()
    const changelogs: Record<string, number> = { ...last.metadata.changelogs }
    for (const { store, changelog } of stores) if (changelog !== undefined) changelogs[store.name] = changelog.position
    const metadata = encodeCommitMetadata({ ...last.metadata, changelogs })
    await this.#collector.commit(
      last.inputs.map((input, i) => ({
        ...input.partition,
        offset: last.offsets[i]?.offset ?? 0,
        metadata: i === 0 ? metadata : '',
      })),
    )
    for (const { store, changelog } of stores) store.commit(changelog?.position ?? store.position())
  }
}

/** Keeps what was read from a source topic apart from what was read from a changelog: positions in one mean nothing in the other. */
const sourcedSuffix = '+source'

/** How long one fetch waits for what is there already. */
const maxFetchWaitMs = 1_000

async function readSource(
  restore: Pick<SourceRestore, 'isOver' | 'position' | 'take'>,
  partition: TopicPartition,
  cluster: Cluster,
): Promise<void> {
  if (restore.isOver) return
  const reader = cluster.reader({ isolation: 'read-committed' })
  try {
    reader.seek(partition, restore.position)
    while (!restore.isOver) {
      for (const fetched of await reader.fetch({ maxWaitMs: maxFetchWaitMs })) restore.take(fetched)
    }
  } finally {
    reader.close()
  }
}

/** Without its topic the rows of a table that were never logged would be gone. */
function requireChangelog({ name, logged }: StoreDeclaration, { sourced }: CommitMetadata): void {
  if (!logged || !sourced.includes(name)) return
  throw new MillraceError(
    'INVALID_TOPOLOGY',
    'The store has no changelog: it was kept in its source topic when the application last ran',
    {
      at: { store: name },
      remedy:
        "Keep it there (`optimize: ['reuse-source-topics']`, or a read-only store), or run it under another application id.",
    },
  )
}
