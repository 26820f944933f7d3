import { setTimeout as pause } from 'node:timers/promises'
import { messageCodec } from '../../src/broker/protocol/message-codec.ts'
import { createTopics } from '../../src/broker/protocol/messages/create-topics.ts'
import { deleteTopics } from '../../src/broker/protocol/messages/delete-topics.ts'
import { fetch } from '../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../src/broker/protocol/messages/produce.ts'
import { WireReader } from '../../src/broker/protocol/wire-reader.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { ProtocolClient, requestFrame } from '../../test/broker/server/protocol-client.ts'
import type { Contender } from './contender.ts'
import { LeanConnection } from './lean-connection.ts'
import type { RecordsPerSecond } from './perf-tools.ts'

/**
 * A client that does next to nothing, so that the broker is what is measured: it sends one request again and again, which was made
 * before, and does not look into what it fetches.
 */

const version = { produce: 8, fetch: 11, createTopics: 4, deleteTopics: 3, metadata: 7 }
/** As many as Java's producer has under way at a time. */
const inFlight = 5
const fetchBytes = 1 << 20
const waitMs = 30_000
const notLeader = 6
const mostTries = 100
const retryMs = 20

export async function connectTo({ address }: Contender): Promise<ProtocolClient> {
  return ProtocolClient.connect(nodeEnvironment().network, address)
}

export async function makeTopic(contender: Contender, name: string): Promise<void> {
  await using client = await closing(contender)
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await client.request(createTopics, version.createTopics, { topics: [topic], timeoutMs: waitMs })
  require(topics[0]?.errorCode, `making ${name}`)
  // Apache Kafka has a topic before its partitions have a leader.
  for (let isReady = false; !isReady; ) {
    const found = await client.request(metadata, version.metadata, { topics: [{ name }] })
    isReady = found.topics[0]?.errorCode === 0 && found.topics[0].partitions[0]?.errorCode === 0
  }
}

export async function removeTopic(contender: Contender, name: string): Promise<void> {
  await using client = await closing(contender)
  await client.request(deleteTopics, version.deleteTopics, { topicNames: [name], timeoutMs: waitMs })
}

/** One batch of so many bytes, or of one record where they are fewer. */
export function batchOf(batchBytes: number, recordBytes: number): { readonly bytes: Buffer; readonly records: number } {
  const builder = new BatchBuilder()
  const value = Buffer.alloc(recordBytes, 'x')
  let records = 0
  do {
    builder.append(Date.now(), null, 0, -1, value, 0, value.length)
    records++
  } while ((records + 1) * (recordBytes + 8) < batchBytes)
  return { bytes: builder.finish(), records }
}

export interface LeanLoad {
  readonly topic: string
  readonly batchBytes: number
  readonly recordBytes: number
  readonly records: number
  readonly acks: 1 | -1
}

export async function leanProduce(contender: Contender, load: LeanLoad): Promise<RecordsPerSecond> {
  const { topic, acks } = load
  const batch = batchOf(load.batchBytes, load.recordBytes)
  const count = Math.ceil(load.records / batch.records)
  await sendOne(contender, topic, batch.bytes)
  await using connection = await LeanConnection.connect(contender.address)
  const request = requestFrame(produce, version.produce, 1, produceRequest(topic, batch.bytes, acks))
  let left = count
  const errorCodeAt = errorCodeOfProduceAt(topic)
  const begin = performance.now()
  await connection.exchange(
    () => (left-- > 0 ? request : undefined),
    inFlight,
    (answer) => require(answer.readInt16BE(errorCodeAt), `producing to ${topic}`),
  )
  return (count * batch.records * 1_000) / (performance.now() - begin)
}

/** The first one to a new topic: Apache Kafka says who leads it a moment before the leader knows. */
async function sendOne(contender: Contender, topic: string, records: Buffer): Promise<void> {
  await using client = await closing(contender)
  await send(client, topic, records, -1)
}

/** Where the answer to a produce has its error: behind the correlation id, both counts, the name, and the partition. */
function errorCodeOfProduceAt(topic: string): number {
  return 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4
}

/** The number of records is known, so nothing of the batches has to be looked at but where the last one ends. */
export async function leanConsume(contender: Contender, topic: string, records: number): Promise<RecordsPerSecond> {
  await using connection = await LeanConnection.connect(contender.address)
  const codec = messageCodec(fetch.response, version.fetch, false)
  let offset = 0
  const begin = performance.now()
  await connection.exchange(
    () => (offset < records ? requestFrame(fetch, version.fetch, 1, fetchRequest(topic, offset)) : undefined),
    1,
    (answer) => {
      const reader = new WireReader(answer)
      reader.position = 4
      const partition = codec.read(reader).responses[0]?.partitions[0]
      require(partition?.errorCode, `fetching from ${topic}`)
      offset = endOf(partition?.records as Buffer, offset)
    },
  )
  return (records * 1_000) / (performance.now() - begin)
}

/** Milliseconds from sending a record until a fetch that waits for it has it, sorted. */
export async function latencies(contender: Contender, topic: string, count: number): Promise<number[]> {
  await using producer = await closing(contender)
  await using consumer = await closing(contender)
  const { bytes } = batchOf(0, 100)
  await send(producer, topic, bytes, -1)
  const took: number[] = []
  for (let offset = 1; offset <= count; offset++) {
    const fetched = fetchFrom(consumer, topic, offset)
    const begin = performance.now()
    await send(producer, topic, bytes, -1)
    await fetched
    took.push(performance.now() - begin)
  }
  return took.sort((a, b) => a - b)
}

async function send(client: ProtocolClient, topic: string, records: Buffer, acks: 1 | -1): Promise<void> {
  await led(`producing to ${topic}`, async () => {
    const request = produceRequest(topic, records, acks)
    const { responses } = await client.request(produce, version.produce, request)
    return responses[0]?.partitionResponses[0]
  })
}

function produceRequest(topic: string, records: Buffer, acks: 1 | -1) {
  return { acks, timeoutMs: waitMs, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
}

async function fetchFrom(client: ProtocolClient, topic: string, fetchOffset: number): Promise<void> {
  const { responses } = await client.request(fetch, version.fetch, fetchRequest(topic, fetchOffset))
  require(responses[0]?.partitions[0]?.errorCode, `fetching from ${topic}`)
}

function fetchRequest(topic: string, fetchOffset: number) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: fetchBytes }]
  return {
    ...{ maxWaitMs: waitMs, minBytes: 1, isolationLevel: 0, sessionId: 0, rackId: '' },
    ...{ topics: [{ topic, partitions }], forgottenTopicsData: [] },
  }
}

/** Asks again while nobody leads the partition: Apache Kafka says who leads a new one a moment before the leader knows. */
async function led<T extends { readonly errorCode: number }>(
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    if (answer?.errorCode === notLeader && tries < mostTries) await pause(retryMs)
    else {
      require(answer?.errorCode, what)
      return answer as T
    }
  }
}

/** The offset behind the last whole batch. */
function endOf(batches: Buffer, offset: number): number {
  let end = offset
  for (let at = 0; at + 61 <= batches.length; ) {
    const next = at + 12 + batches.readInt32BE(at + 8)
    if (next > batches.length) break
    end = Number(batches.readBigInt64BE(at)) + batches.readInt32BE(at + 23) + 1
    at = next
  }
  return end
}

function require(errorCode: number | undefined, what: string): void {
  if (errorCode !== 0) throw new Error(`${what} was answered with the error ${errorCode}`)
}

async function closing(contender: Contender): Promise<ProtocolClient & AsyncDisposable> {
  const client = await connectTo(contender)
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      client.connection.end()
      await client.closed
    },
  })
}
