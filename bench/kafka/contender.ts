import { startApacheKafka } from '../../test/interop/apache-kafka.ts'
import { startOwnBroker } from '../../test/interop/own-broker.ts'

/** A broker in the race, as a process of its own. */
export interface Contender {
  readonly name: string
  readonly bootstrapServers: string
  readonly address: { readonly host: string; readonly port: number }
  readonly processId: number
  stop(): Promise<void>
}

/**
 * What acknowledged means: `page-cache`, the operating system has it, which is Apache Kafka's default and an option of ours; or
 * `fsync`, the device has it, which is our default and which Apache Kafka does where `log.flush.interval.messages` is 1.
 */
export type Durability = 'page-cache' | 'fsync'

/** Both brokers, in the same durability. */
export async function startContenders(durability: Durability): Promise<readonly [ours: Contender, theirs: Contender]> {
  const ours = await startOwnBroker({ flush: durability })
  const flushed = durability === 'fsync' ? { 'log.flush.interval.messages': '1' } : {}
  // Its memory is what Apache's own script gives it; without topics made unasked both have the same ones.
  const theirs = await startApacheKafka({ settings: { 'auto.create.topics.enable': 'false', ...flushed }, heap: '1g' })
  return [
    { ...contender('Millrace', ours.bootstrapServers), processId: ours.processId, stop: () => ours.stop() },
    {
      ...contender('Apache Kafka', theirs.bootstrapServers),
      processId: theirs.processIds[0] as number,
      stop: () => theirs.stop(),
    },
  ]
}

function contender(name: string, bootstrapServers: string) {
  const [host, port] = bootstrapServers.split(':') as [string, string]
  return { name, bootstrapServers, address: { host, port: Number(port) } }
}
