import type { Broker } from '../broker.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'
import { alterUserScramCredentials } from '../protocol/messages/alter-user-scram-credentials.ts'
import { credentialOf, keyBytes, maxIterations, minIterations } from '../security/scram.ts'
import { scramMechanismOf } from '../security/scram-credentials.ts'
import type { SecurityRecord } from '../security-record.ts'
import { errorNameOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Request = RequestOf<typeof alterUserScramCredentials>
type Upsertion = Request['upsertions'][number]
type Result = ResponseOf<typeof alterUserScramCredentials>['results'][number]
type Refusal = readonly [error: KafkaError, message: string]

/** AlterUserScramCredentials 0: sets and removes credentials, each user for itself. Passwords come salted and are kept as keys. */
export function handleAlterUserScramCredentials(broker: Broker): Handler {
  return handlerOf(alterUserScramCredentials, [0, 0], async ({ deletions, upsertions }) => {
    const names = [...deletions, ...upsertions].map(({ name }) => name)
    const records: SecurityRecord[] = []
    const refusals = new Map<string, Refusal>()
    for (const { name, mechanism } of deletions) {
      const refusal = isTwice(names, name) ?? whyNotDeleted(broker, name, mechanism)
      if (refusal !== undefined) refusals.set(name, refusal)
      else records.push({ type: 'remove-scram-credential', name, mechanism })
    }
    for (const upsertion of upsertions) {
      const record = isTwice(names, upsertion.name) ?? recordOf(upsertion)
      if ('type' in record) records.push(record)
      else refusals.set(upsertion.name, record)
    }
    try {
      await broker.topics.secure(records)
    } catch (error) {
      for (const name of names) if (!refusals.has(name)) refusals.set(name, [errorNameOf(error), 'It was not kept.'])
    }
    return { results: [...new Set(names)].map((user) => resultOf(user, refusals.get(user))) }
  })
}

function isTwice(names: readonly string[], name: string): Refusal | undefined {
  if (names.indexOf(name) === names.lastIndexOf(name)) return undefined
  return ['DUPLICATE_RESOURCE', 'A user is altered once in a request.']
}

function whyNotDeleted(broker: Broker, name: string, type: number): Refusal | undefined {
  const mechanism = scramMechanismOf(type)
  if (mechanism === undefined) return unknownMechanism
  if (broker.topics.credentials.get(mechanism, name) !== undefined) return undefined
  return ['RESOURCE_NOT_FOUND', 'The user has no such credential.']
}

function recordOf({ name, mechanism: type, iterations, salt, saltedPassword }: Upsertion): SecurityRecord | Refusal {
  const mechanism = scramMechanismOf(type)
  if (name === '') return ['UNACCEPTABLE_CREDENTIAL', 'A user has a name.']
  if (mechanism === undefined) return unknownMechanism
  if (iterations < minIterations || iterations > maxIterations) {
    return ['UNACCEPTABLE_CREDENTIAL', `Iterations have to be from ${minIterations} to ${maxIterations}.`]
  }
  if (salt.length === 0 || saltedPassword.length !== keyBytes(mechanism)) {
    return ['UNACCEPTABLE_CREDENTIAL', 'The password has to come with its salt, and as long as the hash.']
  }
  const credential = credentialOf(mechanism, saltedPassword, { salt, iterations })
  return { type: 'scram-credential', name, mechanism: type, ...credential }
}

function resultOf(user: string, refusal: Refusal | undefined): Result {
  if (refusal === undefined) return { user, errorCode: 0, errorMessage: null }
  const [error, errorMessage] = refusal
  return { user, errorCode: codeOf(error), errorMessage }
}

const unknownMechanism: Refusal = ['UNSUPPORTED_SASL_MECHANISM', 'There is no such mechanism.']
