import { createPrivateKey } from 'node:crypto'
import type { KafkaConfig } from 'kafkajs'
import type { Api } from '../../broker/protocol/api.ts'
import { codeOf, type KafkaError, nameOf } from '../../broker/protocol/error-codes.ts'
import type { ReadOf, WriteOf } from '../../broker/protocol/field.ts'
import { apiVersions } from '../../broker/protocol/messages/api-versions.ts'
import { findCoordinator } from '../../broker/protocol/messages/find-coordinator.ts'
import { metadata } from '../../broker/protocol/messages/metadata.ts'
import type { Address, ClientTlsOptions, Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { type ClientOptions, invalid, kafkaConfigOf } from './client-options.ts'
import { kafkaFailure } from './failures.ts'
import { WireConnection } from './wire-connection.ts'
import { type Login, logIn } from './wire-login.ts'

export interface Coordinator extends Address {
  readonly nodeId: number
}

/** What is asked of a cluster without kafkajs, which does not know all APIs. Each question has a connection of its own. */
export class WireCluster {
  readonly #environment: Environment
  readonly #config: KafkaConfig

  constructor(environment: Environment, options: ClientOptions) {
    this.#environment = environment
    this.#config = kafkaConfigOf(options, environment.disk)
  }

  /** @throws MillraceError REQUEST_REFUSED */
  async coordinatorOf(groupId: string): Promise<Coordinator> {
    const answer = await this.#withAny((wire) => wire.ask(findCoordinator, 2, { key: groupId, keyType: 0 }))
    requireGranted(answer.errorCode)
    return { nodeId: answer.nodeId, host: answer.host, port: answer.port }
  }

  /** @throws MillraceError UNSUPPORTED_VERSION where the cluster does not have that API */
  async askCoordinator<const A extends Api>(
    groupId: string,
    api: A,
    version: number,
    request: WriteOf<A['request']>,
  ): Promise<ReadOf<A['response']>> {
    return this.#with(await this.coordinatorOf(groupId), (wire) => askWhatIsThere(wire, api, version, request))
  }

  /** @throws MillraceError UNSUPPORTED_VERSION where the cluster does not have that API */
  ask<const A extends Api>(api: A, version: number, request: WriteOf<A['request']>): Promise<ReadOf<A['response']>> {
    return this.#withAny((wire) => askWhatIsThere(wire, api, version, request))
  }

  async brokerIds(): Promise<number[]> {
    const { brokers } = await this.ask(metadata, 1, { topics: [] })
    return brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
  }

  /** @throws MillraceError UNSUPPORTED_VERSION where the cluster does not have that API, INVALID_ARGUMENT without such a broker */
  async askBroker<const A extends Api>(
    nodeId: number,
    api: A,
    version: number,
    request: WriteOf<A['request']>,
  ): Promise<ReadOf<A['response']>> {
    const { brokers } = await this.ask(metadata, 1, { topics: [] })
    const broker = brokers.find((one) => one.nodeId === nodeId)
    if (broker === undefined) {
      throw invalid(`There is no broker ${nodeId}`, `There are: ${brokers.map((one) => one.nodeId).join(', ')}.`)
    }
    return this.#with(broker, (wire) => askWhatIsThere(wire, api, version, request))
  }

  /** The first broker that answers. */
  async #withAny<R>(work: (wire: WireConnection) => Promise<R>): Promise<R> {
    let failure: unknown
    for (const server of this.#config.brokers as string[]) {
      const at = server.lastIndexOf(':')
      try {
        return await this.#with({ host: server.slice(0, at), port: Number(server.slice(at + 1)) }, work)
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== 'NETWORK_FAILED') throw error
        failure = error
      }
    }
    throw failure
  }

  async #with<R>(address: Address, work: (wire: WireConnection) => Promise<R>): Promise<R> {
    const { clientId = '', sasl } = this.#config
    const wire = await WireConnection.open(this.#environment, address, clientId, tlsOf(this.#config))
    try {
      if (sasl !== undefined) await logIn(wire, sasl as Login, this.#environment.random)
      return await work(wire)
    } finally {
      wire.close()
    }
  }
}

/** A refusal as of kafkajs; in the cluster's own words where it has any. */
export function refusalOf(code: number, message: string | null = null): MillraceError {
  const type: KafkaError = nameOf(code)
  // Apache Kafka leaves some messages empty.
  const what = message === null || message === '' ? type.toLowerCase().replaceAll('_', ' ') : message
  return kafkaFailure(Object.assign(new Error(what), { type }), '')
}

/** @throws MillraceError */
export function requireGranted(code: number, message: string | null = null): void {
  if (code !== codeOf('NONE')) throw refusalOf(code, message)
}

async function askWhatIsThere<const A extends Api>(
  wire: WireConnection,
  api: A,
  version: number,
  request: WriteOf<A['request']>,
): Promise<ReadOf<A['response']>> {
  const { apiKeys } = await wire.ask(apiVersions, 0, {})
  const isThere = apiKeys.some(
    ({ apiKey, minVersion, maxVersion }) => apiKey === api.key && minVersion <= version && version <= maxVersion,
  )
  if (!isThere) throw new MillraceError('UNSUPPORTED_VERSION', `The cluster does not have ${api.name} ${version}`)
  return wire.ask(api, version, request)
}

function tlsOf({ ssl }: KafkaConfig): ClientTlsOptions | undefined {
  if (ssl === undefined || typeof ssl === 'boolean') return ssl === true ? {} : undefined
  const { ca, cert, key, passphrase, checkServerIdentity } = ssl
  if (checkServerIdentity !== undefined) {
    throw invalid(
      'This is only asked of servers whose name is verified',
      'Leave out ssl.endpoint.identification.algorithm.',
    )
  }
  return {
    ...(Array.isArray(ca) && { ca: ca.join('\n') }),
    ...(cert !== undefined &&
      key !== undefined && { certificate: String(cert), key: openKey(String(key), passphrase) }),
  }
}

function openKey(key: string, passphrase: string | undefined): string {
  if (passphrase === undefined) return key
  try {
    return createPrivateKey({ key, passphrase }).export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch {
    throw invalid('The key in ssl.keystore.location cannot be read', 'Is ssl.key.password its password?')
  }
}
