import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import type { ServerLimits } from '../../../src/broker/server/server-limits.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import { root } from '../../source-files.ts'
import { batchOf } from '../records.ts'
import { ProtocolClient } from '../server/protocol-client.ts'
import { type Attack, attacks } from './attacks.ts'
import type { BrokerReport } from './broker-report.ts'

export interface HostileOptions {
  /** Connections of hostile clients that are tried to be held at a time. */
  readonly clients: number
  /** Appends of the honest client, each followed by a fetch of what it wrote. */
  readonly appends: number
  readonly seed: number
  readonly limits: Partial<ServerLimits>
  readonly attacks?: readonly Attack[]
}

export interface HostileResult {
  /** Appends that were acknowledged, and found again. */
  readonly appended: number
  readonly largest: BrokerReport
  /** When all hostile clients were gone. */
  readonly last: BrokerReport
  readonly connectionsMade: number
}

/** How many connections are made at a time, so that the system's queue of them does not overflow. */
const connectsAtOnce = 200

/** A broker process under attack from many connections, and an honest client beside them that must not notice. */
export async function attack(options: HostileOptions): Promise<HostileResult> {
  const broker = await BrokerProcess.start(options.limits)
  const crowd = new Crowd(options, broker.ports)
  try {
    const honest = await ProtocolClient.connect(nodeEnvironment().network, {
      host: '127.0.0.1',
      port: broker.ports[0]!,
    })
    const reports: BrokerReport[] = [await broker.report()]
    await crowd.fill()
    let appended = 0
    for (let i = 0; i < options.appends; i++) {
      appended += await appendAndRead(honest, i)
      if (i % 10 === 0) {
        crowd.goOn()
        await crowd.fill()
        reports.push(await broker.report())
      }
    }
    crowd.leave()
    const last = await broker.reportWhen(({ connections }) => connections <= 1)
    honest.connection.destroy()
    return { appended, largest: largestOf(reports), last, connectionsMade: crowd.made }
  } finally {
    crowd.leave()
    broker.stop()
  }
}

async function appendAndRead(honest: ProtocolClient, offset: number): Promise<number> {
  const topicData = [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(`honest ${offset}`) }] }]
  const { responses } = await honest.request(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 9_000,
    topicData,
  })
  const written = responses[0]?.partitionResponses[0]
  if (written?.errorCode !== 0 || written.baseOffset !== offset)
    throw new Error(`append ${offset}: ${JSON.stringify(written)}`)
  const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 10_000 }]
  const found = await honest.request(fetch, 11, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 'orders', partitions }],
  })
  return found.responses[0]?.partitions[0]?.records?.includes(`honest ${offset}`) === true ? 1 : 0
}

function largestOf(reports: readonly BrokerReport[]): BrokerReport {
  const most = (field: keyof BrokerReport): number => Math.max(...reports.map((report) => report[field]))
  return {
    ...{ rss: most('rss'), memory: most('memory'), heldBytes: most('heldBytes') },
    ...{ connections: most('connections'), bugs: most('bugs') },
  }
}

/** The hostile clients: who is dropped comes back. */
class Crowd {
  made = 0
  readonly #options: HostileOptions
  readonly #ports: readonly number[]
  readonly #random: SeededRandom
  readonly #attacks: readonly Attack[]
  readonly #sockets = new Map<Socket, Attack>()
  #isOver = false

  constructor(options: HostileOptions, ports: readonly number[]) {
    this.#options = options
    this.#ports = ports
    this.#random = new SeededRandom(options.seed)
    this.#attacks = options.attacks ?? attacks
  }

  async fill(): Promise<void> {
    while (this.#sockets.size < this.#options.clients && !this.#isOver) {
      const missing = Math.min(connectsAtOnce, this.#options.clients - this.#sockets.size)
      await Promise.all(Array.from({ length: missing }, () => this.#connect()))
      // Those that leave at once would be filled up for ever.
      if (this.made > this.#options.clients * 3) return
    }
  }

  goOn(): void {
    for (const [socket, { goOn }] of this.#sockets) goOn?.(socket, this.#random)
  }

  leave(): void {
    this.#isOver = true
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  #connect(): Promise<void> {
    const chosen = this.#attacks[this.made++ % this.#attacks.length] as Attack
    return new Promise((resolve) => {
      const socket = connect(this.#ports[chosen.listener] as number, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.once('close', () => {
        this.#sockets.delete(socket)
        resolve()
      })
      socket.once('connect', () => {
        this.#sockets.set(socket, chosen)
        chosen.begin(socket, this.#random)
        resolve()
      })
    })
  }
}

class BrokerProcess {
  readonly ports: readonly number[]
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, ports: readonly number[]) {
    this.#child = child
    this.#lines = lines
    this.ports = ports
  }

  static async start(limits: Partial<ServerLimits>): Promise<BrokerProcess> {
    const script = join(root, 'test/broker/hostile/broker-process.ts')
    const words = ['--conditions=@millrace/source', '--disable-warning=TimeoutNegativeWarning', script]
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    const child = spawn(process.execPath, [...words, JSON.stringify(limits)], { stdio: [...stdio] })
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const { ports } = JSON.parse(await lineOf(lines)) as { ports: number[] }
    return new BrokerProcess(child, lines, ports)
  }

  async report(): Promise<BrokerReport> {
    this.#child.stdin?.write('how are you\n')
    return JSON.parse(await lineOf(this.#lines)) as BrokerReport
  }

  async reportWhen(holds: (report: BrokerReport) => boolean): Promise<BrokerReport> {
    for (;;) {
      const report = await this.report()
      if (holds(report)) return report
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

async function lineOf(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next()
  if (done === true) throw new Error('the broker process has ended')
  return value as string
}
