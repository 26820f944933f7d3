import { type ChildProcess, spawn } from 'node:child_process'

const endMs = 30_000

/** A program that goes on beside the test, which waits for what it prints and may kill it. */
export class WatchedProgram {
  /** Resolves with the exit code, or undefined where it was killed. */
  readonly ended: Promise<number | undefined>
  readonly #child: ChildProcess
  readonly #name: string
  #out = ''
  #look: () => void = () => {}

  constructor(command: string, args: readonly string[]) {
    this.#name = `${command} ${args.slice(-3).join(' ')}`
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes) => {
        this.#out += bytes
        this.#look()
      })
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code) => resolve(code ?? undefined))
    })
  }

  /** Everything that it has printed. */
  get out(): string {
    return this.#out
  }

  /** Resolves when it has printed what matches; rejects where it ends before, or after a time. One wait at a time. */
  async until(pattern: RegExp, timeoutMs: number): Promise<void> {
    if (pattern.test(this.#out)) return
    let late: NodeJS.Timeout | undefined
    const seen = new Promise<'seen' | 'late'>((resolve) => {
      this.#look = () => {
        if (pattern.test(this.#out)) resolve('seen')
      }
      late = setTimeout(() => resolve('late'), timeoutMs)
    })
    const how = await Promise.race([seen, this.ended.then(() => 'ended' as const)])
    clearTimeout(late)
    this.#look = () => {}
    if (how === 'seen') return
    const what = how === 'late' ? `said no ${pattern} for ${timeoutMs / 1_000} s` : `ended without a ${pattern}`
    throw new Error(`${this.#name} ${what}:\n${this.#out.slice(-2_000)}`)
  }

  /** Resolves when it has ended of the signal; one that does not within half a minute is killed, and that is a failure. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      this.#child.kill('SIGKILL')
    }, endMs)
    this.#child.kill(signal)
    await this.ended
    clearTimeout(late)
    if (isLate) throw new Error(`${this.#name} did not end of ${signal}`)
  }
}
