import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Whether `script` of util-linux is there, which gives a program a terminal of its own. */
export const hasTerminals = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** The example as its users run it: a process of its own, without a terminal unless one is asked for. It does not outlive the test. */
export class Program {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #isOver = false
  #watchers: (() => void)[] = []

  constructor(args: readonly string[], options: { onTerminal?: boolean } = {}) {
    const command = [process.execPath, '--conditions=@millrace/source', main, ...args]
    const [file, ...rest] = options.onTerminal
      ? // `exec`, because a shell that stays between would report the Ctrl-C that it saw itself.
        ['script', '-qec', `exec ${command.map(shellWord).join(' ')}`, '/dev/null']
      : command
    this.child = spawn(file as string, rest, { stdio: [options.onTerminal ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', (text) => this.#take(() => (this.stdout += text)))
    this.child.stderr?.setEncoding('utf8').on('data', (text) => this.#take(() => (this.stderr += text)))
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        this.#take(() => (this.#isOver = true))
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }

  /** Types into the program's terminal. */
  type(keys: string): void {
    this.child.stdin?.write(keys)
  }

  /** Resolves as soon as `isTrue`, which is asked again whenever the program writes something. */
  async until(isTrue: (program: Program) => boolean): Promise<void> {
    while (!isTrue(this)) {
      if (this.#isOver) throw new Error(`The program ended before: ${this.stdout}\n${this.stderr}`)
      await new Promise<void>((resolve) => this.#watchers.push(resolve))
    }
  }

  #take(change: () => void): void {
    change()
    const watchers = this.#watchers
    this.#watchers = []
    for (const watcher of watchers) watcher()
  }
}

/** Runs the example to its end. */
export function runProgram(...args: string[]): Promise<Ended> {
  return new Program(args).ended
}
