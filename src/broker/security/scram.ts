import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'

/** The mechanisms of RFC 5802 and RFC 7677 that Kafka has (`org.apache.kafka.common.security.scram.internals.ScramMechanism`). */
export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = (typeof scramMechanisms)[number]

/** What a broker keeps of a password: nothing that a client could log in with. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

/** Kafka's bounds: fewer are guessed too fast, more make a login a load for the client. */
export const minIterations = 4_096
export const maxIterations = 16_384

const hashes: Readonly<Record<ScramMechanism, string>> = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' }

export function isScram(mechanism: string): mechanism is ScramMechanism {
  return Object.hasOwn(hashes, mechanism)
}

/** Bytes of a key of the mechanism. */
export function keyBytes(mechanism: ScramMechanism): number {
  return mechanism === 'SCRAM-SHA-256' ? 32 : 64
}

/** The password as clients send it where they set it (`Hi` of RFC 5802). It takes milliseconds, and is never done for a login. */
export function saltedPassword(mechanism: ScramMechanism, password: string, salt: Buffer, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, keyBytes(mechanism), hashes[mechanism])
}

export function credentialOf(
  mechanism: ScramMechanism,
  salted: Buffer,
  { salt, iterations }: Pick<ScramCredential, 'salt' | 'iterations'>,
): ScramCredential {
  const clientKey = hmac(mechanism, salted, 'Client Key')
  return { salt, iterations, storedKey: digest(mechanism, clientKey), serverKey: hmac(mechanism, salted, 'Server Key') }
}

/** Whether who made the proof has the key that was stored as a digest; takes as long for a wrong one as for the right one. */
export function isProofOf(mechanism: ScramMechanism, storedKey: Buffer, authMessage: string, proof: Buffer): boolean {
  const signature = hmac(mechanism, storedKey, authMessage)
  if (proof.length !== signature.length) return false
  const clientKey = Buffer.alloc(proof.length)
  for (let i = 0; i < proof.length; i++) clientKey[i] = (proof[i] as number) ^ (signature[i] as number)
  return timingSafeEqual(digest(mechanism, clientKey), storedKey)
}

export function hmac(mechanism: ScramMechanism, key: Buffer, message: string): Buffer {
  return createHmac(hashes[mechanism], key).update(message).digest()
}

function digest(mechanism: ScramMechanism, bytes: Buffer): Buffer {
  return createHash(hashes[mechanism]).update(bytes).digest()
}
