import { MemoryDisk } from '../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../src/env/virtual-environment.ts'
import { virtualEnvironment } from '../../src/env/virtual-environment.ts'
import { MillraceError } from '../../src/errors.ts'
import { BatchBuilder } from '../../src/record/batch-builder.ts'
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
