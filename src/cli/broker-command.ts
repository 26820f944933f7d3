import type { Command } from 'commander'
import { type Broker, openBroker } from '../broker/broker.ts'
import { serviceOf } from '../broker/broker-service.ts'
import { type BrokerServer, listenForClients } from '../broker/server/broker-server.ts'
import type { Address, Environment } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import type { ListenerOptions } from '../listener-options.ts'
import { brokerConfigNames, brokerConfigOf } from './broker-config.ts'
import { listenersOf } from './listener-config.ts'
import { type ScramUser, scramUser, scramUserRecord } from './scram-user.ts'
import { readTextFile } from './text-file.ts'

interface StartOptions {
  readonly data: string
  readonly listen: readonly string[]
  readonly advertise: readonly string[]
  readonly addScram: readonly string[]
  readonly flush: string
  readonly config: readonly string[]
}

const everyValue = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** `millrace broker start`: a broker as a process of its own. */
export function addBrokerCommand(program: Command, environment: Environment): void {
  program
    .command('broker')
    .description('a broker as a process of its own')
    .command('start')
    .description('starts a broker, and runs it until SIGINT or SIGTERM')
    .requiredOption('--data <dir>', 'the directory of the log; made where it is missing')
    .option(
      '--listen <listener>',
      'where clients are served, as HOST:PORT or SSL://HOST:PORT; port 0 takes a free one; repeatable (default: 127.0.0.1:9092)',
      everyValue,
      [],
    )
    .option(
      '--advertise <listener>',
      'what clients of a listener are told to connect to, as HOST:PORT or SSL://HOST:PORT; repeatable (default: where it listens)',
      everyValue,
      [],
    )
    .option(
      '--add-scram <credential>',
      "a user with a password, as 'SCRAM-SHA-256=[name=alice,password=secret]', before anybody is let in; repeatable",
      everyValue,
      [],
    )
    .option('--flush <when>', "when an append is acknowledged: 'fsync' or 'page-cache'", 'fsync')
    .option(
      '--config <file|name=value>',
      "a setting by Kafka's name, as num.partitions=3, or a file of them, as Kafka's server.properties; repeatable, the later counts",
      everyValue,
      [],
    )
    .addHelpText('after', `\nSettings by Kafka's names:\n${brokerConfigNames.map((name) => `  ${name}`).join('\n')}\n`)
    .action((options: StartOptions) => startBroker(options, environment))
}

async function startBroker(options: StartOptions, environment: Environment): Promise<void> {
  const { host } = environment
  if (options.flush !== 'fsync' && options.flush !== 'page-cache') {
    throw new MillraceError('INVALID_ARGUMENT', `'${options.flush}' is not a way to flush`, {
      remedy: "Use 'fsync' or 'page-cache'.",
    })
  }
  const {
    broker: config,
    limits,
    authorizer,
  } = brokerConfigOf(options.config, (path) => readTextFile(environment.disk, path))
  const listeners = askedFor(options, environment)
  const users = options.addScram.map((text) => scramUser(text, environment.random))
  const broker = await openBroker({ directory: options.data, environment, flush: options.flush, config })
  const complain = (error: unknown, peer: Address): void =>
    host.write('error', `connection of ${peer.host}:${peer.port} ended: ${messageOf(error)}\n`)
  try {
    await broker.topics.secure(users.filter((user) => isNew(broker, user)).map(scramUserRecord))
    const server = await listenForClients({
      environment,
      listeners,
      ...serviceOf(broker, authorizer),
      onConnectionError: complain,
      limits,
    })
    const renewal = host.onSignal(['SIGHUP'], () => renewTls(server, options, environment))
    host.write('out', `ready: ${readyText(server)}, data in ${options.data}, cluster ${broker.clusterId}\n`)
    const signal = await nextSignal(environment)
    renewal()
    host.write('error', `${signal}: closing\n`)
    await server.close()
  } finally {
    await broker.close()
  }
  host.write('out', 'closed\n')
}

/** A password that was changed since is not put back. */
function isNew({ topics }: Broker, { name, mechanism }: ScramUser): boolean {
  return topics.credentials.get(mechanism, name) === undefined
}

function nextSignal({ host }: Environment): Promise<string> {
  return new Promise((resolve) => {
    const cancel = host.onSignal(['SIGINT', 'SIGTERM'], (signal) => {
      cancel()
      resolve(signal)
    })
  })
}

function askedFor({ listen, advertise, config }: StartOptions, { disk }: Environment): ListenerOptions[] {
  const readFile = (path: string) => readTextFile(disk, path)
  return listenersOf({ listen, advertise, config: brokerConfigOf(config, readFile).listeners, readFile })
}

/** Certificates and keys are read again, for connections to come; nothing changes where that fails. */
function renewTls(server: BrokerServer, options: StartOptions, environment: Environment): void {
  try {
    const renewed = askedFor(options, environment)
    for (const [i, listener] of server.listeners.entries()) {
      const tls = renewed[i]?.tls
      if (tls !== undefined) listener.renewTls(tls)
    }
    environment.host.write('error', 'SIGHUP: certificates were read again\n')
  } catch (error) {
    environment.host.write('error', `SIGHUP: certificates stay as they were: ${messageOf(error)}\n`)
  }
}

/** What clients are told of each listener; of one in clear text without its name, as before there were others. */
function readyText({ listeners }: BrokerServer): string {
  return listeners
    .map(({ name, advertised: { host, port } }) => `${name === 'PLAINTEXT' ? '' : `${name}://`}${host}:${port}`)
    .join(', ')
}
