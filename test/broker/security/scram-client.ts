import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

/** The client's side of SCRAM, written from RFC 5802 for the tests and knowing nothing of the server's. */
export class ScramClient {
  readonly #hash: string
  readonly #password: string
  readonly #header: string
  readonly #bare: string
  readonly #nonce: string
  #authMessage = ''
  #salted: Buffer = Buffer.alloc(0)

  constructor(mechanism: string, user: string, password: string, header = 'n,,', nonce = 'fyko+d2lbbFgONRv9qkxdawL') {
    this.#hash = mechanism.endsWith('256') ? 'sha256' : 'sha512'
    this.#password = password
    this.#header = header
    this.#nonce = nonce
    this.#bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  first(): Buffer {
    return Buffer.from(this.#header + this.#bare)
  }

  last(serverFirst: string): Buffer {
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
    if (!nonce.startsWith(this.#nonce)) throw new Error(`the server's nonce is not ours: ${serverFirst}`)
    const withoutProof = `c=${Buffer.from(this.#header).toString('base64')},r=${nonce}`
    this.#authMessage = `${this.#bare},${serverFirst},${withoutProof}`
    const bytes = this.#hash === 'sha256' ? 32 : 64
    this.#salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), bytes, this.#hash)
    const clientKey = this.#hmac(this.#salted, 'Client Key')
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), this.#authMessage)
    const proof = clientKey.map((byte, i) => byte ^ (signature[i] as number))
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }

  /** Whether who answered knows the user's credential. */
  isServer(answer: string): boolean {
    const signature = this.#hmac(this.#hmac(this.#salted, 'Server Key'), this.#authMessage)
    return answer === `v=${signature.toString('base64')}`
  }

  #hmac(key: Buffer, message: string): Buffer {
    return createHmac(this.#hash, key).update(message).digest()
  }
}
