import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerTlsOptions } from '../../src/env/environment.ts'
import { root } from '../source-files.ts'

const folder = join(root, 'test/vectors/tls')

/** A certificate or key of the tests, by the name of its file (`test/vectors/tls/make.sh` made them). */
export function pem(file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

export const authority = pem('authority.pem')
export const serverTls: ServerTlsOptions = { certificate: pem('server.pem'), key: pem('server.key'), ca: authority }
/** What the certificate of alice says, as Java's `X500Principal.getName()` does. */
export const aliceName = 'CN=alice+OU=Grinding,O=Mühle\\, Söhne,C=CH'

export function clientIdentity(name: 'alice' | 'mallory' | 'expired'): { certificate: string; key: string } {
  return { certificate: pem(`${name}.pem`), key: pem(`${name}.key`) }
}
