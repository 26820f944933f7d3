import { drawBytes } from '../broker/security/login-methods.ts'
import {
  credentialOf,
  isScram,
  maxIterations,
  minIterations,
  type ScramCredential,
  type ScramMechanism,
  saltedPassword,
} from '../broker/security/scram.ts'
import { scramTypeOf } from '../broker/security/scram-credentials.ts'
import type { SecurityRecord } from '../broker/security-record.ts'
import type { Random } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'

const saltBytes = 24

export interface ScramUser {
  readonly name: string
  readonly mechanism: ScramMechanism
  readonly credential: ScramCredential
}

/**
 * A credential in the words of Kafka's `kafka-storage format --add-scram`:
 * `SCRAM-SHA-256=[name=alice,password=secret]`, with `iterations=8192` where more than the fewest are wanted.
 * @throws MillraceError INVALID_ARGUMENT, without the password
 */
export function scramUser(text: string, random: Random): ScramUser {
  const [, mechanism = '', options = ''] = /^([A-Z0-9-]+)=\[(.*)\]$/s.exec(text) ?? []
  const parts = /^name=(?:"([^"]*)"|([^,"]*)),password=(?:"([^"]*)"|([^,"]*))(?:,iterations=(\d{1,9}))?$/s.exec(options)
  const name = parts?.[1] ?? parts?.[2] ?? ''
  const password = parts?.[3] ?? parts?.[4] ?? ''
  const iterations = Number(parts?.[5] ?? minIterations)
  if (
    !isScram(mechanism) ||
    name === '' ||
    password === '' ||
    iterations < minIterations ||
    iterations > maxIterations
  ) {
    throw new MillraceError('INVALID_ARGUMENT', 'The credential of --add-scram cannot be read', {
      remedy: `Write it as 'SCRAM-SHA-256=[name=alice,password=secret]', with quotes around what has a comma in it, and iterations=N from ${minIterations} to ${maxIterations} behind if need be.`,
    })
  }
  const salt = drawBytes(random, saltBytes)
  const salted = saltedPassword(mechanism, password, salt, iterations)
  return { name, mechanism, credential: credentialOf(mechanism, salted, { salt, iterations }) }
}

export function scramUserRecord({ name, mechanism, credential }: ScramUser): SecurityRecord {
  return { type: 'scram-credential', name, mechanism: scramTypeOf(mechanism), ...credential }
}
