import { MillraceError } from '../errors.ts'
import { compressLz4, decompressLz4 } from './lz4-frame.ts'
import { compressSnappy, decompressSnappy } from './snappy-framing.ts'
import {
  compressGzip,
  compressZstd,
  decompressGzip,
  decompressGzipBriefly,
  decompressZstd,
  decompressZstdBriefly,
} from './zlib-codecs.ts'

/** How the records of a batch are compressed: Kafka's `compression.type`. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The most that the records of a batch may take decompressed: by default for readers, and always for what is appended. 64 MiB. */
export const maxDecompressedBytes = 67_108_864

/** One of Kafka's codecs (org.apache.kafka.common.record.CompressionType): a batch's records become its data. */
export interface Codec {
  /** In the lowest bits of the batch's attributes. */
  readonly id: number
  readonly name: Compression
  /** The levels that there are, from fastest to smallest; undefined where there is no choice. */
  readonly levels: { readonly from: number; readonly to: number } | undefined
  /** `level` is one of the levels. Default: Kafka's. The result may be larger than the records. */
  readonly compress: (records: Buffer, level?: number) => Buffer
  /**
   * The records in memory of their own. Data is not trusted: no more than about `maxBytes` is ever taken for it.
   * @throws MillraceError CORRUPT_BATCH where the data is none of the codec's; RECORD_TOO_LARGE where it is more than `maxBytes`.
   */
  readonly decompress: (data: Buffer, maxBytes: number) => Buffer
  /** The same for whoever is done with the records before the next call: their memory may be used again. */
  readonly decompressBriefly: Codec['decompress']
}

const codecs: readonly Codec[] = [
  {
    ...{ id: 1, name: 'gzip', levels: { from: 1, to: 9 }, compress: compressGzip },
    ...{ decompress: decompressGzip, decompressBriefly: decompressGzipBriefly },
  },
  {
    ...{ id: 2, name: 'snappy', levels: undefined, compress: compressSnappy },
    ...{ decompress: decompressSnappy, decompressBriefly: decompressSnappy },
  },
  {
    ...{ id: 3, name: 'lz4', levels: undefined, compress: compressLz4 },
    ...{ decompress: decompressLz4, decompressBriefly: decompressLz4 },
  },
  {
    ...{ id: 4, name: 'zstd', levels: { from: 1, to: 22 }, compress: compressZstd },
    ...{ decompress: decompressZstd, decompressBriefly: decompressZstdBriefly },
  },
]

/** The codec with an id from a batch's attributes, other than 0; undefined where Kafka has none. */
export function codecById(id: number): Codec | undefined {
  return codecs[id - 1]
}

/**
 * The codec that is asked for, undefined for `'none'`.
 * @throws MillraceError INVALID_ARGUMENT where there is no such codec, or no such level of it.
 */
export function codecNamed(compression: Compression, level?: number): Codec | undefined {
  const codec = codecs.find(({ name }) => name === compression)
  if (codec === undefined && compression !== 'none') {
    throw new MillraceError('INVALID_ARGUMENT', `'${compression}' is not a compression`, {
      remedy: `Choose one of none, ${codecs.map(({ name }) => name).join(', ')}.`,
    })
  }
  if (level !== undefined) requireLevel(compression, codec?.levels, level)
  return codec
}

function requireLevel(compression: Compression, levels: Codec['levels'], level: number): void {
  if (levels !== undefined && Number.isInteger(level) && level >= levels.from && level <= levels.to) return
  throw new MillraceError('INVALID_ARGUMENT', `${level} is not a compression level of ${compression}`, {
    remedy:
      levels === undefined
        ? 'Leave it out: there are none.'
        : `Give a whole number from ${levels.from} to ${levels.to}.`,
  })
}
