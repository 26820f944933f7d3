import type { Admin, Kafka } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { type ClientOptions, kafkaConfigOf } from './client-options.ts'
import { kafkaFailure } from './failures.ts'

/** Enough for a broker that is being elected; who is not there at all is told so after some seconds. */
const retry = { initialRetryTime: 100, retries: 5 }

/** Does `work` with a client of the cluster. @throws MillraceError in plain words, whatever kafkajs throws */
export async function withKafka<R>(
  environment: Environment,
  options: ClientOptions,
  work: (kafka: Kafka) => Promise<R>,
): Promise<R> {
  const config = kafkaConfigOf(options, environment.disk)
  // kafkajs hands Node delays below zero.
  environment.host.ignoreWarnings('TimeoutNegativeWarning')
  // Loaded when it is needed: the broker's own command does without.
  const [{ Kafka, logLevel }, { registerCodecs }] = await Promise.all([import('kafkajs'), import('./codecs.ts')])
  registerCodecs()
  try {
    return await work(new Kafka({ ...config, retry, logLevel: logLevel.NOTHING }))
  } catch (error) {
    throw kafkaFailure(error, options.bootstrapServer)
  }
}

export function withAdmin<R>(
  environment: Environment,
  options: ClientOptions,
  work: (admin: Admin, kafka: Kafka) => Promise<R>,
): Promise<R> {
  return withKafka(environment, options, async (kafka) => {
    const admin = kafka.admin()
    await admin.connect()
    try {
      return await work(admin, kafka)
    } finally {
      await admin.disconnect()
    }
  })
}

/** Calls `stop` at the first Ctrl-C or SIGTERM; a second one ends the process as it would have anyway. */
export function onInterrupt({ host }: Environment, stop: () => void): () => void {
  const cancel = host.onSignal(['SIGINT', 'SIGTERM'], () => {
    cancel()
    stop()
  })
  return cancel
}
