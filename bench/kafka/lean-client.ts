import { setTimeout as pause } from 'node:timers/promises'
import { createTopics } from '../../src/broker/protocol/messages/create-topics.ts'
import { deleteTopics } from '../../src/broker/protocol/messages/delete-topics.ts'
import { fetch } from '../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../src/broker/protocol/messages/produce.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
import { ProtocolClient } from '../../test/broker/server/protocol-client.ts'
import type { Contender } from './contender.ts'
import type { RecordsPerSecond } from './perf-tools.ts'

/**
 * A client that does next to nothing, so that the broker is what is measured: it sends one batch again and again, which was made
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
  await using client = await closing(contender)
  const batch = batchOf(load.batchBytes, load.recordBytes)
  let left = Math.ceil(load.records / batch.records)
  const sent = left * batch.records
  const sendAll = async (): Promise<void> => {
    while (left-- > 0) await send(client, load.topic, batch.bytes, load.acks)
  }
  const begin = performance.now()
  await Promise.all(Array.from({ length: inFlight }, sendAll))
  return (sent * 1_000) / (performance.now() - begin)
}

/** The number of records is known, so nothing of the batches has to be looked at but where the last one ends. */
export async function leanConsume(contender: Contender, topic: string, records: number): Promise<RecordsPerSecond> {
  await using client = await closing(contender)
  const begin = performance.now()
  for (let offset = 0; offset < records; ) offset = endOf(await fetchFrom(client, topic, offset), offset)
  return (records * 1_000) / (performance.now() - begin)
}

/** Milliseconds from sending a record until a fetch that waits for it has it, sorted. */
export async function latencies(contender: Contender, topic: string, count: number): Promise<number[]> {
  await using producer = await closing(contender)
  await using consumer = await closing(contender)
  const { bytes } = batchOf(0, 100)
  const took: number[] = []
  for (let offset = 0; offset < count; offset++) {
    const fetched = fetchFrom(consumer, topic, offset)
    const begin = performance.now()
    await send(producer, topic, bytes, -1)
    await fetched
    took.push(performance.now() - begin)
  }
  return took.sort((a, b) => a - b)
}

async function send(client: ProtocolClient, topic: string, records: Buffer, acks: 1 | -1): Promise<void> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  await led(`producing to ${topic}`, async () => {
    const { responses } = await client.request(produce, version.produce, { acks, timeoutMs: waitMs, topicData })
    return responses[0]?.partitionResponses[0]
  })
}

async function fetchFrom(client: ProtocolClient, topic: string, fetchOffset: number): Promise<Buffer> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: fetchBytes }]
  const request = {
    ...{ maxWaitMs: waitMs, minBytes: 1, isolationLevel: 0, sessionId: 0, rackId: '' },
    ...{ topics: [{ topic, partitions }], forgottenTopicsData: [] },
  }
  const fetched = await led(`fetching from ${topic}`, async () => {
    const { responses } = await client.request(fetch, version.fetch, request)
    return responses[0]?.partitions[0]
  })
  return fetched.records as Buffer
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
