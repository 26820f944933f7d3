import { DataDirectory } from '../../../src/broker/data-directory.ts'
import { Flusher } from '../../../src/broker/log/flusher.ts'
import { LogCursor } from '../../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../../src/broker/log/partition-log.ts'
import { PartitionLogs } from '../../../src/broker/log/partition-logs.ts'
import type { Environment } from '../../../src/env/environment.ts'
import * as format from '../../../src/record/batch-format.ts'
import { BatchReader } from '../../../src/record/batch-reader.ts'

/** A record batch in the words of Apache's DumpLogSegments; what it does not print is not here. */
export interface BatchView {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly baseSequence: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly leaderEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** -1 where the batch has none. */
  readonly deleteHorizonMs: number
  readonly position: number
  readonly timestampType: string
  readonly maxTimestamp: number
  readonly size: number
  readonly compression: string
  readonly checksum: number
  readonly records: readonly RecordView[]
}

export interface RecordView {
  readonly offset: number
  readonly timestamp: number
  readonly keySize: number
  readonly valueSize: number
  readonly headerKeys: string
  /** Key and value as text, or what a control record says. */
  readonly content: string
}

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Opens a data directory, as a broker does, to open logs in it that no registry names; they are never closed. */
export async function openLogsAt(path: string, environment: Environment): Promise<PartitionLogs> {
  const directory = await DataDirectory.open(path, environment.disk)
  const flusher = new Flusher(directory.status)
  return new PartitionLogs({ ...environment, directory, flusher, flushPolicy: 'page-cache', maxOpenFiles: 100 })
}

/** Everything that our reader finds in a log, by the name of the segment's file. */
export function viewOf(log: PartitionLog): Map<string, BatchView[]> {
  const files = new Map<string, BatchView[]>()
  const cursor = new LogCursor(log, log.logStartOffset, 4_096)
  const reader = new BatchReader()
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    reader.reset(bytes)
    while (reader.nextBatch()) {
      const path = log.segmentOf(reader.baseOffset).path
      const name = path.slice(path.lastIndexOf('/') + 1)
      const before = files.get(name) ?? []
      const last = before.at(-1)
      files.set(name, [...before, viewBatch(reader, bytes, last === undefined ? 0 : last.position + last.size)])
    }
  }
  return files
}

function viewBatch(reader: BatchReader, bytes: Buffer, position: number): BatchView {
  const { attributes, batchStart } = reader
  const records: RecordView[] = []
  while (reader.next()) records.push(viewRecord(reader))
  return {
    baseOffset: reader.baseOffset,
    lastOffset: reader.lastOffset,
    count: reader.recordCount,
    baseSequence: reader.baseSequence,
    producerId: reader.producerId,
    producerEpoch: reader.producerEpoch,
    leaderEpoch: reader.leaderEpoch,
    isTransactional: reader.isTransactional,
    isControl: reader.isControl,
    deleteHorizonMs: (attributes & format.deleteHorizonBit) === 0 ? -1 : reader.baseTimestamp,
    position,
    timestampType: (attributes & format.logAppendTimeBit) === 0 ? 'CreateTime' : 'LogAppendTime',
    maxTimestamp: reader.maxTimestamp,
    size: reader.batchEnd - batchStart,
    compression: codecNames[attributes & format.compressionMask] as string,
    checksum: format.checksumOf(bytes, batchStart),
    records,
  }
}

function viewRecord(reader: BatchReader): RecordView {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader
  const key = keyStart < 0 ? undefined : bytes.toString('utf8', keyStart, keyEnd)
  const value = valueStart < 0 ? undefined : bytes.toString('utf8', valueStart, valueEnd)
  const data = `${key === undefined ? '' : `key: ${key}`}${value === undefined ? '' : ` payload: ${value}`}`
  return {
    offset: reader.offset,
    timestamp: reader.timestamp,
    keySize: keyEnd - keyStart - (keyStart < 0 ? 1 : 0),
    valueSize: valueEnd - valueStart - (valueStart < 0 ? 1 : 0),
    headerKeys: reader
      .headers()
      .map((header) => header.key)
      .join(),
    content: (reader.isControl ? markerOf(reader) : data).trim(),
  }
}

/** Key: version and type, value: version and the coordinator's epoch (org.apache.kafka.common.record.EndTransactionMarker). */
function markerOf({ bytes, keyStart, valueStart }: BatchReader): string {
  const type = bytes.readInt16BE(keyStart + 2) === 1 ? 'COMMIT' : 'ABORT'
  return `endTxnMarker: ${type} coordinatorEpoch: ${bytes.readInt32BE(valueStart + 2)}`
}
