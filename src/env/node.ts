/**
 * The real world. No other file of the sources, but for the one with the sockets, may touch the system's clock, timers,
 * randomness, files, sockets or process; a test holds them to it.
 */
import { randomFillSync, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { assert } from '../errors.ts'
import type {
  Cancel,
  Clock,
  Disk,
  DiskFile,
  DiskLock,
  Environment,
  Host,
  Random,
  Signal,
  TimerOptions,
  Timers,
} from './environment.ts'
import { nodeNetwork } from './node-network.ts'
import { SystemError } from './system-error.ts'

/** The environment of a Node process. */
export function nodeEnvironment(): Environment {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    random: new NodeRandom(),
    disk: new NodeDisk(),
    network: nodeNetwork,
    host: nodeHost,
  }
}

const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

/** `setTimeout` takes longer delays for 1 ms. */
const longestTimeoutMs = 2 ** 31 - 1

const nodeTimers: Timers = {
  after(delayMs: number, run: () => void, { isBackground = false }: TimerOptions = {}): Cancel {
    assert(!Number.isNaN(delayMs), 'a delay is a number')
    const dueMs = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const wait = (leftMs: number) => {
      timer = setTimeout(check, Math.min(leftMs, longestTimeoutMs))
      if (isBackground) timer.unref()
    }
    // Besides those that are too long, timeouts fire up to 1 ms early: whoever compares with the clock would do nothing then.
    const check = () => {
      const leftMs = dueMs - performance.now()
      if (leftMs > 0) wait(leftMs)
      else run()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
}

class NodeRandom implements Random {
  /** Asking the system for many numbers at a time costs little more than asking for one. */
  readonly #words = new Uint32Array(256)
  #used = 256

  uint32(): number {
    if (this.#used === this.#words.length) {
      randomFillSync(this.#words)
      this.#used = 0
    }
    return this.#words[this.#used++]!
  }

  uuid(): string {
    return randomUUID()
  }
}

class NodeDisk implements Disk {
  open(path: string, options: { create?: boolean; isReadOnly?: boolean } = {}): DiskFile {
    if (options.isReadOnly === true) return new NodeFile(fs.openSync(path, fs.constants.O_RDONLY), path)
    return new NodeFile(openForWriting(path, options.create === true), path)
  }

  exists(path: string): boolean {
    return fs.existsSync(path)
  }

  list(path: string): string[] {
    return fs.readdirSync(path).sort()
  }

  makeDirectory(path: string): void {
    // Not `recursive`: Node then tries for ever where the parent is one that no directory can be made in, as /proc.
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    const parent = dirname(path)
    if (!fs.existsSync(parent)) this.makeDirectory(parent)
    fs.mkdirSync(path)
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to)
  }

  remove(path: string): void {
    fs.rmSync(path, { recursive: true, force: true })
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows does not open directories; NTFS journals their changes by itself.
    if (process.platform === 'win32') return
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
    try {
      await new Promise<void>((resolve, reject) => fs.fsync(fd, (error) => (error ? reject(error) : resolve())))
    } finally {
      fs.closeSync(fd)
    }
  }

  lock(path: string): DiskLock | undefined {
    const fd = openForWriting(path, true)
    try {
      if (!tryLock(fd)) {
        fs.closeSync(fd)
        return undefined
      }
      fs.ftruncateSync(fd, 0)
      fs.writeSync(fd, String(process.pid), 0)
    } catch (error) {
      fs.closeSync(fd)
      throw error
    }
    let isHeld = true
    return {
      // The file stays: removing it would let a third process lock a new one while a second waits for the old one.
      release: () => {
        if (isHeld) fs.closeSync(fd)
        isHeld = false
      },
    }
  }
}

function openForWriting(path: string, create: boolean): number {
  return fs.openSync(path, fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0), 0o666)
}

interface FileLocks {
  tryLock(fd: number, offset?: number, length?: number): boolean
}

let fileLocks: FileLocks | undefined

/**
 * Locks the open file: `fcntl` with open file descriptions on Linux, `flock` on macOS and BSD, `LockFileEx` on Windows. All of
 * them exclude other openings in this process too.
 */
function tryLock(fd: number): boolean {
  // Native code is loaded when it is first needed: who works in memory does so where it cannot be loaded.
  fileLocks ??= createRequire(import.meta.url)('fs-native-extensions') as FileLocks
  // Windows also keeps others from reading what is locked, so the lock is on a byte beyond the process id.
  return process.platform === 'win32' ? fileLocks.tryLock(fd, 2 ** 30, 1) : fileLocks.tryLock(fd)
}

/** The system takes no more at a time than 2 GiB less a page. */
const largestTransferBytes = 2 ** 30

class NodeFile implements DiskFile {
  readonly #fd: number
  readonly #path: string
  #syncsUnderWay = 0
  #isClosed = false

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  size(): number {
    return fs.fstatSync(this.#openFd('size')).size
  }

  read(into: Uint8Array, position: number): number {
    assert(position >= 0, 'a position in a file is not negative')
    const fd = this.#openFd('read')
    let done = 0
    while (done < into.length) {
      const count = fs.readSync(fd, into, done, Math.min(into.length - done, largestTransferBytes), position + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  write(bytes: Uint8Array, position: number): void {
    assert(position >= 0, 'a position in a file is not negative')
    const fd = this.#openFd('write')
    let done = 0
    while (done < bytes.length) {
      const count = fs.writeSync(fd, bytes, done, Math.min(bytes.length - done, largestTransferBytes), position + done)
      if (count === 0) throw new SystemError('EIO', 'write', this.#path)
      done += count
    }
  }

  truncate(size: number): void {
    assert(size >= 0, 'the size of a file is not negative')
    fs.ftruncateSync(this.#openFd('truncate'), size)
  }

  async sync(): Promise<void> {
    const fd = this.#openFd('sync')
    this.#syncsUnderWay += 1
    try {
      await new Promise<void>((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())))
    } finally {
      this.#syncsUnderWay -= 1
      this.#closeIfUnused()
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeIfUnused()
  }

  /** A descriptor closed during a sync can be another file's by the time that the sync gets to it. */
  #closeIfUnused(): void {
    if (this.#isClosed && this.#syncsUnderWay === 0) fs.closeSync(this.#fd)
  }

  #openFd(operation: string): number {
    if (this.#isClosed) throw new SystemError('EBADF', operation, this.#path)
    return this.#fd
  }
}

/** Whether standard output has nobody left who reads it, as `| head` after its last line. */
let isOutputClosed = false

/** Without a listener a stream that nobody reads ends the process with a stack trace. */
const onceListening: () => void = once(() => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream === process.stdout) isOutputClosed = true
    })
  }
})

function once(run: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    run()
  }
}

const nodeHost: Host = {
  onSignal(signals: readonly Signal[], run: (signal: Signal) => void): Cancel {
    for (const signal of signals) process.on(signal, run)
    return () => {
      for (const signal of signals) process.off(signal, run)
    }
  },

  exit(code: number): void {
    process.exit(code)
  },

  write(stream: 'out' | 'error', text: string): void {
    onceListening()
    const target = stream === 'out' ? process.stdout : process.stderr
    target.write(text)
  },

  print(bytes: Uint8Array): Promise<boolean> {
    onceListening()
    if (isOutputClosed) return Promise.resolve(false)
    // The error itself, where there is one, is the listener's.
    return new Promise((resolve) => process.stdout.write(bytes, (error) => resolve(!error)))
  },

  input(): AsyncIterable<Uint8Array> {
    return process.stdin
  },

  warn(message: string): void {
    process.emitWarning(message, 'MillraceWarning')
  },

  ignoreWarnings(name: string): void {
    // Node's own listener prints every one: it is called for all others.
    const listeners = process.listeners('warning')
    process.removeAllListeners('warning')
    process.on('warning', (warning) => {
      if (warning.name !== name) for (const listener of listeners) listener(warning)
    })
  },
}
