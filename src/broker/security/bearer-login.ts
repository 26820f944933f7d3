/** What a client of OAUTHBEARER says (RFC 7628). */
export interface BearerLogin {
  readonly token: string
  /** Who it wants to be; empty where it is for the token to say. */
  readonly authorizationId: string
}

const separator = '\x01'
const headerShape = /^n,(?:a=((?:[^=,]|=2C|=3D)+))?,$/
const authorizationShape = /^auth=bearer +([-_~+/.A-Za-z0-9]+=*)$/i

/** Reads a login; undefined where it is not one. What else it says beside the token is left out, as nobody asks for it. */
export function readBearerLogin(message: Buffer): BearerLogin | undefined {
  const [header = '', ...pairs] = message.toString().split(separator)
  const found = headerShape.exec(header)
  // The last pair is followed by a separator, and the whole by another one.
  if (found === null || pairs.length < 3 || pairs.pop() !== '' || pairs.pop() !== '') return undefined
  if (pairs.some((pair) => !/^[A-Za-z]+=./.test(pair))) return undefined
  const stated = pairs.filter((pair) => pair.startsWith('auth='))
  const token = stated.length === 1 ? authorizationShape.exec(stated[0] as string)?.[1] : undefined
  if (token === undefined) return undefined
  const [, authorizationId = ''] = found
  return { token, authorizationId: authorizationId.replaceAll('=2C', ',').replaceAll('=3D', '=') }
}

/** What a client is told whose token is not taken; it answers with a single byte, and the login has failed. */
export const invalidToken: Buffer = Buffer.from('{"status":"invalid_token"}')
