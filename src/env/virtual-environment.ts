import type { Cancel, Environment, Host, Signal } from './environment.ts'
import { MemoryDisk } from './memory-disk.ts'
import { MemoryNetwork } from './memory-network.ts'
import { SeededRandom } from './seeded-random.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface VirtualEnvironmentOptions {
  /** The same seed gives the same run. */
  readonly seed: number
  /** The wall clock's first reading, in milliseconds since 1970; 2026-01-01T00:00:00Z where not given. */
  readonly startMs?: number
  /** The size of the disk; unlimited where not given. */
  readonly capacityBytes?: number
  /** A disk to go on with, as one that `crash` returned. */
  readonly disk?: MemoryDisk
}

export interface VirtualEnvironment extends Environment {
  readonly clock: VirtualClock
  readonly timers: VirtualClock
  readonly random: SeededRandom
  readonly disk: MemoryDisk
  readonly network: MemoryNetwork
  readonly host: VirtualHost
}

/** A world in which nothing happens by itself: its clock is moved, its disk broken and its signals raised by a test. */
export function virtualEnvironment(options: VirtualEnvironmentOptions): VirtualEnvironment {
  const clock = new VirtualClock(options.startMs ?? Date.UTC(2026, 0))
  // Each part has a source of its own, so that one call more in one of them does not change what the others do.
  const seeds = new SeededRandom(options.seed)
  const random = new SeededRandom(seeds.uint32())
  const diskRandom = new SeededRandom(seeds.uint32())
  const networkRandom = new SeededRandom(seeds.uint32())
  const { capacityBytes } = options
  return {
    clock,
    timers: clock,
    random,
    disk:
      options.disk ??
      new MemoryDisk({
        random: diskRandom,
        tracksCrashes: true,
        ...(capacityBytes === undefined ? {} : { capacityBytes }),
      }),
    network: new MemoryNetwork({ timers: clock, random: networkRandom }),
    host: new VirtualHost(),
  }
}

/** What a shell reports for a process that a signal has ended. */
const exitCodes: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** A process in name only: signals are raised by a test, and an exit is written down. */
export class VirtualHost implements Host {
  /** The code of the first exit; undefined while the process would be running. */
  exitCode: number | undefined
  /** What the process was warned of. */
  readonly warnings: string[] = []
  readonly #listeners = new Set<{ readonly signals: readonly Signal[]; readonly run: (signal: Signal) => void }>()

  onSignal(signals: readonly Signal[], run: (signal: Signal) => void): Cancel {
    const listener = { signals, run }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** What was written to each stream. */
  readonly written: Record<'out' | 'error', string> = { out: '', error: '' }

  write(stream: 'out' | 'error', text: string): void {
    this.written[stream] += text
  }

  /** What standard input will give, piece by piece. */
  readonly typed: (string | Uint8Array)[] = []
  /** After so many bytes nobody reads standard output any more. */
  readsUntil: number = Number.POSITIVE_INFINITY

  async print(bytes: Uint8Array): Promise<boolean> {
    if (this.written.out.length >= this.readsUntil) return false
    this.written.out += Buffer.from(bytes).toString()
    return true
  }

  async *input(): AsyncIterable<Uint8Array> {
    for (const piece of this.typed.splice(0)) yield Buffer.from(piece)
  }

  exit(code: number): void {
    this.exitCode ??= code
  }

  ignoreWarnings(): void {}

  warn(message: string): void {
    this.warnings.push(message)
  }

  /** Does what the signal would do: calls those who listen for it, or ends the process where nobody does. */
  raise(signal: Signal): void {
    const listeners = [...this.#listeners].filter((listener) => listener.signals.includes(signal))
    for (const listener of listeners) listener.run(signal)
    if (listeners.length === 0) this.exit(exitCodes[signal])
  }
}
