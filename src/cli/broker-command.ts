import type { Command } from 'commander'
import { openBroker } from '../broker/broker.ts'
import { handlersOf } from '../broker/handlers/handlers.ts'
import { listenForClients } from '../broker/server/broker-server.ts'
import type { Address, Environment } from '../env/environment.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { brokerSettingsOf } from './broker-settings.ts'

interface StartOptions {
  readonly data: string
  readonly listen: string
  readonly advertise?: string
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
    .option('--listen <host:port>', 'where clients are served; port 0 takes a free one', '127.0.0.1:9092')
    .option('--advertise <host:port>', 'what clients are told to connect to (default: where it listens)')
    .option('--flush <when>', "when an append is acknowledged: 'fsync' or 'page-cache'", 'fsync')
    .option('--config <name=value>', "a setting by Kafka's name, as num.partitions=3; repeatable", everyValue, [])
    .action((options: StartOptions) => startBroker(options, environment))
}

async function startBroker(options: StartOptions, environment: Environment): Promise<void> {
  const { host } = environment
  if (options.flush !== 'fsync' && options.flush !== 'page-cache') {
    throw new MillraceError('INVALID_ARGUMENT', `'${options.flush}' is not a way to flush`, {
      remedy: "Use 'fsync' or 'page-cache'.",
    })
  }
  const listen = addressOf(options.listen)
  const advertised = options.advertise === undefined ? undefined : addressOf(options.advertise)
  const settings = brokerSettingsOf(options.config)
  const broker = await openBroker({ directory: options.data, environment, flush: options.flush, settings })
  const handlers = handlersOf(broker)
  const complain = (error: unknown, peer: Address): void =>
    host.write('error', `connection of ${peer.host}:${peer.port} ended: ${messageOf(error)}\n`)
  try {
    const server = await listenForClients({
      environment,
      listen,
      handlers,
      onConnectionError: complain,
      ...(advertised && { advertised }),
    })
    const { host: at, port } = server.advertised
    host.write('out', `ready: ${at}:${port}, data in ${options.data}, cluster ${broker.clusterId}\n`)
    const signal = await nextSignal(environment)
    host.write('error', `${signal}: closing\n`)
    await server.close()
  } finally {
    await broker.close()
  }
  host.write('out', 'closed\n')
}

function nextSignal({ host }: Environment): Promise<string> {
  return new Promise((resolve) => {
    const cancel = host.onSignal(['SIGINT', 'SIGTERM'], (signal) => {
      cancel()
      resolve(signal)
    })
  })
}

function addressOf(text: string): Address {
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  const host = text.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1')
  if (host !== '' && /^\d+$/.test(text.slice(colon + 1)) && port <= 65_535) return { host, port }
  throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not HOST:PORT`, { remedy: 'Write it as 127.0.0.1:9092.' })
}
