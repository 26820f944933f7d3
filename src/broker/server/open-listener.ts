import type { Address, Connection, ConnectionHandler, Listener, Network } from '../../env/environment.ts'
import { MillraceError, messageOf } from '../../errors.ts'
import type { ListenerTls } from '../../listener-options.ts'
import type { LoginMethods } from '../security/login-methods.ts'
import type { ListenerSettings } from './listener-settings.ts'

/** One of the ports of a server. */
export class OpenListener {
  readonly settings: ListenerSettings
  /** How clients log in; undefined where they do not. */
  readonly logins: LoginMethods | undefined
  #port: Listener | undefined

  constructor(settings: ListenerSettings, logins: LoginMethods | undefined) {
    this.settings = settings
    this.logins = logins
  }

  /** @throws MillraceError NETWORK_FAILED */
  async open(network: Network, accept: (connection: Connection) => ConnectionHandler): Promise<void> {
    const { name, address, tls } = this.settings
    try {
      this.#port = await network.listen(address, accept, tls)
    } catch (cause) {
      const where = `${address.host}:${address.port} (${name})`
      throw new MillraceError('NETWORK_FAILED', `The broker cannot listen on ${where}: ${messageOf(cause)}`, {
        remedy: 'Choose another port, end the program that has it, or put its certificate and key right.',
        cause,
      })
    }
  }

  get name(): string {
    return this.settings.name
  }

  /** Where it listens. */
  get address(): Address {
    return this.#port?.address ?? this.settings.address
  }

  /** What clients are told to connect to. */
  get advertised(): Address {
    const { host, port } = this.address
    const isEverywhere = host === '0.0.0.0' || host === '::' || host === ''
    return this.settings.advertised ?? { host: isEverywhere ? 'localhost' : host, port }
  }

  /** Takes other certificates for connections to come. Whether and which clients show theirs is as before. */
  renewTls(tls: ListenerTls): void {
    this.#port?.renewTls(tls)
  }

  async close(): Promise<void> {
    await this.#port?.close()
  }
}
