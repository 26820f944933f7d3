import * as format from '../../record/batch-format.ts'
import { type Compression, codecById, codecNamed, maxDecompressedBytes } from '../../record/compression.ts'
import type { LogSettings } from './log-settings.ts'

/**
 * The batches as `compression.type` wants them: the same bytes where it leaves that to the producer, or they are so; otherwise
 * others, in which the records of each are compressed anew. Levels that are below those of the codec stand for its fastest.
 * (Kafka: LogValidator.)
 *
 * @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE
 */
export function compressedFor(batches: Buffer, settings: LogSettings): Buffer {
  const { compressionType } = settings
  if (compressionType === 'producer') return batches
  const target = compressionType === 'uncompressed' ? 'none' : compressionType
  const targetId = codecNamed(target)?.id ?? 0
  const pieces: Buffer[] = []
  for (let start = 0; start < batches.length; start += format.batchSize(batches, start)) {
    const batch = batches.subarray(start, start + format.batchSize(batches, start))
    const isRight = (format.attributesOf(batch, 0) & format.compressionMask) === targetId
    pieces.push(isRight ? batch : recompress(batch, target, settings))
  }
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
}

/** Everything but the records' bytes, and how they are compressed, stays as it is. */
function recompress(batch: Buffer, target: Compression, settings: LogSettings): Buffer {
  const attributes = format.attributesOf(batch, 0)
  const data = batch.subarray(format.batchHeaderBytes)
  const records = codecById(attributes & format.compressionMask)?.decompressBriefly(data, maxDecompressedBytes) ?? data
  const codec = codecNamed(target)
  const compressed = codec?.compress(records, levelOf(target, settings)) ?? records
  const changed = Buffer.concat([batch.subarray(0, format.batchHeaderBytes), compressed])
  changed.writeInt32BE(changed.length - format.uncountedBytes, format.batchLengthAt)
  changed.writeInt16BE((attributes & ~format.compressionMask) | (codec?.id ?? 0), format.attributesAt)
  changed.writeUInt32BE(format.computeChecksum(changed, 0), format.checksumAt)
  return changed
}

/** Undefined for Kafka's own. */
function levelOf(target: Compression, { gzipLevel, zstdLevel }: LogSettings): number | undefined {
  if (target === 'gzip') return gzipLevel < 0 ? undefined : gzipLevel
  return target === 'zstd' ? Math.max(zstdLevel, 1) : undefined
}
