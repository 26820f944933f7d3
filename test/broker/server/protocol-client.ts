import type { Api } from '../../../src/broker/protocol/api.ts'
import type { ReadOf, WriteOf } from '../../../src/broker/protocol/field.ts'
import { messageCodec } from '../../../src/broker/protocol/message-codec.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { includesVersion, versionRange } from '../../../src/broker/protocol/version-range.ts'
import { WireReader } from '../../../src/broker/protocol/wire-reader.ts'
import { WireWriter } from '../../../src/broker/protocol/wire-writer.ts'
import { FrameAssembler } from '../../../src/broker/server/frame-assembler.ts'
import type { Address, ClientTlsOptions, Connection, ConnectionHandler, Network } from '../../../src/env/environment.ts'

interface Expected {
  readonly api: Api
  readonly version: number
  readonly resolve: (response: unknown) => void
  readonly reject: (error: Error) => void
}

/** A client that speaks Kafka's protocol from the tables, one request after the other on one connection, pipelined. */
export class ProtocolClient implements ConnectionHandler {
  /** Correlation ids of the responses, in the order in which they came. */
  readonly answered: number[] = []
  readonly closed: Promise<void>
  connection!: Connection
  readonly #frames = new FrameAssembler({ maxFrameBytes: () => 1 << 30, onFrame: (frame) => this.#answer(frame) })
  readonly #expected = new Map<number, Expected>()
  #resolveClosed: () => void = () => {}
  #nextId = 1

  private constructor() {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  static async connect(network: Network, address: Address, tls?: ClientTlsOptions): Promise<ProtocolClient> {
    const client = new ProtocolClient()
    client.connection = await network.connect(address, client, tls)
    return client
  }

  /** `behind` is sent in the frame of the request, behind it. */
  request<const A extends Api>(
    api: A,
    version: number,
    body: WriteOf<A['request']>,
    behind: Uint8Array = new Uint8Array(0),
  ): Promise<ReadOf<A['response']>> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      this.#expected.set(id, { api, version, resolve: resolve as Expected['resolve'], reject })
      const frame = Buffer.concat([requestFrame(api, version, id, body), behind])
      frame.writeInt32BE(frame.length - 4)
      this.connection.write(frame)
    })
  }

  /** Sends a request to which no answer comes. */
  send<const A extends Api>(api: A, version: number, body: WriteOf<A['request']>): void {
    this.connection.write(requestFrame(api, version, this.#nextId++, body))
  }

  onData(bytes: Uint8Array): void {
    this.#frames.take(bytes)
  }

  onClose(): void {
    for (const { reject } of this.#expected.values()) reject(new Error('the broker closed the connection'))
    this.#expected.clear()
    this.#resolveClosed()
  }

  #answer(frame: Buffer): void {
    const reader = new WireReader(frame)
    const id = reader.int32()
    this.answered.push(id)
    const expected = this.#expected.get(id)
    if (expected === undefined) throw new Error(`nobody waits for the response ${id}`)
    this.#expected.delete(id)
    const flexible = includesVersion(versionRange(expected.api.flexible), expected.version)
    if (flexible && expected.api.key !== apiVersions.key) reader.unsignedVarint()
    expected.resolve(messageCodec(expected.api.response, expected.version, flexible).read(reader))
    if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes follow a response of ${expected.api.name}`)
  }
}

/** A request as it goes over the wire, its size before it. */
export function requestFrame<const A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: WriteOf<A['request']>,
): Buffer {
  const flexible = includesVersion(versionRange(api.flexible), version)
  const writer = new WireWriter()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(correlationId)
  writer.int16(4)
  writer.text('test')
  if (flexible) writer.unsignedVarint(0)
  messageCodec(api.request, version, flexible).write(writer, body)
  writer.setInt32(0, writer.size - 4)
  return Buffer.concat(writer.pieces())
}
