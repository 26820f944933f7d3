import type { Command } from 'commander'
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import type { Disk } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { readProperties } from '../properties-file.ts'
import { readTextFile } from '../text-file.ts'

/** How the cluster is found and entered, the same for every command. */
export interface ClientOptions {
  readonly bootstrapServer: string
  readonly commandConfig?: string
}

export function addClientOptions(command: Command): Command {
  return command
    .requiredOption('--bootstrap-server <host:port,...>', 'one broker of the cluster, or several')
    .option(
      '--command-config <file>',
      "a file with Kafka's settings of clients: security.protocol, sasl.mechanism, sasl.jaas.config, ssl.truststore.location and ssl.keystore.location (PEM), client.id",
    )
}

/** The console tools of Kafka call the file of `--command-config` by another name too. */
export function withConfigFile<O extends ClientOptions>(options: O, file: string | undefined): O {
  return file === undefined ? options : { commandConfig: file, ...options }
}

export const everyValue = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/**
 * `a=1`, `b=2` as a map.
 * @throws MillraceError INVALID_ARGUMENT where one has no `=`, or a name that is not one of those that are known
 */
export function propertiesOf(option: string, given: readonly string[], known?: readonly string[]): Map<string, string> {
  const properties = new Map<string, string>()
  for (const text of given) {
    const at = text.indexOf('=')
    const name = at < 0 ? text : text.slice(0, at)
    if (at <= 0) throw invalid(`'${text}' is not NAME=VALUE`, `Write ${option} ${known?.[0] ?? 'retention.ms'}=...`)
    if (known?.includes(name) === false)
      throw invalid(`'${name}' is not a property of ${option}`, `There are: ${known.join(', ')}.`)
    properties.set(name, text.slice(at + 1))
  }
  return properties
}

/** @throws MillraceError INVALID_ARGUMENT */
export function wholeNumber(option: string, text: string, least: number = 0): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= least) return value
  throw invalid(`'${text}' is not a value of ${option}`, `Write a whole number from ${least} on.`)
}

export function invalid(what: string, remedy: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', what, { remedy })
}

/** @throws MillraceError INVALID_ARGUMENT where the file cannot be read, or asks for what there is not */
export function kafkaConfigOf({ bootstrapServer, commandConfig }: ClientOptions, disk: Disk): KafkaConfig {
  const brokers = bootstrapServer.split(',').map((server) => server.trim())
  const wrong = brokers.find((server) => !/^.+:\d+$/.test(server))
  if (wrong !== undefined) throw invalid(`'${wrong}' is not HOST:PORT`, 'Write it as localhost:9092.')
  const settings =
    commandConfig === undefined ? new Map<string, string>() : readProperties(readTextFile(disk, commandConfig))
  const protocol = settings.get('security.protocol') ?? 'PLAINTEXT'
  if (!['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].includes(protocol)) {
    throw invalid(`'${protocol}' is not a security.protocol`, 'There are PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL.')
  }
  return {
    brokers,
    clientId: settings.get('client.id') ?? 'millrace-cli',
    ...(protocol.endsWith('SSL') && { ssl: sslOf(settings, disk) }),
    ...(protocol.startsWith('SASL') && { sasl: saslOf(settings) }),
  }
}

function sslOf(settings: ReadonlyMap<string, string>, disk: Disk): NonNullable<KafkaConfig['ssl']> {
  const trusted = settings.get('ssl.truststore.location')
  const own = settings.get('ssl.keystore.location')
  const pem = own === undefined ? undefined : readTextFile(disk, own)
  const passphrase = settings.get('ssl.key.password')
  const isNameChecked = settings.get('ssl.endpoint.identification.algorithm') !== ''
  return {
    ...(trusted !== undefined && { ca: [readTextFile(disk, trusted)] }),
    ...(pem !== undefined && { key: pem, cert: pem }),
    ...(passphrase !== undefined && { passphrase }),
    ...(!isNameChecked && { checkServerIdentity: () => undefined }),
  }
}

function saslOf(settings: ReadonlyMap<string, string>): SASLOptions {
  const mechanism = (settings.get('sasl.mechanism') ?? '').toLowerCase()
  const jaas = settings.get('sasl.jaas.config') ?? ''
  const username = /\busername="((?:\\.|[^"])*)"/.exec(jaas)?.[1]
  const password = /\bpassword="((?:\\.|[^"])*)"/.exec(jaas)?.[1]
  if (mechanism !== 'plain' && mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512') {
    throw invalid(`'${mechanism}' is not a sasl.mechanism`, 'There are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.')
  }
  if (username === undefined || password === undefined) {
    throw invalid('sasl.jaas.config names nobody', 'Write ... required username="alice" password="secret";')
  }
  return { mechanism, username, password } as SASLOptions
}
