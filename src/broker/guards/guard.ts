import type { Api, RequestOf, ResponseOf } from '../protocol/api.ts'
import type { Actor, Operation, ResourceType } from '../security/access-rule.ts'
import type { Authorizer } from '../security/authorizer.ts'

/** Something that a client has to be allowed, as `WRITE TOPIC`. */
export type Need = `${Operation} ${ResourceType}`

/** What a guard knows beside the request. */
export interface GuardContext {
  readonly apiVersion: number
  /** The name of a topic by its id. */
  readonly topicName: (id: string) => string | undefined
  readonly isTopic: (name: string) => boolean
  /** All topics, sorted. */
  readonly topicNames: () => readonly string[]
  /** Whether topics are made that are asked for and are not there. */
  readonly createsTopics: boolean
}

/**
 * What becomes of a request: it is answered at once; or it goes on, with what is not allowed taken out, and the answer is
 * completed with what was refused. An answer that the client does not want is not completed.
 */
export type Verdict<Request, Response> =
  | { readonly answer: Response }
  | { readonly request: Request; readonly complete?: (response: Response) => Response }

/** Looks at the requests of one API before they are handled, and says what each needs. */
export interface Guard {
  readonly api: Api
  /** Everything that requests of the API may need. */
  readonly needs: readonly Need[]
  readonly check: (request: unknown, may: Permissions, context: GuardContext) => Verdict<unknown, unknown>
}

/** A guard asks for nothing but the needs that it declares. */
export function guardOf<const A extends Api, const N extends Need>(
  api: A,
  needs: readonly N[],
  check: (request: RequestOf<A>, may: Permissions<N>, context: GuardContext) => Verdict<RequestOf<A>, ResponseOf<A>>,
): Guard {
  return { api, needs, check: check as unknown as Guard['check'] }
}

/** What one client may do. */
export class Permissions<N extends Need = Need> {
  readonly #authorizer: Authorizer
  readonly #actor: Actor

  constructor(authorizer: Authorizer, actor: Actor) {
    this.#authorizer = authorizer
    this.#actor = actor
  }

  has(need: N, name: string): boolean {
    const [operation, type] = need.split(' ') as [Operation, ResourceType]
    return this.#authorizer.isAllowed(this.#actor, operation, type, name)
  }

  /** Whether the client may do it to any resource of the type. */
  hasForSome(need: N): boolean {
    const [operation, type] = need.split(' ') as [Operation, ResourceType]
    return this.#authorizer.isAllowedForSome(this.#actor, operation, type)
  }

  /** What the client may do to a resource, as bits. */
  operationBits(type: ResourceType, name: string): number {
    return this.#authorizer.operationBits(this.#actor, type, name)
  }
}
