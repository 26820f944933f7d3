import type { BufferLoan } from '../../bytes/buffer-loan.ts'
import type { Api, RequestOf, ResponseOf } from '../protocol/api.ts'
import type { VersionRange } from '../protocol/version-range.ts'
import type { ClientSession } from '../security/client-session.ts'
import type { Principal } from '../security/principal.ts'

/** Who asks, and how. */
export interface RequestContext {
  readonly apiVersion: number
  readonly clientId: string | null
  /** How the client has said who it is, and goes on doing so. */
  readonly session: ClientSession
  /** Who the client is, by its login or the certificate that it has shown; otherwise anonymous. */
  readonly principal: Principal
  /** The address of the client. */
  readonly host: string
  /** Where the client is told to find this broker: the address of the listener that it came in by. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** Aborted when the connection is lost, so that nobody waits for it. */
  readonly signal: AbortSignal
  /** Where large parts of the response may be put: they are given back when it is sent. */
  readonly buffers: BufferLoan
  /** How long the broker has worked on the request after its handler had returned: counted against the client's quota, too. */
  laterWorkMs: number
}

/** What is known of a request before it is read. */
export type ClientContext = Omit<RequestContext, 'apiVersion' | 'clientId' | 'laterWorkMs'>

/** What a handler gives back: the response, now or later, or undefined where the client asked for none. */
export type Answer<R> = R | undefined | Promise<R | undefined>

/** Answers the requests of one API. */
export interface Handler {
  readonly api: Api
  /** The versions that clients are told of. */
  readonly versions: VersionRange
  readonly handle: (request: unknown, context: RequestContext) => Answer<unknown>
}

export function handlerOf<const A extends Api>(
  api: A,
  versions: readonly [from: number, to: number],
  handle: (request: RequestOf<A>, context: RequestContext) => Answer<ResponseOf<A>>,
): Handler {
  return { api, versions: { from: versions[0], to: versions[1] }, handle: handle as Handler['handle'] }
}
