import type { Api } from '../../../src/broker/protocol/api.ts'
import type { ReadOf, WriteOf } from '../../../src/broker/protocol/field.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { ProtocolClient } from '../../broker/server/protocol-client.ts'
import { Masks } from './masks.ts'

/** One answer, as it is compared: what each side makes up for itself is masked. */
export interface Step {
  readonly label: string
  readonly answer: unknown
}

/** What a broker that has just been started, or been told of a topic, may answer for a moment: Kafka's own numbers. */
const passing = new Set([5, 6, 14, 15, 16, 51])
const patienceMs = 20_000

/** One of two brokers that are asked the same. */
export class Side {
  readonly steps: Step[] = []
  /** Which versions of which APIs were asked for. */
  readonly asked: Set<string> = new Set()
  readonly #client: ProtocolClient
  readonly #masks = new Masks()

  private constructor(client: ProtocolClient) {
    this.#client = client
  }

  static async connect(bootstrapServers: string): Promise<Side> {
    const [host = '', port = ''] = bootstrapServers.split(':')
    return new Side(await ProtocolClient.connect(nodeEnvironment().network, { host, port: Number(port) }))
  }

  /** Asks, writes down the answer, and returns it for what is asked next. */
  async ask<const A extends Api>(
    label: string,
    api: A,
    version: number,
    body: WriteOf<A['request']>,
    behind?: Uint8Array,
  ): Promise<ReadOf<A['response']>> {
    this.asked.add(`${api.key}.${version}`)
    const answer = await this.#lasting(() => this.#client.request(api, version, body, behind))
    this.steps.push({ label: `${label} (${api.name} ${version})`, answer: this.#masks.masked(answer) })
    return answer
  }

  /** Asks until the answer is what the next step builds on, and writes nothing down. */
  async until<const A extends Api>(
    api: A,
    version: number,
    body: WriteOf<A['request']>,
    holds: (answer: ReadOf<A['response']>) => boolean,
  ): Promise<ReadOf<A['response']>> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const answer = await this.#client.request(api, version, body)
      if (holds(answer)) return answer
      if (performance.now() > deadline) throw new Error(`${api.name} still answers ${JSON.stringify(answer)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  close(): void {
    this.#client.connection.destroy()
  }

  async #lasting<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const answer = await ask()
      if (!hasPassingError(answer) || performance.now() > deadline) return answer
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function hasPassingError(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPassingError)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false
  return Object.entries(value).some(([name, one]) =>
    name === 'errorCode' ? passing.has(one as number) : hasPassingError(one),
  )
}
