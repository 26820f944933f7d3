import type { Clock } from '../../env/environment.ts'
import { assert, MillraceError } from '../../errors.ts'
import type { GuardedBroker } from '../guards/guarded-broker.ts'
import { listedVersions } from '../handlers/api-versions.ts'
import type { ClientContext, Handler, RequestContext } from '../handlers/handler.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import type { Fields, WriteOf } from '../protocol/field.ts'
import { type MessageCodec, messageCodec } from '../protocol/message-codec.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { fetch } from '../protocol/messages/fetch.ts'
import { produce } from '../protocol/messages/produce.ts'
import { type RequestHeader, readClientId, readRequestHeader } from '../protocol/request-header.ts'
import { includesVersion, versionRange } from '../protocol/version-range.ts'
import { WireReader } from '../protocol/wire-reader.ts'
import { WireWriter } from '../protocol/wire-writer.ts'
import type { QuotaKeeper } from '../quotas/quota-keeper.ts'
import { principalText } from '../security/principal.ts'

/** What a client is sent for a request. */
export interface Reply {
  /** The response as pieces to be sent one after the other, the size before them; undefined where none is to be sent. */
  readonly pieces: readonly Uint8Array[] | undefined
  /** Nothing more of the client is begun for so long, because it has taken more than its quotas allow (KIP-219). */
  readonly muteMs: number
}

export interface RequestDispatcherOptions {
  readonly handlers: readonly Handler[]
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Who may do what; undefined where everybody may do everything. */
  readonly guarded: GuardedBroker | undefined
  /** How much clients may take; undefined where there are no quotas. */
  readonly quotas: QuotaKeeper | undefined
}

/** The codecs of one version: what handlers take and give was checked by their own types. */
interface VersionCodecs {
  readonly isFlexible: boolean
  readonly request: AnyCodec
  readonly response: AnyCodec
}

type AnyCodec = MessageCodec<Fields>

/** What a request is answered with is decided here: which handler, in which version. */
export class RequestDispatcher {
  readonly #handlers: ReadonlyMap<number, Handler>
  readonly #options: RequestDispatcherOptions
  /** By key and version; made when first needed. */
  readonly #codecs = new Map<number, VersionCodecs>()
  /** How often each version of each API was asked for: `apiKey.version` to a count. */
  readonly counts: Map<string, number> = new Map()

  constructor(options: RequestDispatcherOptions) {
    this.#options = options
    this.#handlers = new Map(options.handlers.map((handler) => [handler.api.key, handler]))
  }

  /**
   * Answers one request.
   * @throws MillraceError MALFORMED_MESSAGE, UNSUPPORTED_VERSION, after which the connection cannot be used any more
   */
  dispatch(frame: Buffer, context: ClientContext): Reply | Promise<Reply> {
    const reader = new WireReader(frame)
    const header = readRequestHeader(reader)
    const { apiKey, apiVersion } = header
    const handler = this.#handlers.get(apiKey)
    if (handler === undefined) throw unsupported(header)
    this.#count(header)
    if (!includesVersion(handler.versions, apiVersion)) return this.#refuseVersion(header)
    const codecs = this.#codecsOf(handler, apiVersion)
    const clientId = readClientId(reader, codecs.isFlexible)
    const request = codecs.request.read(reader)
    // Bytes that follow are ignored, as Kafka does: librdkafka 2.16 asks for all topics with three too many.
    const asked: RequestContext = { ...context, apiVersion, clientId, laterWorkMs: 0 }
    const { guarded, quotas, clock } = this.#options
    const startMs = clock.monotonicMs()
    const answer = guarded === undefined ? handler.handle(request, asked) : this.#guard(handler, request, asked)
    const workMs = quotas?.isOn === true ? clock.monotonicMs() - startMs : 0
    const reply = (response: unknown): Reply => {
      const muteMs = this.#take(header, asked, {
        requestBytes: frame.length,
        response,
        workMs: workMs + asked.laterWorkMs,
      })
      return replyWith(
        codecs,
        header,
        muteMs > 0 && response !== undefined ? { ...response, throttleTimeMs: muteMs } : response,
        muteMs,
      )
    }
    return answer instanceof Promise ? answer.then(reply) : reply(answer)
  }

  /** Counts what a request has taken; for how long the client has to wait. Logins are nobody's yet. */
  #take(
    { apiKey }: RequestHeader,
    { session, principal, clientId }: RequestContext,
    { requestBytes, response, workMs }: { requestBytes: number; response: unknown; workMs: number },
  ): number {
    const { quotas, clock } = this.#options
    if (quotas?.isOn !== true || !session.isKnown) return 0
    const client = { user: principal.name, clientId: clientId ?? '' }
    const nowMs = clock.monotonicMs()
    let muteMs = quotas.take('request_percentage', workMs, client, nowMs)
    if (apiKey === produce.key)
      muteMs = Math.max(muteMs, quotas.take('producer_byte_rate', requestBytes, client, nowMs))
    if (apiKey === fetch.key) {
      muteMs = Math.max(
        muteMs,
        quotas.take('consumer_byte_rate', recordBytesOf(response as FetchResponse), client, nowMs),
      )
    }
    return muteMs
  }

  /** Lets through what the client may do, and completes the answer with what it may not. */
  #guard(handler: Handler, request: unknown, context: RequestContext): unknown {
    const { principal, host, apiVersion } = context
    const actor = { principal: principalText(principal), host: host.replace(/^::ffff:(?=[\d.]+$)/, '') }
    const verdict = this.#options.guarded?.check(handler.api.key, apiVersion, request, actor)
    assert(verdict !== undefined, `the API ${handler.api.name} says what it needs`)
    if ('answer' in verdict) return verdict.answer
    const { complete } = verdict
    const answer = handler.handle(verdict.request, context)
    if (complete === undefined) return answer
    const completed = (response: unknown): unknown => (response === undefined ? undefined : complete(response))
    return answer instanceof Promise ? answer.then(completed) : completed(answer)
  }

  /**
   * Whether there is such a version of such an API; any version of ApiVersions is one, because it is answered.
   * @throws MillraceError UNSUPPORTED_VERSION
   */
  requireKnown(apiKey: number, apiVersion: number): void {
    const handler = this.#handlers.get(apiKey)
    if (handler === undefined) throw unsupported({ apiKey, apiVersion })
    if (apiKey !== apiVersions.key && !includesVersion(handler.versions, apiVersion)) {
      throw unsupported({ apiKey, apiVersion })
    }
  }

  #count({ apiKey, apiVersion }: RequestHeader): void {
    const name = `${apiKey}.${apiVersion}`
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  /** A client that asks for the versions in one that is too new is told them in the oldest; any other has not listened (KIP-511). */
  #refuseVersion(header: RequestHeader): Reply {
    const handler = this.#handlers.get(header.apiKey) as Handler
    if (header.apiKey !== apiVersions.key) throw unsupported(header)
    const codecs = this.#codecsOf(handler, 0)
    const apiKeys = listedVersions([...this.#handlers.values()])
    return replyWith(codecs, header, { errorCode: codeOf('UNSUPPORTED_VERSION'), apiKeys }, 0)
  }

  #codecsOf({ api }: Handler, version: number): VersionCodecs {
    const key = api.key * 0x10000 + version
    const existing = this.#codecs.get(key)
    if (existing !== undefined) return existing
    const flexible = includesVersion(versionRange(api.flexible), version)
    const made: VersionCodecs = {
      isFlexible: flexible,
      request: messageCodec(api.request, version, flexible),
      response: messageCodec(api.response, version, flexible),
    }
    this.#codecs.set(key, made)
    return made
  }
}

type FetchResponse = ResponseOf<typeof fetch> | undefined

function recordBytesOf(response: FetchResponse): number {
  let bytes = 0
  for (const { partitions } of response?.responses ?? []) {
    for (const { records } of partitions) {
      if (records instanceof Uint8Array) bytes += records.length
      else for (const piece of records ?? []) bytes += piece.length
    }
  }
  return bytes
}

function replyWith(
  { isFlexible, response: codec }: VersionCodecs,
  header: RequestHeader,
  response: unknown,
  muteMs: number,
): Reply {
  if (response === undefined) return { pieces: undefined, muteMs }
  const writer = new WireWriter()
  writer.int32(0)
  writer.int32(header.correlationId)
  // Clients read the versions before they know which header the broker writes, so that one response never has tagged fields there.
  if (isFlexible && header.apiKey !== apiVersions.key) writer.unsignedVarint(0)
  codec.write(writer, response as WriteOf<Fields>)
  writer.setInt32(0, writer.size - 4)
  return { pieces: writer.pieces(), muteMs }
}

function unsupported({ apiKey, apiVersion }: Pick<RequestHeader, 'apiKey' | 'apiVersion'>): MillraceError {
  const what = `A client asks for version ${apiVersion} of API ${apiKey}, which this broker does not have`
  return new MillraceError('UNSUPPORTED_VERSION', what, { remedy: 'Use the versions that ApiVersions lists.' })
}
