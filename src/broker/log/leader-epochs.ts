import type { Disk } from '../../env/environment.ts'
import { isDiskFull, isOutOfFiles } from '../disk-error.ts'
import { readText } from '../durable-file.ts'

/** From which offset on a leadership of the partition wrote. */
export interface LeaderEpoch {
  readonly epoch: number
  readonly startOffset: number
}

/** The largest epoch of a log that is not above one asked for, and the offset after the last record that it wrote. */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

const fileName = 'leader-epoch-checkpoint'

/**
 * Which leadership wrote which part of a log (KIP-101; org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache), kept in
 * Kafka's `leader-epoch-checkpoint` beside the segments. Every batch says its epoch, so the file only saves reading them:
 * one that is missing or cannot be right is made again.
 */
export class LeaderEpochs {
  readonly #disk: Disk
  readonly #directory: string
  /** Both numbers grow. */
  #entries: LeaderEpoch[] = []
  /** What the file holds; undefined where that is not known. */
  #saved: string | undefined

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  get entries(): readonly LeaderEpoch[] {
    return this.#entries
  }

  get latest(): LeaderEpoch | undefined {
    return this.#entries.at(-1)
  }

  /** Reads the file; false where it is missing or not right. */
  load(): boolean {
    this.#entries = []
    const path = `${this.#directory}/${fileName}`
    this.#saved = this.#disk.exists(path) ? readText(this.#disk, path) : undefined
    const entries = this.#saved === undefined ? undefined : parse(this.#saved)
    this.#entries = entries ?? []
    return entries !== undefined
  }

  /** Whether they say something of the offset, as far as they say anything: a deletion in front of it may not have come to be. */
  reachesBackTo(offset: number): boolean {
    return this.#entries.length === 0 || (this.#entries[0] as LeaderEpoch).startOffset <= offset
  }

  /** A batch of the epoch is in the log at the offset; whether that is news. Later entries that contradict it go. */
  note(epoch: number, offset: number): boolean {
    const latest = this.latest
    if (epoch < 0 || (latest !== undefined && latest.epoch === epoch)) return false
    this.#entries = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < offset)
    this.#entries.push({ epoch, startOffset: offset })
    return true
  }

  /** Forgets what began at the offset or behind it; whether that was something. */
  truncateEnd(offset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < offset)
    const isChange = kept.length < this.#entries.length
    this.#entries = kept
    return isChange
  }

  /** Forgets what ended before the offset, where the log begins now; whether that was something. */
  truncateStart(offset: number): boolean {
    const holder = this.#entries.findLastIndex((entry) => entry.startOffset <= offset)
    const first = this.#entries[holder]
    if (first === undefined || (holder === 0 && first.startOffset === offset)) return false
    this.#entries = [{ epoch: first.epoch, startOffset: offset }, ...this.#entries.slice(holder + 1)]
    return true
  }

  /**
   * The largest epoch that is not above the one asked for, and where it ends; undefined where the log has seen no epoch as
   * large as that, so that it cannot know.
   */
  endOf(epoch: number, logEndOffset: number): EpochEnd | undefined {
    const latest = this.latest
    if (latest === undefined || epoch < 0 || epoch > latest.epoch) return undefined
    const next = this.#entries.find((entry) => entry.epoch > epoch)
    const own = this.#entries.findLast((entry) => entry.epoch <= epoch)
    return { epoch: own?.epoch ?? epoch, endOffset: next?.startOffset ?? logEndOffset }
  }

  /** Writes the file where it holds something else, all of it or nothing of it; where there is no room for it there is none, and it is made again. */
  save(): void {
    const lines = this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}\n`)
    const text = `0\n${lines.length}\n${lines.join('')}`
    if (text === this.#saved || (this.#saved === undefined && lines.length === 0)) return
    this.#saved = undefined
    try {
      this.#write(text)
      this.#saved = text
    } catch (error) {
      if (!isDiskFull(error) && !isOutOfFiles(error)) throw error
      this.#disk.remove(`${this.#directory}/${fileName}`)
    }
  }

  #write(text: string): void {
    const path = `${this.#directory}/${fileName}`
    // A new file: what a crash has left under the name may be on the device, and be found again in place of what is not synced.
    this.#disk.remove(`${path}.tmp`)
    const file = this.#disk.open(`${path}.tmp`, { create: true })
    try {
      file.write(Buffer.from(text), 0)
    } finally {
      file.close()
    }
    this.#disk.rename(`${path}.tmp`, path)
  }
}

/** How far a follower has to cut its log before it asks its leader again, or may follow. */
export interface Truncation {
  readonly offset: number
  /** Whether the logs agree below the offset; otherwise the leader is asked again, about the epoch that is then the last. */
  readonly isComplete: boolean
}

/**
 * What a follower does with what its leader answered about the follower's last epoch: never to its own high watermark, which
 * may lie beyond what the leader has (KIP-101), and step by step where it does not know the epoch that the leader answers with
 * (KIP-279; Kafka: AbstractFetcherThread.getOffsetTruncationState).
 */
export function truncationOf(own: LeaderEpochs, logEndOffset: number, leader: EpochEnd): Truncation {
  const end = own.endOf(leader.epoch, logEndOffset)
  if (end === undefined) return { offset: Math.min(leader.endOffset, logEndOffset), isComplete: true }
  if (end.epoch !== leader.epoch) return { offset: Math.min(end.endOffset, logEndOffset), isComplete: false }
  return { offset: Math.min(end.endOffset, leader.endOffset, logEndOffset), isComplete: true }
}

function parse(text: string): LeaderEpoch[] | undefined {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines[0] !== '0' || lines[1] !== String(lines.length - 2)) return undefined
  const entries = lines.slice(2).map((line) => {
    const match = /^(\d+) (\d+)$/.exec(line)
    return { epoch: match === null ? -1 : Number(match[1]), startOffset: Number(match?.[2]) }
  })
  const isRight = entries.every(({ epoch, startOffset }, i) => {
    const before = entries[i - 1] ?? { epoch: -1, startOffset: -1 }
    return epoch > before.epoch && startOffset > before.startOffset
  })
  return isRight ? entries : undefined
}
