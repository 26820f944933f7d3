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
  /** More words of `millrace broker start`, as listeners beside the one in clear text. */
  readonly words?: readonly string[]
  /** Where its data are, and stay. Default: a directory of its own, which goes when it stops. */
  readonly directory?: string
}

/** Our broker as a process of its own, as `millrace broker start` makes it. */
export interface OwnBroker {
  /** `127.0.0.1:PORT` */
  readonly bootstrapServers: string
  /** Where another listener listens, by its name: `127.0.0.1:PORT`. */
  addressOf(listener: string): string
  /** The log directory, with a directory `<topic>-<partition>` for each log. */
  readonly directory: string
  /** Of the process that runs now. */
  readonly processId: number
  /** Everything that it has written to standard error: what connections were ended for. */
  complaints(): string
  /** Kills it as `kill -9` does and starts it again, at the same address, with what it left. */
  crash(): Promise<void>
  /** Ends it in order and removes its data; rejects where it ends otherwise, or has ended before. */
  stop(): Promise<void>
}

export async function startOwnBroker({
  flush = 'fsync',
  settings = {},
  words: more = [],
  directory: given,
}: OwnBrokerOptions = {}): Promise<OwnBroker> {
  mkdirSync(interopDirectory, { recursive: true })
  const directory = given ?? mkdtempSync(join(interopDirectory, 'millrace-'))
  const config = Object.entries(settings).flatMap(([name, value]) => ['--config', `${name}=${value}`])
  const words = ['--data', directory, '--flush', flush, ...config]
  const remove = () => {
    if (given === undefined) rmSync(directory, { recursive: true, force: true })
  }
  let complaints = ''
  const start = (port: string) =>
    startProcess([...words, '--listen', `127.0.0.1:${port}`, ...more], (text) => (complaints += text))
  let running = await start('0').catch((error) => {
    remove()
    throw error
  })
  return {
    bootstrapServers: `127.0.0.1:${running.port}`,
    addressOf: (listener) => running.addresses.get(listener) ?? `no listener ${listener}`,
    directory,
    get processId() {
      return running.processId
    },
    complaints: () => complaints,
    crash: async () => {
      await running.end('SIGKILL')
      running = await start(running.port)
    },
    stop: async () => {
      const code = await running.end('SIGTERM')
      remove()
      if (code !== 0) throw new Error(`our broker ended with ${code}: ${complaints}`)
    },
  }
}

interface BrokerProcess {
  readonly port: string
  /** Of listeners that have names, by these. */
  readonly addresses: ReadonlyMap<string, string>
  readonly processId: number
  /** Resolves with the exit code. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

async function startProcess(words: readonly string[], complain: (text: string) => void): Promise<BrokerProcess> {
  const main = join(root, 'src/cli/main.ts')
  const child = spawn(process.execPath, ['--conditions=@millrace/source', main, 'broker', 'start', ...words])
  let last = ''
  child.stderr.on('data', (bytes) => {
    last = String(bytes)
    complain(last)
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (bytes) => {
      out += bytes
      const line = /^ready: 127\.0\.0\.1:(\d+),.*$/m.exec(out)
      if (line !== null) resolve(line)
    })
    void ended.then((code) => reject(new Error(`our broker ended with ${code} before it was ready: ${last}`)))
  })
  const others = [...ready[0].matchAll(/([A-Z_]+):\/\/(127\.0\.0\.1:\d+)/g)]
  return {
    port: ready[1] as string,
    addresses: new Map(others.map(([, name, address]) => [name as string, address as string])),
    processId: child.pid as number,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}
