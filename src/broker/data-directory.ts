import type { Disk, DiskLock, Random } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import { fileUnusable, isDiskFull } from './disk-error.ts'
import { makeDirectoryDurably, readText, replaceFile } from './durable-file.ts'
import { DirectoryStatus } from './log/directory-status.ts'
import { type CheckpointEntry, readOffsetCheckpoint, writeOffsetCheckpoint } from './offset-checkpoint.ts'
import { randomId } from './topic-id.ts'

/** The id of the only node that there is. */
export const ownNodeId = 1

const lockName = '.lock'
const cleanShutdownName = '.kafka_cleanshutdown'

/** The checkpoints: up to where a log was on the device, where it begins, up to where it was compacted. */
const checkpointNames = {
  recoveryPoints: 'recovery-point-offset-checkpoint',
  logStarts: 'log-start-offset-checkpoint',
  cleaned: 'cleaner-offset-checkpoint',
} as const

export type Checkpoint = keyof typeof checkpointNames

const metaName = 'meta.properties'

/**
 * A broker's data directory, laid out as Kafka's: a directory `<topic>-<partition>` for each log, the offsets of
 * all of them in checkpoints, and a marker that is only there while no process is at work and the last one closed in
 * order. Held by one process at a time.
 */
export class DataDirectory {
  readonly path: string
  readonly status: DirectoryStatus
  /** Whether the last process flushed and closed everything. */
  readonly wasCleanlyShutDown: boolean
  /** Whether a broker has been at home here before. */
  readonly isFormatted: boolean
  readonly #disk: Disk
  readonly #lock: DiskLock
  readonly #checkpoints: Readonly<Record<Checkpoint, ReadonlyMap<string, number>>>
  /** What the checkpoints hold now. */
  readonly #written: Record<Checkpoint, readonly CheckpointEntry[]>

  private constructor(
    path: string,
    disk: Disk,
    lock: DiskLock,
    wasCleanlyShutDown: boolean,
    checkpoints: Readonly<Record<Checkpoint, readonly CheckpointEntry[]>>,
  ) {
    this.path = path
    this.status = new DirectoryStatus(path)
    this.wasCleanlyShutDown = wasCleanlyShutDown
    this.#disk = disk
    this.#lock = lock
    this.isFormatted = disk.exists(`${path}/${metaName}`)
    this.#written = { ...checkpoints }
    this.#checkpoints = {
      recoveryPoints: byPartition(checkpoints.recoveryPoints),
      logStarts: byPartition(checkpoints.logStarts),
      cleaned: byPartition(checkpoints.cleaned),
    }
  }

  /** @throws MillraceError DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, DISK_FULL, STORAGE_FAILED */
  static async open(path: string, disk: Disk): Promise<DataDirectory> {
    let lock: DiskLock | undefined
    try {
      // What is formatted was made durable before that.
      if (!disk.exists(`${path}/${metaName}`)) await makeDirectoryDurably(disk, path)
      lock = disk.lock(`${path}/${lockName}`)
      if (lock === undefined) throw locked(disk, path)
      const marker = `${path}/${cleanShutdownName}`
      const wasCleanlyShutDown = disk.exists(marker)
      const read = (checkpoint: Checkpoint) => readOffsetCheckpoint(disk, `${path}/${checkpointNames[checkpoint]}`)
      const checkpoints = {
        recoveryPoints: read('recoveryPoints'),
        logStarts: read('logStarts'),
        cleaned: read('cleaned'),
      }
      // The marker goes before anything is done, so that a crash from here on is never taken for an orderly end.
      disk.remove(marker)
      await disk.syncDirectory(path)
      return new DataDirectory(path, disk, lock, wasCleanlyShutDown, checkpoints)
    } catch (error) {
      lock?.release()
      throw fileUnusable(error, 'opening the data directory', path)
    }
  }

  partitionPath(topic: string, partition: number): string {
    return `${this.path}/${keyOf(topic, partition)}`
  }

  /** What a checkpoint said of a log when the directory was opened; undefined where nothing. */
  checkpointed(checkpoint: Checkpoint, topic: string, partition: number): number | undefined {
    return this.#checkpoints[checkpoint].get(keyOf(topic, partition))
  }

  /** Whether a checkpoint that the next start would read says something of one of the topics. */
  hasCheckpointed(checkpoint: Checkpoint, topics: { readonly has: (name: string) => boolean }): boolean {
    return this.#written[checkpoint].some(({ topic }) => topics.has(topic))
  }

  /** The id of the cluster that the directory belongs to. Only where it is formatted. */
  get clusterId(): string {
    const path = `${this.path}/${metaName}`
    let text: string
    try {
      text = readText(this.#disk, path)
    } catch (error) {
      throw fileUnusable(error, 'reading the properties of the data directory', path)
    }
    return /^cluster\.id=(.*)$/m.exec(text)?.[1]?.trim() ?? ''
  }

  /** Names the directory's owner, as Kafka's `meta.properties`; from then on its logs must be there. */
  async format(random: Random): Promise<void> {
    const lines = [
      'version=1',
      `cluster.id=${randomId(random)}`,
      `node.id=${ownNodeId}`,
      `directory.id=${randomId(random)}`,
    ]
    try {
      await replaceFile(this.#disk, this.path, metaName, `${lines.join('\n')}\n`)
    } catch (error) {
      throw fileUnusable(error, 'writing the properties of the data directory', `${this.path}/${metaName}`)
    }
  }

  /**
   * Makes offsets known to the next start. A full disk is no failure: the last checkpoint stays; resolves with whether it was
   * written.
   */
  async writeCheckpoint(checkpoint: Checkpoint, entries: readonly CheckpointEntry[]): Promise<boolean> {
    this.status.requireOnline()
    const name = checkpointNames[checkpoint]
    const isWritten = await this.#write(`writing the ${name}`, () =>
      writeOffsetCheckpoint(this.#disk, this.path, name, entries),
    )
    if (isWritten) this.#written[checkpoint] = entries
    return isWritten
  }

  /** Writes the marker that spares the next start its checks; everything else is on the device. */
  async markCleanShutdown(): Promise<void> {
    this.status.requireOnline()
    await this.#write('marking the clean shutdown', () =>
      replaceFile(this.#disk, this.path, cleanShutdownName, '{"version":0,"brokerEpoch":-1}'),
    )
  }

  /** Lets other processes in. */
  release(): void {
    this.#lock.release()
  }

  async #write(doing: string, write: () => Promise<void>): Promise<boolean> {
    try {
      await write()
      return true
    } catch (error) {
      if (isDiskFull(error)) return false
      throw this.status.goOffline(doing, this.path, error)
    }
  }
}

function byPartition(entries: readonly CheckpointEntry[]): ReadonlyMap<string, number> {
  return new Map(entries.map((entry) => [keyOf(entry.topic, entry.partition), entry.offset]))
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

function locked(disk: Disk, path: string): MillraceError {
  const lockPath = `${path}/${lockName}`
  return new MillraceError('DIRECTORY_LOCKED', `The data directory is in use by ${holderOf(disk, lockPath)}`, {
    at: { path },
    remedy: 'Stop that process first, or give this one a directory of its own.',
  })
}

function holderOf(disk: Disk, lockPath: string): string {
  const processId = readText(disk, lockPath).trim()
  return /^\d+$/.test(processId) ? `the process ${processId}` : 'another cluster'
}
