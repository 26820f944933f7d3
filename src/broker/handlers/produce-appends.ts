import { MillraceError } from '../../errors.ts'
import { attributesOf, batchHeaderBytes, batchSize, compressionMask } from '../../record/batch-format.ts'
import { codecNamed } from '../../record/compression.ts'
import type { Broker } from '../broker.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import type { produce } from '../protocol/messages/produce.ts'
import { isInternal } from '../topics.ts'
import { errorCodeOf } from './error-of.ts'

export type ProduceResponse = ResponseOf<typeof produce>
export type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]
type TopicResponse = ProduceResponse['responses'][number]

/** So long others wait at most, beside one batch: what a batch of a few KiB decompresses to may take many times of that. */
const sliceMs = 5
/** The first version whose clients know zstd (KIP-110). */
const zstdSince = 7
const zstdId = codecNamed('zstd')?.id

/** The appends of one request, made one after the other, in slices where they take long. */
export class ProduceAppends {
  readonly #broker: Broker
  readonly #request: RequestOf<typeof produce>
  readonly #apiVersion: number
  /** Where what was appended is, by the answer to it. */
  readonly logs: Map<PartitionResponse, PartitionLog> = new Map()
  /** What was answered so far. */
  readonly responses: TopicResponse[] = []
  /** Whether the last slice was used up, so that others have their turn before more is appended. */
  tookLong = false
  /** What is appended next. */
  #topic = 0
  #partition = 0

  constructor(broker: Broker, request: RequestOf<typeof produce>, apiVersion: number) {
    this.#broker = broker
    this.#request = request
    this.#apiVersion = apiVersion
  }

  /** Appends the next batches; false where the time is over and some are left. */
  advance(): boolean {
    const { clock } = this.#broker.environment
    const { topicData } = this.#request
    const endMs = clock.monotonicMs() + sliceMs
    this.tookLong = false
    for (; this.#topic < topicData.length; this.#topic++, this.#partition = 0) {
      const { name, partitionData } = topicData[this.#topic]!
      this.responses[this.#topic] ??= { name, partitionResponses: [] }
      const { partitionResponses } = this.responses[this.#topic] as { partitionResponses: PartitionResponse[] }
      for (; this.#partition < partitionData.length; this.#partition++) {
        if (this.tookLong) return false
        const { index, records } = partitionData[this.#partition]!
        partitionResponses.push(this.#append(name, index, records))
        this.tookLong = clock.monotonicMs() >= endMs
      }
    }
    return true
  }

  #append(name: string, index: number, records: Buffer | null): PartitionResponse {
    const { acks } = this.#request
    if (acks < -1 || acks > 1) return failed(index, codeOf('INVALID_REQUIRED_ACKS'))
    if (records === null || records.length === 0) return failed(index, codeOf('INVALID_RECORD'))
    try {
      // The log itself takes several at a time; of clients Kafka takes one.
      if (isSeveral(records)) return failed(index, codeOf('INVALID_RECORD'))
      if (this.#apiVersion < zstdSince && isZstd(records)) return failed(index, codeOf('UNSUPPORTED_COMPRESSION_TYPE'))
      const log = this.#broker.servedLog(name, index)
      if (isInternal(name)) return failed(index, codeOf('INVALID_TOPIC_EXCEPTION'))
      const baseOffset = this.#broker.append(log, records)
      const { stampedMs, logStartOffset } = log
      const response = { index, errorCode: 0, baseOffset, logAppendTimeMs: stampedMs, logStartOffset }
      this.logs.set(response, log)
      return response
    } catch (error) {
      return refused(index, error)
    }
  }
}

/** The answer to what was not appended. */
export function failed(index: number, errorCode: number): PartitionResponse {
  return { index, errorCode, baseOffset: -1 }
}

/** The same, with what is wrong with the batch and which record it is about (KIP-467), where that is why. */
function refused(index: number, error: unknown): PartitionResponse {
  const response = failed(index, errorCodeOf(error))
  if (!(error instanceof MillraceError) || !areOfBatch.has(error.code) || error.at.path !== undefined) return response
  const { message: errorMessage, at } = error
  if (at.record === undefined) return { ...response, errorMessage }
  return { ...response, errorMessage, recordErrors: [{ batchIndex: at.record, batchIndexErrorMessage: errorMessage }] }
}

const areOfBatch: ReadonlySet<string> = new Set([
  'CORRUPT_BATCH',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'RECORD_TOO_LARGE',
  'UNSUPPORTED_COMPRESSION',
])

function isSeveral(records: Buffer): boolean {
  if (records.length < batchHeaderBytes) return false
  const size = batchSize(records, 0)
  return size >= batchHeaderBytes && size < records.length
}

function isZstd(records: Buffer): boolean {
  return records.length >= batchHeaderBytes && (attributesOf(records, 0) & compressionMask) === zstdId
}
