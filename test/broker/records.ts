import { MemoryDisk } from '../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../src/env/virtual-environment.ts'
import { virtualEnvironment } from '../../src/env/virtual-environment.ts'
import { MillraceError } from '../../src/errors.ts'
import { BatchBuilder, type BatchBuilderOptions, type BatchHeader } from '../../src/record/batch-builder.ts'
import { BatchReader } from '../../src/record/batch-reader.ts'

/** One batch with the values as records without keys. */
export function batchOf(...values: string[]): Buffer {
  const builder = new BatchBuilder()
  for (const value of values) {
    const bytes = Buffer.from(value)
    builder.append(1_000, null, -1, -1, bytes, 0, bytes.length)
  }
  return Buffer.from(builder.finish())
}

export interface TestRecord {
  readonly timestamp?: number
  readonly key?: string | null
  readonly value?: string | null
}

/** One batch with the records; what is not given is 1000, no key and an empty value. */
export function batchOfRecords(
  records: readonly TestRecord[],
  options: BatchBuilderOptions = {},
  header: BatchHeader = {},
): Buffer {
  const builder = new BatchBuilder(options)
  for (const { timestamp = 1_000, key = null, value = '' } of records) {
    const keyBytes = key === null ? null : Buffer.from(key)
    const valueBytes = value === null ? null : Buffer.from(value)
    builder.append(timestamp, keyBytes, 0, keyBytes?.length ?? -1, valueBytes, 0, valueBytes?.length ?? -1)
  }
  return Buffer.from(builder.finish(header))
}

export interface ReadRecord {
  readonly offset: number
  readonly value: string
}

/** The records of whole batches, with their checksums verified. */
export function recordsIn(bytes: Buffer, fromOffset = 0): ReadRecord[] {
  const reader = new BatchReader()
  const records: ReadRecord[] = []
  reader.reset(bytes)
  while (reader.nextBatch()) {
    if (reader.isControl) continue
    while (reader.next()) {
      if (reader.offset < fromOffset) continue
      records.push({ offset: reader.offset, value: bytes.toString('utf8', reader.valueStart, reader.valueEnd) })
    }
  }
  return records
}

/** A world whose disk is another, with a clock and everything else of its own. */
export function worldOn(disk: MemoryDisk = new MemoryDisk({ tracksCrashes: true })): VirtualEnvironment {
  return virtualEnvironment({ seed: 1, disk })
}

/** The error that a call throws or rejects with, which must be ours. */
export async function failureOf(run: () => unknown): Promise<MillraceError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('it should have failed')
}
