import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a client says of itself (RFC 4616). */
export interface PlainLogin {
  readonly user: string
  readonly password: string
}

/** Reads a login; undefined where it is not one, or asks to be somebody else than it says. */
export function readPlainLogin(message: Buffer): PlainLogin | undefined {
  const [authorizationId, user, password, ...more] = message.toString().split('\0')
  if (user === undefined || password === undefined || more.length > 0 || user === '' || password === '')
    return undefined
  return authorizationId === '' || authorizationId === user ? { user, password } : undefined
}

/** The users of PLAIN. Passwords are not kept, so that nothing that prints an object shows them. */
export class PlainUsers {
  readonly #key: Buffer
  readonly #digests = new Map<string, Buffer>()
  readonly #nobody: Buffer

  /** @param key bytes that nobody knows, of this process */
  constructor(passwords: Readonly<Record<string, string>>, key: Buffer) {
    this.#key = key
    this.#nobody = this.#digest('')
    for (const [user, password] of Object.entries(passwords)) this.#digests.set(user, this.#digest(password))
  }

  /** Takes as long for a user that there is not as for a wrong password. */
  isRight({ user, password }: PlainLogin): boolean {
    const stored = this.#digests.get(user)
    const isEqual = timingSafeEqual(this.#digest(password), stored ?? this.#nobody)
    return isEqual && stored !== undefined
  }

  #digest(password: string): Buffer {
    return createHmac('sha256', this.#key).update(password).digest()
  }
}
