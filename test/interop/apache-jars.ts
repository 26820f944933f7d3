import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../source-files.ts'

/** Where everything that the interop runs fetch or make is kept; ignored by git. */
export const interopDirectory: string = join(root, '.interop')

/** The first Java that Apache Kafka 4 runs on. */
const leastJava = 17

/** The poms there are, by Apache Kafka's version: a new one, whose broker is run too, and the old one that clients are still of. */
export type ApacheVersion = '4.1.1' | '3.0.0'
/** What is fetched together: a version, or Kafka Streams with its own tests. */
export type ApacheJars = ApacheVersion | 'streams-tests'
const poms: Readonly<Record<ApacheJars, string>> = {
  '4.1.1': join(root, 'test/interop/pom.xml'),
  '3.0.0': join(root, 'test/interop/old/pom.xml'),
  'streams-tests': join(root, 'test/interop/streams/pom.xml'),
}

/** Why nothing of Apache Kafka can be run here; undefined where it can. */
export function apacheKafkaProblem(apache: ApacheJars = '4.1.1'): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (java.error !== undefined) return `there is no Java (${leastJava} or newer) on the path`
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0)
  if (version < leastJava) return `Java ${version} is older than ${leastJava}`
  if (existsSync(jarDirectory(apache))) return undefined
  const maven = spawnSync('mvn', ['-v'], { encoding: 'utf8', shell: process.platform === 'win32' })
  return maven.error !== undefined || maven.status !== 0 ? "there is no Maven to fetch Apache Kafka's jars" : undefined
}

/** The class path with Apache Kafka's jars, which Maven fetches the first time. */
export function apacheClassPath(apache: ApacheJars = '4.1.1'): string {
  const directory = jarDirectory(apache)
  if (!existsSync(directory)) fetchInto(directory, poms[apache])
  return join(directory, '*')
}

/** The jars of this pom: another pom has a directory of its own. */
function jarDirectory(apache: ApacheJars): string {
  const hash = createHash('sha256').update(readFileSync(poms[apache])).digest('hex').slice(0, 12)
  return join(interopDirectory, `jars-${hash}`)
}

function fetchInto(directory: string, pom: string): void {
  process.stderr.write(`fetching Apache Kafka's jars into ${directory}\n`)
  mkdirSync(interopDirectory, { recursive: true })
  // Beside it first, so that a fetch that is interrupted, or goes on twice at a time, leaves no half of it.
  const partial = `${directory}.${process.pid}`
  const goals = [
    '-q',
    '-B',
    '-Dstyle.color=never',
    '-f',
    pom,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${partial}`,
  ]
  const maven = spawnSync('mvn', goals, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (maven.status !== 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new Error(`mvn ${goals.join(' ')} failed`)
  }
  if (existsSync(directory)) rmSync(partial, { recursive: true })
  else renameSync(partial, directory)
}
