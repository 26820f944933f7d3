import type { DiskSpace } from './disk-space.ts'
import type { Random } from './environment.ts'
import { FileContent } from './file-content.ts'

/** Which of the unsynced changes are found after a power loss. */
export type KeepUnsynced = 'none' | 'all' | 'random'

const pageBytes = 4096

/** What was written between two syncs, as what it takes to undo it. */
export interface WritePeriod {
  /** Pages as they were before, filled up with zeros; undefined for pages that were not there. */
  readonly before: Map<number, Uint8Array | undefined>
  readonly sizeBefore: number
  isLost: boolean
}

/**
 * What a file would lose in a power loss. The writes since the last sync form one period, those that a sync under way is
 * about to save form periods before it, oldest first. After a failed sync a period stays: the system takes its pages for
 * clean, so that no later sync saves them (unless they are written again), which is what Linux does.
 */
export class UnsyncedPages {
  readonly #content: FileContent
  readonly #periods: WritePeriod[]

  constructor(content: FileContent) {
    this.#content = content
    this.#periods = [periodFrom(content.size)]
  }

  /** To be called before the bytes from `from` to `to` change or are cut off. */
  remember(from: number, to: number): void {
    const { before } = this.#periods.at(-1)!
    const end = Math.ceil(to / pageBytes)
    for (let page = Math.floor(from / pageBytes); page < end; page++) {
      if (!before.has(page)) before.set(page, this.#pageNow(page))
    }
  }

  beginSync(): WritePeriod {
    const period = this.#periods.at(-1)!
    this.#periods.push(periodFrom(this.#content.size))
    return period
  }

  /** Everything written up to the end of the period is on the device. */
  completeSync(period: WritePeriod): void {
    const last = this.#periods.indexOf(period)
    if (last === -1) return
    const sizeSaved = this.#periods[last + 1]!.sizeBefore
    const kept: WritePeriod[] = []
    const saved = new Set<number>()
    for (let i = last; i >= 0; i--) {
      const earlier = this.#periods[i]!
      if (!earlier.isLost) for (const page of earlier.before.keys()) saved.add(page)
      else kept.unshift({ before: without(earlier.before, saved), sizeBefore: sizeSaved, isLost: true })
    }
    this.#periods.splice(0, last + 1, ...kept)
  }

  failSync(period: WritePeriod): void {
    period.isLost = true
  }

  /** The file as a power loss would leave it. */
  afterPowerLoss(keep: KeepUnsynced, space: DiskSpace, random: Random): FileContent {
    const found = copyOf(this.#content, space)
    if (keep === 'all') return found
    const settled = new Set<number>()
    for (let i = this.#periods.length - 1; i >= 0; i--) {
      for (const [page, bytes] of this.#periods[i]!.before) {
        if (settled.has(page)) continue
        if (keep === 'random' && random.uint32() % 2 === 0) settled.add(page)
        else found.write(bytes ?? new Uint8Array(pageBytes), page * pageBytes)
      }
    }
    found.truncate(keep === 'none' ? this.#periods[0]!.sizeBefore : this.#anySize(random))
    return found
  }

  /** One of the sizes that the file had, or one between them: an append may be found in part. */
  #anySize(random: Random): number {
    const sizes = [this.#content.size]
    for (const period of this.#periods) sizes.push(period.sizeBefore)
    const least = Math.min(...sizes)
    const between = least + (random.uint32() % (Math.max(...sizes) - least + 1))
    sizes.push(between)
    return sizes[random.uint32() % sizes.length]!
  }

  #pageNow(page: number): Uint8Array | undefined {
    const position = page * pageBytes
    if (position >= this.#content.size) return undefined
    const bytes = new Uint8Array(pageBytes)
    this.#content.read(bytes, position)
    return bytes
  }
}

function periodFrom(sizeBefore: number): WritePeriod {
  return { before: new Map(), sizeBefore, isLost: false }
}

function without(pages: WritePeriod['before'], saved: ReadonlySet<number>): WritePeriod['before'] {
  return new Map([...pages].filter(([page]) => !saved.has(page)))
}

function copyOf(content: FileContent, space: DiskSpace): FileContent {
  const copy = new FileContent(space)
  const bytes = new Uint8Array(64 * 1024)
  for (let position = 0; position < content.size; position += bytes.length) {
    copy.write(bytes.subarray(0, content.read(bytes, position)), position)
  }
  return copy
}
