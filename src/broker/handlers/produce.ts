import { batchHeaderBytes, batchSize } from '../../record/batch-format.ts'
import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { produce } from '../protocol/messages/produce.ts'
import { isInternal } from '../topics.ts'
import { errorCodeOf } from './error-of.ts'
import { type Handler, handlerOf } from './handler.ts'

type Response = ResponseOf<typeof produce>
type PartitionResponse = Response['responses'][number]['partitionResponses'][number]

/**
 * Produce 3-11: appends record batches. Everything is appended before the handler returns, so that requests of a connection
 * take effect in their order; the answer waits for the acknowledgement. With `acks` 0 there is no answer.
 * The broker's own topics are written by the broker alone.
 */
export function handleProduce(broker: Broker): Handler {
  return handlerOf(produce, [3, 11], ({ acks, topicData }) => {
    const logs = new Map<PartitionResponse, PartitionLog>()
    const responses = topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) =>
        appendTo(broker, logs, { name, index, records, acks }),
      ),
    }))
    if (acks === 0) return undefined
    return areAcknowledged(logs) ? { responses } : acknowledged(logs, { responses })
  })
}

/** Nothing has to be waited for where acknowledged means that the operating system has it. */
function areAcknowledged(logs: ReadonlyMap<PartitionResponse, PartitionLog>): boolean {
  for (const log of logs.values()) if (!log.isAcknowledged) return false
  return true
}

interface Append {
  readonly name: string
  readonly index: number
  readonly records: Buffer | null
  readonly acks: number
}

function appendTo(
  broker: Broker,
  logs: Map<PartitionResponse, PartitionLog>,
  { name, index, records, acks }: Append,
): PartitionResponse {
  if (acks < -1 || acks > 1) return failed(index, codeOf('INVALID_REQUIRED_ACKS'))
  if (records === null || records.length === 0) return failed(index, codeOf('INVALID_RECORD'))
  try {
    // The log itself takes several at a time; of clients Kafka takes one.
    if (isSeveral(records)) return failed(index, codeOf('INVALID_RECORD'))
    const log = broker.servedLog(name, index)
    if (isInternal(name)) return failed(index, codeOf('INVALID_TOPIC_EXCEPTION'))
    const baseOffset = broker.append(log, records)
    const response = {
      index,
      errorCode: 0,
      baseOffset,
      logAppendTimeMs: log.stampedMs,
      logStartOffset: log.logStartOffset,
    }
    logs.set(response, log)
    return response
  } catch (error) {
    return failed(index, errorCodeOf(error))
  }
}

function isSeveral(records: Buffer): boolean {
  if (records.length < batchHeaderBytes) return false
  const size = batchSize(records, 0)
  return size >= batchHeaderBytes && size < records.length
}

function failed(index: number, errorCode: number): PartitionResponse {
  return { index, errorCode, baseOffset: -1 }
}

/**
 * The response when all that was appended is acknowledged. Where a disk fails meanwhile, nothing of it is; and what was appended
 * to a topic that is deleted meanwhile is not.
 */
async function acknowledged(logs: ReadonlyMap<PartitionResponse, PartitionLog>, response: Response): Promise<Response> {
  try {
    await Promise.all([...logs.values()].map((log) => log.acknowledged()))
  } catch (error) {
    const errorCode = errorCodeOf(error)
    return replaceResponses(response, (one) => (one.errorCode === 0 ? failed(one.index, errorCode) : one))
  }
  if (![...logs.values()].some(({ isDeleted }) => isDeleted)) return response
  const errorCode = codeOf('UNKNOWN_TOPIC_OR_PARTITION')
  return replaceResponses(response, (one) => (logs.get(one)?.isDeleted === true ? failed(one.index, errorCode) : one))
}

function replaceResponses({ responses }: Response, replace: (one: PartitionResponse) => PartitionResponse): Response {
  return {
    responses: responses.map((topic) => ({ ...topic, partitionResponses: topic.partitionResponses.map(replace) })),
  }
}
