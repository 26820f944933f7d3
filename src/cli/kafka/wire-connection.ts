import type { Api } from '../../broker/protocol/api.ts'
import type { ReadOf, WriteOf } from '../../broker/protocol/field.ts'
import { malformed } from '../../broker/protocol/malformed-message.ts'
import { messageCodec } from '../../broker/protocol/message-codec.ts'
import { apiVersions } from '../../broker/protocol/messages/api-versions.ts'
import { includesVersion, versionRange } from '../../broker/protocol/version-range.ts'
import { WireReader } from '../../broker/protocol/wire-reader.ts'
import { WireWriter } from '../../broker/protocol/wire-writer.ts'
import { FrameAssembler } from '../../broker/server/frame-assembler.ts'
import type {
  Address,
  Cancel,
  ClientTlsOptions,
  Connection,
  ConnectionHandler,
  Environment,
} from '../../env/environment.ts'
import { MillraceError, messageOf } from '../../errors.ts'

const maxAnswerBytes = 64 * 1024 * 1024
const answerMs = 30_000

/** The request under way: there is never more than one. */
interface Expected {
  readonly id: number
  readonly read: (answer: WireReader) => void
  readonly fail: (error: unknown) => void
}

/** A connection to one broker that asks what kafkajs cannot, from the tables of the protocol; one request after the other. */
export class WireConnection implements ConnectionHandler {
  readonly #address: Address
  readonly #clientId: string
  readonly #timers: Environment['timers']
  readonly #frames = new FrameAssembler({
    maxFrameBytes: () => maxAnswerBytes,
    onFrame: (frame) => this.#answer(frame),
  })
  #connection: Connection | undefined
  #expected: Expected | undefined
  #ids = 0

  private constructor(address: Address, clientId: string, timers: Environment['timers']) {
    this.#address = address
    this.#clientId = clientId
    this.#timers = timers
  }

  /** @throws MillraceError NETWORK_FAILED */
  static async open(
    { network, timers }: Environment,
    address: Address,
    clientId: string,
    tls: ClientTlsOptions | undefined,
  ): Promise<WireConnection> {
    const wire = new WireConnection(address, clientId, timers)
    await wire.#connect(network, tls)
    return wire
  }

  async #connect(network: Environment['network'], tls: ClientTlsOptions | undefined): Promise<void> {
    try {
      this.#connection = await network.connect(this.#address, this, tls)
    } catch (cause) {
      throw this.#lost(messageOf(cause), cause)
    }
  }

  /** @throws MillraceError NETWORK_FAILED where no answer comes, MALFORMED_MESSAGE where it is none */
  ask<const A extends Api>(api: A, version: number, request: WriteOf<A['request']>): Promise<ReadOf<A['response']>> {
    const flexible = includesVersion(versionRange(api.flexible), version)
    const id = ++this.#ids
    let cancel: Cancel = () => {}
    return new Promise<ReadOf<A['response']>>((resolve, reject) => {
      const read = (answer: WireReader): void => {
        if (flexible && api.key !== apiVersions.key) answer.unsignedVarint()
        resolve(messageCodec(api.response, version, flexible).read(answer) as ReadOf<A['response']>)
      }
      this.#expected = { id, read, fail: reject }
      cancel = this.#timers.after(answerMs, () => reject(this.#lost(`no answer to ${api.name} came`)))
      this.#connection?.write(this.#frame(api, version, flexible, request))
    }).finally(() => cancel())
  }

  close(): void {
    this.#expected = undefined
    this.#connection?.end()
  }

  onData(bytes: Uint8Array): void {
    try {
      this.#frames.take(bytes)
    } catch (error) {
      this.#expected?.fail(error)
      this.#connection?.destroy()
    }
  }

  onClose(error?: Error): void {
    this.#expected?.fail(this.#lost(error?.message ?? 'it has ended the connection', error))
  }

  /** @throws MillraceError MALFORMED_MESSAGE, after which nothing of this connection is believed */
  #answer(frame: Buffer): void {
    const reader = new WireReader(frame)
    const id = reader.int32()
    if (id !== this.#expected?.id) throw malformed(`nobody waits for the answer ${id}`)
    this.#expected.read(reader)
    this.#expected = undefined
  }

  #frame(api: Api, version: number, flexible: boolean, request: WriteOf<Api['request']>): Buffer {
    const writer = new WireWriter()
    writer.int32(0)
    writer.int16(api.key)
    writer.int16(version)
    writer.int32(this.#ids)
    writer.int16(Buffer.byteLength(this.#clientId))
    writer.text(this.#clientId)
    if (flexible) writer.unsignedVarint(0)
    messageCodec(api.request, version, flexible).write(writer, request)
    writer.setInt32(0, writer.size - 4)
    return Buffer.concat(writer.pieces())
  }

  #lost(why: string, cause?: unknown): MillraceError {
    const { host, port } = this.#address
    return new MillraceError('NETWORK_FAILED', `${host}:${port} does not answer: ${why}`, {
      remedy: 'Is a broker running there, and does it advertise an address that can be reached from here?',
      cause,
    })
  }
}
