import { apiOf } from '../../src/broker/protocol/apis.ts'
import { apiVersions } from '../../src/broker/protocol/messages/api-versions.ts'
import { produce } from '../../src/broker/protocol/messages/produce.ts'
import { includesVersion, versionRange } from '../../src/broker/protocol/version-range.ts'
import type { Connection, ConnectionHandler } from '../../src/env/environment.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { MillraceError } from '../../src/errors.ts'
import { type SecuredBroker, secureBroker } from '../broker/guards/secured-broker.ts'
import { batchOf } from '../broker/records.ts'
import { type ServedBroker, serveBroker } from '../broker/server/served-broker.ts'
import { mutated } from './mutator.ts'
import { messagesOf } from './protocol-messages.ts'

/** A request that the broker did not take well. */
export interface ServerCrasher {
  readonly hex: string
  readonly what: string
}

/** Requests of a run, after each of which an honest client is served. */
const requestsBetweenChecks = 20
const turnsOfRequest = 12

/**
 * Sends changed requests of every API and version to a broker, each on a connection of its own: it answers or closes, fails
 * with nothing but errors of ours, and an honest client beside is served all the while. Returns the first request that it
 * did not take well.
 */
export async function fuzzServer(runs: number, seed: number): Promise<ServerCrasher | undefined> {
  const random = new SeededRandom(seed)
  const corpus = messagesOf('request', seed, 1)
  const hasRules = random.uint32() % 2 === 0
  const served = hasRules ? await secureBroker() : await serveBroker()
  await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
  const rejections: unknown[] = []
  const note = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', note)
  try {
    for (let i = 0; i < runs; i++) {
      const frame = framed(random.uint32() % 3 === 0 ? pick(corpus, random) : mutated(corpus, random), random)
      const what = (await faultOf(served, frame)) ?? faultIn(rejections)
      if (what !== undefined) return { hex: frame.toString('hex'), what }
      if (i % requestsBetweenChecks === 0) await serveHonestly(served)
    }
    for (let i = 0; i < 50; i++) await served.environment.timers.nextTurn()
    if (served.server.heldBytes !== 0) return { hex: '', what: `${served.server.heldBytes} bytes are held for nobody` }
    return undefined
  } finally {
    process.off('unhandledRejection', note)
    await served.close()
  }
}

/** A request with its size and header; the message begins with the key of its API and its version, as in the fuzz of codecs. */
function framed(message: Buffer, random: SeededRandom): Buffer {
  const bytes = message.length < 4 ? Buffer.concat([message, Buffer.alloc(4)]) : message
  const api = apiOf(bytes.readInt16BE(0))
  const isFlexible = api !== undefined && includesVersion(versionRange(api.flexible), bytes.readInt16BE(2))
  const header = Buffer.from([0, 0, 0, 1, 0, 1, 0x66, ...(isFlexible ? [0] : [])])
  const body = Buffer.concat([bytes.subarray(0, 4), header, bytes.subarray(4)])
  const size = Buffer.alloc(4)
  // Now and then a size that is not right.
  size.writeInt32BE(random.uint32() % 50 === 0 ? random.uint32() | 0 : body.length)
  return Buffer.concat([size, body])
}

async function faultOf(served: ServedBroker | SecuredBroker, frame: Buffer): Promise<string | undefined> {
  const before = served.errors.length
  const connection = await connect(served)
  connection.write(frame)
  for (let i = 0; i < turnsOfRequest; i++) await served.environment.timers.nextTurn()
  await served.environment.clock.advanceAsync(50)
  connection.destroy()
  await served.environment.timers.nextTurn()
  return faultIn(served.errors.slice(before))
}

function faultIn(errors: readonly unknown[]): string | undefined {
  const foreign = errors.find((error) => !(error instanceof MillraceError) && !isLost(error))
  return foreign === undefined ? undefined : `an error that is not ours: ${(foreign as Error).stack ?? String(foreign)}`
}

/** The connection was ended by the client. */
function isLost(error: unknown): boolean {
  return (error as { code?: string }).code === 'ECONNRESET'
}

/** A connection whose answers nobody looks at; with logins it has logged in. */
async function connect(served: ServedBroker | SecuredBroker): Promise<Connection> {
  if ('login' in served) {
    const client = await served.login('admin')
    client.onData = () => {}
    return client.connection
  }
  const deaf: ConnectionHandler = { onData: () => {}, onClose: () => {} }
  return served.environment.network.connect(served.server.address, deaf)
}

async function serveHonestly(served: ServedBroker | SecuredBroker): Promise<void> {
  const honest = 'login' in served ? await served.login('admin') : await served.connect()
  const { errorCode } = await honest.request(apiVersions, 0, {})
  if (errorCode !== 0) throw new Error(`ApiVersions fails with ${errorCode}`)
  if (served.broker.topics.get('honest') === undefined)
    await served.broker.createTopics([{ name: 'honest', partitions: 1 }])
  const topicData = [{ name: 'honest', partitionData: [{ index: 0, records: batchOf('v') }] }]
  const { responses } = await honest.request(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData,
  })
  if (responses[0]?.partitionResponses[0]?.errorCode !== 0) throw new Error('an append fails')
  honest.connection.destroy()
}

function pick<T>(all: readonly T[], random: SeededRandom): T {
  return all[random.uint32() % all.length] as T
}
