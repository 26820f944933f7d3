import { ClassicLevel } from 'classic-level'
import { assert, MillraceError, messageOf, type Place } from '../errors.ts'
import { bytesOf, textOf } from './byte-text.ts'
import type { EngineBatch, EngineEntry, EngineLocation, StoreEngine, StoreEngineFactory } from './store-engine.ts'

type Level = ClassicLevel<Buffer, Buffer>

/** A database that `prepare` has opened, for `open` to take. */
interface Prepared {
  readonly level: Level
  readonly position: number
  readonly isEmpty: boolean
}

/**
 * Keeps stores on disk in LevelDB, one database for each: for large stores that are read key by key. LevelDB iterates
 * asynchronously only, so that these have no ranges: key-value stores without iteration, and versioned stores. Others
 * refuse it when they start.
 *
 * Reads are synchronous. Writes are handed to LevelDB in the background, one atomic batch after the other, each with the
 * position that it reflects; until it has them, they are read from memory. So after a crash there is the state of one of the
 * last commits, and the changelog brings it to the last one.
 */
export function levelEngine(): StoreEngineFactory {
  const prepared = new Map<string, Prepared>()
  const closing = new Map<string, Promise<void>>()
  return {
    name: 'leveldb',
    durable: true,
    async prepare(location) {
      const path = pathOf(location)
      await closing.get(path)
      closing.delete(path)
      prepared.set(path, await openLevel(path, { store: location.store, path }))
    },
    open(location) {
      const path = pathOf(location)
      const database = prepared.get(path)
      assert(database !== undefined, 'a LevelDB store is prepared before it is opened')
      prepared.delete(path)
      return new LevelEngine(database, { store: location.store, path }, (closed) => closing.set(path, closed))
    },
  }
}

const positionKey = Buffer.from([0])
const rowMark = Buffer.from([1])

function pathOf({ directory, store }: EngineLocation): string {
  if (directory !== undefined) return `${directory}/${store}.leveldb`
  throw new MillraceError('INVALID_ARGUMENT', 'The LevelDB engine needs a directory to keep its files in', {
    at: { store },
    remedy: 'Use the memory engine, or a cluster that keeps data on disk.',
  })
}

async function openLevel(path: string, at: Place): Promise<Prepared> {
  const level: Level = new ClassicLevel<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  try {
    await level.open()
    const position = await level.get(positionKey)
    const first = await level.keys({ gte: rowMark, limit: 1 }).all()
    return { level, position: position?.readDoubleBE(0) ?? 0, isEmpty: first.length === 0 }
  } catch (cause) {
    const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
    throw new MillraceError('DIRECTORY_UNUSABLE', `The state directory cannot be opened: ${why}`, {
      at,
      remedy: 'Check its permissions and its disk. Where its files are damaged, delete it: the changelog restores it.',
      cause,
    })
  }
}

/** What is written, by key as text; undefined deletes. */
type Changes = Map<string, Buffer | undefined>

class LevelEngine implements StoreEngine {
  readonly #level: Level
  readonly #place: Place
  readonly #onClose: (closed: Promise<void>) => void
  #position: number
  #isEmpty: boolean
  /** What LevelDB has not been given yet, and what it is writing. */
  #waiting: Changes = new Map()
  #writing: Changes = new Map()
  /** Whether what LevelDB has is to be forgotten, before anything that waits. */
  #isCleared = false
  #hasNewPosition = false
  #running: Promise<void> | undefined = undefined
  #failure: MillraceError | undefined = undefined
  #isClosed = false

  constructor({ level, position, isEmpty }: Prepared, place: Place, onClose: (closed: Promise<void>) => void) {
    this.#level = level
    this.#position = position
    this.#isEmpty = isEmpty
    this.#place = place
    this.#onClose = onClose
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#requireUsable()
    if (this.#waiting.size > 0 || this.#writing.size > 0) {
      const text = textOf(key)
      if (this.#waiting.has(text)) return this.#waiting.get(text)
      if (this.#writing.has(text)) return this.#writing.get(text)
    }
    return this.#isCleared ? undefined : this.#level.getSync(rowKeyOf(key))
  }

  range(): Iterable<EngineEntry> {
    throw this.#hasPointReadsOnly()
  }

  size(): number {
    throw this.#hasPointReadsOnly()
  }

  isEmpty(): boolean {
    return this.#isEmpty
  }

  write(batch: EngineBatch): void {
    this.#requireUsable()
    for (const operation of batch.operations) {
      if (operation.kind === 'delete-range') throw this.#hasPointReadsOnly()
    }
    for (const operation of batch.operations) {
      if (operation.kind === 'delete') this.#waiting.set(textOf(operation.key), undefined)
      else if (operation.kind === 'put') {
        this.#waiting.set(textOf(operation.key), Buffer.from(operation.value))
        this.#isEmpty = false
      }
    }
    this.#position = batch.position
    this.#hasNewPosition = true
    this.#running ??= this.#writeWaiting()
  }

  position(): number {
    return this.#position
  }

  clear(): void {
    this.#requireUsable()
    this.#waiting.clear()
    this.#writing = new Map()
    this.#isCleared = true
    this.#isEmpty = true
    this.#position = 0
    this.#running ??= this.#writeWaiting()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose(Promise.resolve(this.#running).then(() => this.#level.close()))
  }

  /** Hands everything that waits to LevelDB, until nothing does. A failure is shown to the next call. */
  async #writeWaiting(): Promise<void> {
    try {
      while (this.#isCleared || this.#hasNewPosition) {
        if (this.#isCleared) {
          await this.#level.clear()
          this.#isCleared = false
        } else await this.#writeBatch()
      }
    } catch (cause) {
      this.#failure = new MillraceError('STORAGE_FAILED', `The state store cannot be written: ${messageOf(cause)}`, {
        at: this.#place,
        cause,
      })
    } finally {
      this.#running = undefined
    }
  }

  async #writeBatch(): Promise<void> {
    const changes = this.#waiting
    this.#writing = changes
    this.#waiting = new Map()
    this.#hasNewPosition = false
    const position = Buffer.alloc(8)
    position.writeDoubleBE(this.#position)
    const operations = [...changes].map(([text, value]) => {
      const key = rowKeyOf(bytesOf(text))
      return value === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
    })
    await this.#level.batch([...operations, { type: 'put', key: positionKey, value: position }])
    this.#writing = new Map()
  }

  #requireUsable(): void {
    if (this.#isClosed) throw new MillraceError('CLOSED', 'The state store was closed', { at: this.#place })
    if (this.#failure !== undefined) throw this.#failure
  }

  #hasPointReadsOnly(): MillraceError {
    return new MillraceError('INVALID_ARGUMENT', 'LevelDB can only look keys up one by one here', {
      at: this.#place,
      remedy: 'Keep stores of windows and sessions, and those that are iterated, in LMDB or in memory.',
    })
  }
}

function rowKeyOf(key: Uint8Array): Buffer {
  return Buffer.concat([rowMark, key])
}
