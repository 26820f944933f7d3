import { type ErrorCode, MillraceError } from '../../errors.ts'
import { codeOf, type KafkaError } from '../protocol/error-codes.ts'

/** What clients are told where a request fails with one of our errors. */
const kafkaErrorOf: Partial<Record<ErrorCode, KafkaError>> = {
  INVALID_ARGUMENT: 'INVALID_REQUEST',
  INVALID_TIMESTAMP: 'INVALID_TIMESTAMP',
  CORRUPT_BATCH: 'CORRUPT_MESSAGE',
  UNSUPPORTED_COMPRESSION: 'UNSUPPORTED_COMPRESSION_TYPE',
  RECORD_TOO_LARGE: 'MESSAGE_TOO_LARGE',
  UNKNOWN_TOPIC_OR_PARTITION: 'UNKNOWN_TOPIC_OR_PARTITION',
  TOPIC_MISMATCH: 'TOPIC_ALREADY_EXISTS',
  OFFSET_OUT_OF_RANGE: 'OFFSET_OUT_OF_RANGE',
  NUMBER_OUT_OF_RANGE: 'INVALID_REQUEST',
  INVALID_RECORD: 'INVALID_RECORD',
  INVALID_PRODUCER_EPOCH: 'INVALID_PRODUCER_EPOCH',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  INVALID_TXN_STATE: 'INVALID_TXN_STATE',
  INVALID_PRODUCER_ID_MAPPING: 'INVALID_PRODUCER_ID_MAPPING',
  INVALID_TRANSACTION_TIMEOUT: 'INVALID_TRANSACTION_TIMEOUT',
  CONCURRENT_TRANSACTIONS: 'CONCURRENT_TRANSACTIONS',
  PRODUCER_FENCED: 'PRODUCER_FENCED',
  TRANSACTION_COORDINATOR_FENCED: 'TRANSACTION_COORDINATOR_FENCED',
  UNSTABLE_OFFSET_COMMIT: 'UNSTABLE_OFFSET_COMMIT',
  // Clients wait and try again: a full disk may get room.
  DISK_FULL: 'KAFKA_STORAGE_ERROR',
  STORAGE_FAILED: 'KAFKA_STORAGE_ERROR',
  CLOSED: 'NOT_LEADER_OR_FOLLOWER',
}

/** The error code of a response. @throws the error itself where it is a bug of ours: the connection ends, and it is reported. */
export function errorCodeOf(error: unknown): number {
  return codeOf(errorNameOf(error))
}

export function errorNameOf(error: unknown): KafkaError {
  const name = error instanceof MillraceError ? kafkaErrorOf[error.code] : undefined
  if (name === undefined) throw error
  return name
}
