import type { Random } from './environment.ts'
import type { MemoryFile } from './memory-file.ts'
import type { KeepUnsynced } from './unsynced-pages.ts'

export type DirectoryEntry = MemoryDirectory | MemoryFile

type Entries = Map<string, DirectoryEntry>

/** One name that went, one that came, or (for a rename) both at once. */
interface Change {
  readonly removed: string | undefined
  readonly added: string | undefined
  readonly entry: DirectoryEntry | undefined
}

/**
 * A directory of an in-memory disk. Where crashes are tracked it also knows what the device has: the entries at the last
 * sync and the changes since, of which a power loss keeps the first ones, in order, as a journalling file system does. A
 * rename within the directory is one change; between two directories it is one in each.
 */
export class MemoryDirectory {
  readonly entries: Entries = new Map()
  readonly #durable: Entries | undefined
  readonly #changes: Change[] = []

  constructor(tracksCrashes: boolean) {
    this.#durable = tracksCrashes ? new Map() : undefined
  }

  add(name: string, entry: DirectoryEntry): void {
    this.#change({ removed: undefined, added: name, entry })
  }

  remove(name: string): void {
    this.#change({ removed: name, added: undefined, entry: undefined })
  }

  rename(from: string, to: string): void {
    this.#change({ removed: from, added: to, entry: this.entries.get(from) })
  }

  /** Returns what `completeSync` takes. */
  beginSync(): readonly Change[] {
    return this.#changes.slice()
  }

  completeSync(changes: readonly Change[]): void {
    if (this.#durable === undefined) return
    // A sync that began later may have completed earlier, and saved some of these already.
    const pending = changes.filter((change) => this.#changes.includes(change))
    for (const change of pending) apply(change, this.#durable)
    this.#changes.splice(0, pending.length)
  }

  /** The entries as a power loss would leave them. */
  afterPowerLoss(keep: KeepUnsynced, random: Random): Entries {
    if (this.#durable === undefined || keep === 'all') return new Map(this.entries)
    const found = new Map(this.#durable)
    if (keep === 'none') return found
    const count = random.uint32() % (this.#changes.length + 1)
    for (let i = 0; i < count; i++) apply(this.#changes[i]!, found)
    return found
  }

  #change(change: Change): void {
    apply(change, this.entries)
    if (this.#durable !== undefined) this.#changes.push(change)
  }
}

function apply(change: Change, entries: Entries): void {
  if (change.removed !== undefined) entries.delete(change.removed)
  if (change.added !== undefined && change.entry !== undefined) entries.set(change.added, change.entry)
}
