import type { Broker } from '../broker.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { createAcls } from '../protocol/messages/create-acls.ts'
import { type RuleRecord, recordOfRule } from '../security/access-rules.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { randomId } from '../topic-id.ts'
import { ruleOfRequest } from './acl-request.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

/** Rules that a cluster may have: each costs memory, and time at every request of clients that it is about. */
const mostRules = 100_000

/** CreateAcls 1-3: each rule for itself. One that is there already is not made again. */
export function handleCreateAcls(broker: Broker, authorizer: Authorizer | undefined): Handler {
  return handlerOf(createAcls, [1, 3], async ({ creations }) => {
    if (authorizer === undefined) return { results: creations.map(() => failed('SECURITY_DISABLED', disabled)) }
    const records = new Map<string, RuleRecord>()
    const results = creations.map((asked) => {
      const rule = ruleOfRequest(asked)
      if (typeof rule === 'string') return failed('INVALID_REQUEST', rule)
      if (authorizer.rules.size + records.size >= mostRules) return failed('POLICY_VIOLATION', tooMany)
      // Twice in a request is once.
      if (!authorizer.rules.has(rule))
        records.set(JSON.stringify(rule), recordOfRule(randomId(broker.environment.random), rule))
      return made
    })
    try {
      await broker.topics.secure([...records.values()])
      return { results }
    } catch (error) {
      const failure = failed(errorNameOf(error), 'It was not kept.')
      return { results: results.map((one) => (one === made ? failure : one)) }
    }
  })
}

const made = { errorCode: 0, errorMessage: null }
const disabled = 'No authorizer is configured on the broker.'
const tooMany = `A cluster has at most ${mostRules} rules: let some of them be prefixed.`

function failed(error: KafkaError, errorMessage: string) {
  return { errorCode: codeOf(error), errorMessage }
}
