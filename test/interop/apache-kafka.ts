import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { apacheClassPath, interopDirectory } from './apache-jars.ts'

export interface ApacheKafkaOptions {
  /** Default: 1. The first one is broker and controller, the others are brokers. */
  readonly nodes?: number
  /** The first node's port on the loopback interface, the others have the next ones; 0 (the default) takes free ones. */
  readonly port?: number
  /** Where the nodes' data are kept; by default in a directory that goes when it stops. */
  readonly directory?: string
  /** Broker settings by Kafka's names, over those that a small cluster needs. */
  readonly settings?: Readonly<Record<string, string>>
  /** Java's words for the most memory of a node. Default: 512m. */
  readonly heap?: string
}

export interface ApacheKafka {
  /** All brokers: `127.0.0.1:9092,127.0.0.1:9093`. */
  readonly bootstrapServers: string
  /** The log directory of each node, with a directory `<topic>-<partition>` for each log. */
  readonly logDirectories: readonly string[]
  readonly processIds: readonly number[]
  /** Resolves, with what the node last said, when one ends that was not stopped. */
  readonly failed: Promise<string>
  /** Stops all nodes in order; the data of a temporary directory are removed unless they are asked for. */
  stop(options?: { keepsData?: boolean }): Promise<void>
  /** Kills all nodes at once. */
  kill(): Promise<void>
}

const startTimeoutMs = 120_000
const stopTimeoutMs = 30_000
const shownLines = 15

/** Starts Apache Kafka (KRaft) on this machine and waits until every broker answers. */
export async function startApacheKafka(options: ApacheKafkaOptions = {}): Promise<ApacheKafka> {
  const classPath = apacheClassPath()
  mkdirSync(interopDirectory, { recursive: true })
  const isTemporary = options.directory === undefined
  const directory = options.directory ?? mkdtempSync(join(interopDirectory, 'kafka-'))
  const nodes = await planNodes(options, directory)
  const clusterId = format(classPath, nodes)
  const running = nodes.map((node) => new NodeProcess(classPath, node, options.heap ?? '512m'))
  const stop = async (signal: 'SIGTERM' | 'SIGKILL', keepsData: boolean) => {
    // Brokers before the controller, or they wait for it in vain.
    for (const process of [...running].reverse()) await process.stop(signal)
    if (isTemporary && !keepsData) rmSync(directory, { recursive: true, force: true })
  }
  const bootstrapServers = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const failed = Promise.race(running.map((process) => process.failed))
  try {
    await Promise.race([untilReady(bootstrapServers, nodes.length, clusterId), failed.then(fail)])
  } catch (error) {
    await stop('SIGKILL', false)
    throw error
  }
  return {
    bootstrapServers,
    logDirectories: nodes.map((node) => node.logDirectory),
    processIds: running.map(({ processId }) => processId),
    failed,
    stop: ({ keepsData = false } = {}) => stop('SIGTERM', keepsData),
    kill: () => stop('SIGKILL', true),
  }
}

interface NodePlan {
  readonly id: number
  readonly port: number
  readonly logDirectory: string
  readonly propertiesPath: string
  readonly outputPath: string
}

async function planNodes(options: ApacheKafkaOptions, directory: string): Promise<NodePlan[]> {
  const count = options.nodes ?? 1
  const first = options.port ?? 0
  const [controllerPort, ...free] = await freePorts(count + 1)
  const nodes: NodePlan[] = []
  for (let i = 0; i < count; i++) {
    const home = join(directory, `node-${i + 1}`)
    mkdirSync(home, { recursive: true })
    const node = {
      id: i + 1,
      port: first === 0 ? (free[i] as number) : first + i,
      logDirectory: join(home, 'data'),
      propertiesPath: join(home, 'server.properties'),
      outputPath: join(home, 'output.log'),
    }
    writeFileSync(node.propertiesPath, properties(node, count, controllerPort as number, options.settings ?? {}))
    nodes.push(node)
  }
  return nodes
}

function properties(
  { id, port, logDirectory }: NodePlan,
  nodes: number,
  controllerPort: number,
  settings: Readonly<Record<string, string>>,
): string {
  const isController = id === 1
  const listener = `PLAINTEXT://127.0.0.1:${port}`
  const replicas = String(Math.min(nodes, 3))
  const all: Record<string, string> = {
    'process.roles': isController ? 'broker,controller' : 'broker',
    'node.id': String(id),
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: isController ? `${listener},CONTROLLER://127.0.0.1:${controllerPort}` : listener,
    'advertised.listeners': listener,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logDirectory,
    'offsets.topic.num.partitions': '5',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...settings,
  }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}

/** Prepares the data directories that are new; returns the id of the cluster that they belong to. */
function format(classPath: string, nodes: readonly NodePlan[]): string {
  const known = nodes.map(({ logDirectory }) => join(logDirectory, 'meta.properties')).find(existsSync)
  const clusterId =
    known === undefined
      ? runJava(classPath, 'kafka.tools.StorageTool', ['random-uuid']).trim()
      : (/^cluster\.id=(.*)$/m.exec(readFileSync(known, 'utf8'))?.[1] ?? '')
  for (const { propertiesPath } of nodes) {
    const args = ['format', '--ignore-formatted', '-t', clusterId, '-c', propertiesPath]
    runJava(classPath, 'kafka.tools.StorageTool', args)
  }
  return clusterId
}

/** Runs a program of Apache Kafka's, or a Java file, to its end and returns what it printed. */
export function runJava(
  classPath: string,
  main: string,
  args: readonly string[],
  options: { readonly withErrors?: boolean } = {},
): string {
  const all = ['-Dlog4j2.level=ERROR', '-cp', classPath, main, ...args]
  const result = spawnSync('java', all, { encoding: 'utf8', maxBuffer: 1_073_741_824 })
  if (result.status === 0) return options.withErrors === true ? `${result.stdout}\n${result.stderr}` : result.stdout
  throw new Error(`${main} ${args.join(' ')} failed:\n${lastLines(result.stdout + result.stderr)}`)
}

class NodeProcess {
  /** Resolves when it ends without having been stopped. */
  readonly failed: Promise<string>
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #isStopping = false

  constructor(classPath: string, node: NodePlan, heap: string) {
    const output = openSync(node.outputPath, 'a')
    const args = [`-Xmx${heap}`, '-Dlog4j2.level=WARN', '-cp', classPath, 'kafka.Kafka', node.propertiesPath]
    // In a group of its own: the terminal's Ctrl-C is for whoever started it, who then stops the nodes in order.
    this.#child = spawn('java', args, { stdio: ['ignore', output, output], detached: process.platform !== 'win32' })
    closeSync(output)
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    this.failed = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        if (this.#isStopping) return
        const last = lastLines(readFileSync(node.outputPath, 'utf8'))
        resolve(`node ${node.id} of Apache Kafka ended (${signal ?? code}):\n${last}`)
      })
    })
  }

  get processId(): number {
    return this.#child.pid as number
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isStopping = true
    this.#child.kill(signal)
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs)
    await this.#exited
    clearTimeout(late)
  }
}

async function untilReady(bootstrapServers: string, nodes: number, clusterId: string): Promise<void> {
  const kafka = new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const admin = kafka.admin()
    try {
      await admin.connect()
      const cluster = await admin.describeCluster()
      if (cluster.brokers.length === nodes && cluster.clusterId === clusterId) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    } finally {
      await admin.disconnect().catch(() => {})
    }
    if (Date.now() > deadline) throw new Error(`Apache Kafka was not ready after ${startTimeoutMs / 1_000} s`)
    await pause(200)
  }
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-shownLines).join('\n')
}

function fail(what: string): never {
  throw new Error(what)
}
