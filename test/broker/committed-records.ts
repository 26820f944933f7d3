import { committedBatches } from '../../src/broker/log/committed-batches.ts'
import { LogCursor } from '../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import { type ReadRecord, recordsIn } from './records.ts'

/** What a reader of committed records is handed, from the start of the log to its last stable offset. */
export function committedRecordsIn(log: PartitionLog, bufferBytes = 4_096): ReadRecord[] {
  const cursor = new LogCursor(log, log.logStartOffset, bufferBytes)
  const records: ReadRecord[] = []
  for (;;) {
    const from = cursor.offset
    const bytes = cursor.read(log.lastStableOffset)
    if (bytes.length === 0) return records
    records.push(...recordsIn(committedBatches(bytes, log.abortedTransactions(from, cursor.offset)), from))
  }
}
