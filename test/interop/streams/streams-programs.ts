import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { root } from '../../source-files.ts'
import { apacheClassPath, interopDirectory } from '../apache-jars.ts'
import { WatchedProgram } from '../watched-program.ts'

export type Guarantee = 'at-least-once' | 'exactly-once'

const startMs = 60_000
const kafkasWords: Readonly<Record<Guarantee, string>> = {
  'at-least-once': 'at_least_once',
  'exactly-once': 'exactly_once_v2',
}

/** A directory for the files of one test; removed afterwards. */
export async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(interopDirectory, 'streams-'))
  try {
    return await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Runs a command of one of Kafka Streams' tests (`org.apache.kafka.streams.tests`). */
export function startStreams(
  test: 'StreamsSmokeTest' | 'StreamsEosTest',
  command: string,
  directory: string,
  settings: Readonly<Record<string, string>> & { readonly guarantee: Guarantee },
): WatchedProgram {
  const { guarantee, ...others } = settings
  const path = join(directory, `${command}.properties`)
  const all = { 'processing.guarantee': kafkasWords[guarantee], ...others }
  writeFileSync(
    path,
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const main = `org.apache.kafka.streams.tests.${test}`
  return new WatchedProgram('java', ['-Xmx512m', '-cp', apacheClassPath('streams-tests'), main, path, command])
}

/** Starts our application of one of the tests, with its broker within it; resolves when it is ready. */
export async function startApplication(
  test: 'SmokeTest' | 'EosTest',
  logDirectory: string,
  port: number,
  guarantee: Guarantee,
): Promise<WatchedProgram> {
  const main = join(root, 'test/interop/streams/application.ts')
  const words = [main, test, logDirectory, String(port), guarantee]
  const program = new WatchedProgram(process.execPath, ['--conditions=@millrace/source', ...words])
  await program.until(/^ready$/m, startMs)
  return program
}

/** A port that nobody listens on now, so that clients find an application there again after each kill. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
