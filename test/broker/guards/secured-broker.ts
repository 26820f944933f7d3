import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import { serviceOf } from '../../../src/broker/broker-service.ts'
import type { Api } from '../../../src/broker/protocol/api.ts'
import type { ReadOf, WriteOf } from '../../../src/broker/protocol/field.ts'
import { saslAuthenticate } from '../../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../../src/broker/protocol/messages/sasl-handshake.ts'
import type { AccessRule } from '../../../src/broker/security/access-rule.ts'
import { recordOfRule } from '../../../src/broker/security/access-rules.ts'
import { type BrokerServer, listenForClients } from '../../../src/broker/server/broker-server.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../src/env/virtual-environment.ts'
import type { AuthorizerOptions } from '../../../src/listener-options.ts'
import { ProtocolClient } from '../server/protocol-client.ts'

export interface SecuredBroker {
  readonly environment: VirtualEnvironment
  readonly broker: Broker
  readonly server: BrokerServer
  readonly errors: unknown[]
  /** A client that has logged in: `admin` is a super user. */
  login(user: string): Promise<ProtocolClient>
  /** Replaces all rules. */
  setRules(rules: readonly AccessRule[]): Promise<void>
  close(): Promise<void>
}

const users = { admin: 'x', alice: 'x', bob: 'x' }

/** A broker with logins and rules, or without rules. */
export async function secureBroker(
  authorizer: AuthorizerOptions | 'none' = { superUsers: ['User:admin'] },
  disk?: MemoryDisk,
): Promise<SecuredBroker> {
  const environment = virtualEnvironment({ seed: 1, ...(disk && { disk }) })
  const settings = { initialRebalanceDelayMs: 0 }
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
  const errors: unknown[] = []
  const sasl = { mechanisms: ['PLAIN'], plain: users } as const
  const server = await listenForClients({
    environment,
    listeners: [{ host: 'localhost', port: 9092, protocol: 'SASL_PLAINTEXT', sasl }],
    ...serviceOf(broker, authorizer === 'none' ? undefined : authorizer),
    onConnectionError: (error) => errors.push(error),
  })
  const login = async (user: string): Promise<ProtocolClient> => {
    const client = await ProtocolClient.connect(environment.network, server.address)
    await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
    const { errorCode } = await client.request(saslAuthenticate, 2, { authBytes: Buffer.from(`\0${user}\0x`) })
    if (errorCode !== 0) throw new Error(`${user} cannot log in`)
    return client
  }
  let next = 0
  const setRules = async (rules: readonly AccessRule[]): Promise<void> => {
    const old = [...broker.topics.rules.all.keys()].map((id) => ({ type: 'remove-access-control-entry', id }) as const)
    const made = rules.map((rule) => recordOfRule(Buffer.alloc(16, (next++ % 250) + 1).toString('base64url'), rule))
    await broker.topics.secure([...old, ...made])
  }
  const close = async (): Promise<void> => {
    await server.close()
    await broker.close()
  }
  return { environment, broker, server, errors, login, setRules, close }
}

/** What a client asks for, whatever the API. */
export function ask<const A extends Api>(
  client: ProtocolClient,
  api: A,
  version: number,
  body: WriteOf<A['request']>,
): Promise<ReadOf<A['response']>> {
  return client.request(api, version, body)
}
