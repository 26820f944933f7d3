import type { Broker } from '../broker.ts'
import { type BufferSource, LogCursor } from '../log/log-cursor.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { fetch } from '../protocol/messages/fetch.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf, type RequestContext } from './handler.ts'
import { LogWait } from './log-wait.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type PartitionResponse = Response['responses'][number]['partitions'][number]

/** What a fetch found so far. */
interface Found {
  readonly responses: Response['responses']
  readonly bytes: number
  readonly hasError: boolean
}

const readCommitted = 1
/** A fetch that waits for more than one byte looks again at most this often, because each look reads what is there. */
const lookIntervalMs = 10

/**
 * Fetch 4-12: record batches as they lie in the log. Waits until there are `minBytes` of them, or `maxWaitMs` are over. At
 * least one batch is given where there is one, however large (KIP-74). Fetch sessions are declined (session id 0), which
 * clients take as an answer to every fetch being whole (KIP-227).
 */
export function handleFetch(broker: Broker): Handler {
  return handlerOf(fetch, [4, 12], (request, context) => {
    if (request.replicaId >= 0) return { errorCode: codeOf('INVALID_REQUEST'), responses: [] }
    const found = collect(broker, request, context.buffers)
    if (isEnough(found, request)) return { responses: found.responses }
    return waitForMore(broker, request, context)
  })
}

async function waitForMore(
  broker: Broker,
  request: Request,
  { signal, buffers }: RequestContext,
): Promise<Response | undefined> {
  const { clock, timers } = broker.environment
  const wait = new LogWait(logsOf(broker, request), request.maxWaitMs, timers, signal)
  try {
    for (let lastLookMs = clock.monotonicMs(); ; lastLookMs = clock.monotonicMs()) {
      await wait.woken()
      if (signal.aborted) return undefined
      const sinceMs = clock.monotonicMs() - lastLookMs
      if (request.minBytes > 1 && sinceMs < lookIntervalMs && !wait.isOver) await wait.paused(lookIntervalMs - sinceMs)
      buffers.giveBack()
      const found = collect(broker, request, buffers)
      if (wait.isOver || isEnough(found, request)) return { responses: found.responses }
    }
  } finally {
    wait.end()
  }
}

function isEnough({ bytes, hasError }: Found, { minBytes, maxWaitMs }: Request): boolean {
  return bytes >= minBytes || hasError || maxWaitMs <= 0
}

function logsOf(broker: Broker, { topics }: Request): PartitionLog[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => broker.servedLog(topic, partition)),
  )
}

function collect(broker: Broker, request: Request, buffers: BufferSource): Found {
  let bytes = 0
  let hasError = false
  const responses = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((asked) => {
      const left = request.maxBytes - bytes
      const one = read(broker, topic, asked, { isolation: request.isolationLevel, left, buffers })
      bytes += one.records === null ? 0 : (one.records as Buffer).length
      hasError ||= one.errorCode !== 0
      return one
    }),
  }))
  return { responses, bytes, hasError }
}

interface Reading {
  readonly isolation: number
  /** Bytes that the response has room for. */
  readonly left: number
  readonly buffers: BufferSource
}

function read(
  broker: Broker,
  topic: string,
  { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }: PartitionRequest,
  { isolation, left, buffers }: Reading,
): PartitionResponse {
  try {
    const log = broker.servedLog(topic, partition)
    const epochError = leaderEpochError(log, currentLeaderEpoch)
    if (epochError !== undefined) return failed(partition, epochError)
    const below = isolation === readCommitted ? log.lastStableOffset : log.highWatermark
    const cursor = new LogCursor(log, fetchOffset, Math.min(partitionMaxBytes, Math.max(left, 0)), buffers)
    const records = left > 0 ? cursor.read(below) : nothing
    return {
      partitionIndex: partition,
      errorCode: 0,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset,
      abortedTransactions: isolation === readCommitted ? log.abortedTransactions(fetchOffset, cursor.offset) : null,
      records,
    }
  } catch (error) {
    return failed(partition, errorCodeOf(error))
  }
}

/** A client that knows of a newer leadership than there is must not read what that one may not have. */
export function leaderEpochError(log: PartitionLog, clientEpoch: number): number | undefined {
  if (clientEpoch < 0 || clientEpoch === log.leaderEpoch) return undefined
  return codeOf(clientEpoch < log.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}

function failed(partitionIndex: number, errorCode: number): PartitionResponse {
  return { partitionIndex, errorCode, highWatermark: -1, abortedTransactions: null, records: nothing }
}

const nothing = Buffer.alloc(0)
