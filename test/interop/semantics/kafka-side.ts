import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { apacheClassPath, apacheKafkaProblem, interopDirectory } from '../apache-jars.ts'
import type { Answer, Case } from './case.ts'

const sourceDirectory = join(import.meta.dirname, 'java/millrace/semantics')

/** Metrics and clients of closed drivers stay behind in the process, so it is made anew after so many cases. */
const casesPerProcess = 1_500

/** Why Kafka Streams cannot be asked here; undefined where it can. */
export function kafkaStreamsProblem(): string | undefined {
  const problem = apacheKafkaProblem()
  if (problem !== undefined) return problem
  const compiler = spawnSync('javac', ['-version'])
  return compiler.error === undefined ? undefined : 'there is no Java compiler (javac) on the path'
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** Kafka Streams' TopologyTestDriver in a process of its own: it is given cases and answers in their order. */
export class KafkaSide implements Disposable {
  readonly #classPath: string
  #process: ChildProcessByStdio<Writable, Readable, null> | undefined
  /** Who waits for the process's answers, in the order of their cases. */
  #waiting: Waiting[] = []
  #casesLeft = 0

  constructor() {
    this.#classPath = [compiledClasses(), apacheClassPath()].join(delimiter)
  }

  run(given: Case): Promise<Answer> {
    if (this.#casesLeft === 0) this.#restart()
    this.#casesLeft--
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#process?.stdin.write(`${JSON.stringify(given)}\n`)
    })
  }

  [Symbol.dispose](): void {
    this.#process?.stdin.end()
    this.#process = undefined
  }

  /** A new process takes the cases from here on; the one before it answers those that it has, and ends. */
  #restart(): void {
    this.#process?.stdin.end()
    const waiting: Waiting[] = []
    const flags = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=OFF', ...inMemory()]
    const command = ['java', ...flags, '-cp', this.#classPath, 'millrace.semantics.Runner']
    const [program, ...rest] = process.platform === 'win32' ? command : ['nice', '-n', '10', ...command]
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
    // Where it has ended, whoever waits is told so by its end.
    child.stdin.on('error', () => {})
    child.on('exit', (code) => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`the Java process ended with ${code}`))
      if (this.#process === child) this.#casesLeft = 0
    })
    this.#process = child
    this.#waiting = waiting
    this.#casesLeft = casesPerProcess
  }
}

/** The runner's classes, compiled when its sources have changed. */
function compiledClasses(): string {
  const names = readdirSync(sourceDirectory).sort()
  const hash = createHash('sha256')
  for (const name of names) hash.update(name).update(readFileSync(join(sourceDirectory, name)))
  const directory = join(interopDirectory, `semantics-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(directory)) return directory
  const partial = `${directory}.${process.pid}`
  mkdirSync(partial, { recursive: true })
  const sources = names.map((name) => join(sourceDirectory, name))
  const flags = ['-Xlint:none', '-nowarn', '-d', partial, '-cp', apacheClassPath()]
  const compiler = spawnSync('javac', [...flags, ...sources], { encoding: 'utf8' })
  if (compiler.status !== 0) throw new Error(`javac failed:\n${compiler.stderr}`)
  // Another run may have been first: then it has made the same.
  if (existsSync(directory)) rmSync(partial, { recursive: true })
  else renameSync(partial, directory)
  return directory
}

/** Kafka Streams syncs several files a case, and waits for the disk most of the time: its directory is one in memory where there is such. */
function inMemory(): string[] {
  return existsSync('/dev/shm') ? ['-Djava.io.tmpdir=/dev/shm'] : []
}
