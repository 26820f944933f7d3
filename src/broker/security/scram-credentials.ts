import type { SecurityRecord } from '../security-record.ts'
import { type ScramCredential, type ScramMechanism, scramMechanisms } from './scram.ts'

/** The numbers of mechanisms in Kafka's records and requests. */
export function scramMechanismOf(type: number): ScramMechanism | undefined {
  return scramMechanisms[type - 1]
}

export function scramTypeOf(mechanism: ScramMechanism): number {
  return scramMechanisms.indexOf(mechanism) + 1
}

/** Which users log in with which passwords: the fold of the registry's records of them. */
export class ScramCredentials {
  readonly #byUser = new Map<string, Map<ScramMechanism, ScramCredential>>()

  get(mechanism: ScramMechanism, user: string): ScramCredential | undefined {
    return this.#byUser.get(user)?.get(mechanism)
  }

  /** What a user has, by mechanism. */
  of(user: string): ReadonlyMap<ScramMechanism, ScramCredential> {
    return this.#byUser.get(user) ?? new Map()
  }

  /** All users, sorted. */
  get users(): string[] {
    return [...this.#byUser.keys()].sort()
  }

  /** The records that say all of it. */
  records(): SecurityRecord[] {
    return [...this.#byUser].flatMap(([name, credentials]) => {
      return [...credentials].map(([mechanism, credential]) => {
        return { type: 'scram-credential' as const, name, mechanism: scramTypeOf(mechanism), ...credential }
      })
    })
  }

  apply(record: SecurityRecord): void {
    const mechanism = 'mechanism' in record ? scramMechanismOf(record.mechanism) : undefined
    if (mechanism === undefined) return
    if (record.type === 'scram-credential') {
      const { name, salt, storedKey, serverKey, iterations } = record
      const credentials = this.#byUser.get(name) ?? new Map<ScramMechanism, ScramCredential>()
      this.#byUser.set(name, credentials.set(mechanism, { salt, storedKey, serverKey, iterations }))
    } else if (record.type === 'remove-scram-credential') {
      const credentials = this.#byUser.get(record.name)
      credentials?.delete(mechanism)
      if (credentials?.size === 0) this.#byUser.delete(record.name)
    }
  }
}
