import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../source-files.ts'
import { interopDirectory } from './apache-jars.ts'

export interface OwnBrokerOptions {
  /** Default: `fsync`. */
  readonly flush?: 'fsync' | 'page-cache'
  /** Broker settings by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Our broker as a process of its own, as `millrace broker start` makes it. */
export interface OwnBroker {
  /** `127.0.0.1:PORT` */
  readonly bootstrapServers: string
  readonly processId: number
  /** The log directory, with a directory `<topic>-<partition>` for each log. */
  readonly directory: string
  /** Everything that it has written to standard error: what connections were ended for. */
  complaints(): string
  /** Ends it in order and removes its data; rejects where it ends otherwise, or has ended before. */
  stop(): Promise<void>
}

export async function startOwnBroker({ flush = 'fsync', settings = {} }: OwnBrokerOptions = {}): Promise<OwnBroker> {
  mkdirSync(interopDirectory, { recursive: true })
  const directory = mkdtempSync(join(interopDirectory, 'millrace-'))
  const config = Object.entries(settings).flatMap(([name, value]) => ['--config', `${name}=${value}`])
  const words = ['broker', 'start', '--data', directory, '--listen', '127.0.0.1:0', '--flush', flush, ...config]
  const child = spawn(process.execPath, ['--conditions=@millrace/source', join(root, 'src/cli/main.ts'), ...words])
  let complaints = ''
  child.stderr.on('data', (bytes) => {
    complaints += bytes
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  const port = await new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (bytes) => {
      out += bytes
      const ready = /^ready: 127\.0\.0\.1:(\d+),/m.exec(out)
      if (ready !== null) resolve(ready[1] as string)
    })
    void ended.then((code) => reject(new Error(`our broker ended with ${code}: ${complaints}`)))
  }).catch((error) => {
    remove()
    throw error
  })
  return {
    bootstrapServers: `127.0.0.1:${port}`,
    processId: child.pid as number,
    directory,
    complaints: () => complaints,
    stop: async () => {
      child.kill('SIGTERM')
      const code = await ended
      remove()
      if (code !== 0) throw new Error(`our broker ended with ${code}: ${complaints}`)
    },
  }
}
