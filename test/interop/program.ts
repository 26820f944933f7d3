import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'

export interface ProgramOptions {
  /** What it reads on standard input; by default nothing. */
  readonly input?: string | Buffer
  readonly directory?: string
  /** Over the variables of this process. */
  readonly variables?: Readonly<Record<string, string>>
  /** Default: two minutes. Then it is killed, and the run has failed. */
  readonly timeoutMs?: number
  /** The exit code that is right; `any` where the words of the program say it better. Default: 0. */
  readonly status?: number | 'any'
}

export interface ProgramResult {
  readonly status: number | null
  readonly out: string
  readonly error: string
}

const defaultTimeoutMs = 120_000
const mostOutputBytes = 256 * 1024 * 1024
/** Some say what is wrong first, before a page of help; others last. */
const firstLines = 4
const lastLines = 20

/** Runs a program to its end. Rejects, with what it last said, where it ends otherwise than it should. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { input = '', directory, variables, timeoutMs = defaultTimeoutMs, status: expected = 0 } = options
  const spawning: SpawnOptions = {
    env: { ...process.env, ...variables },
    ...(directory !== undefined && { cwd: directory }),
  }
  const child = spawn(command, args, spawning)
  const out = collect(child.stdout)
  const error = collect(child.stderr)
  // A program may end before it has read everything.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => clearTimeout(late))
  const result = { status, out: out.text(), error: error.text() }
  if (isLate) throw new Error(`${call(command, args)} was not over after ${timeoutMs / 1_000} s\n${whatItSaid(result)}`)
  if (expected !== 'any' && status !== expected) {
    throw new Error(`${call(command, args)} ended with ${status}\n${whatItSaid(result)}`)
  }
  return result
}

/** Whether the program is on this machine and answers these words with 0. */
export function answers(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function collect(stream: NodeJS.ReadableStream | null): { text(): string } {
  const chunks: Buffer[] = []
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= mostOutputBytes) chunks.push(chunk)
  })
  return { text: () => Buffer.concat(chunks).toString() }
}

function call(command: string, args: readonly string[]): string {
  return [command, ...args].join(' ').slice(0, 300)
}

function whatItSaid({ out, error }: ProgramResult): string {
  const lines = `${out}\n${error}`.trim().split('\n')
  if (lines.length <= firstLines + lastLines) return lines.join('\n')
  return [...lines.slice(0, firstLines), '...', ...lines.slice(-lastLines)].join('\n')
}
