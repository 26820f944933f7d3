import {
  constants,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  gzipSync,
  type ZstdOptions,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import type { MillraceError } from '../errors.ts'
import { damagedData, decompressesToTooMuch, undecodable } from './decompression-error.ts'
import { ScratchDecompressor } from './scratch-decompressor.ts'

/** Batches of the usual size come out in one piece; Node's own 16 KiB make decompression two to three times as slow. */
const outputChunkBytes = 131_072

/** Kafka's default, and that of zlib. */
const defaultGzipLevel = 6
/** Kafka's default, and that of zstd. */
const defaultZstdLevel = 3
/**
 * The largest window that is accepted, as a power of two: zstd's own default, and what its highest level writes. Memory for
 * the window is reserved as a whole, but only what is written to it is taken, which the limit of the output bounds.
 */
const maxWindowLog = 27

export function compressGzip(records: Buffer, level: number = defaultGzipLevel): Buffer {
  return gzipSync(records, { level })
}

/** @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE */
export function decompressGzip(data: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(data, { chunkSize: outputChunkBytes, maxOutputLength: maxBytes })
  } catch (error) {
    throw readError('gzip', error, maxBytes)
  }
}

/** As `decompressGzip`, into memory that the next call uses again. */
export function decompressGzipBriefly(data: Buffer, maxBytes: number): Buffer {
  if (gzipScratch === undefined) gzipScratch = forGzip()
  return within(maxBytes, gzipScratch?.decompress(data)) ?? decompressGzip(data, maxBytes)
}

export function compressZstd(records: Buffer, level: number = defaultZstdLevel): Buffer {
  return zstdCompressSync(records, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/**
 * Reads one frame, which must be all of the data: Node stops after the first one and would not say that more follows.
 * @throws MillraceError CORRUPT_BATCH, RECORD_TOO_LARGE
 */
export function decompressZstd(data: Buffer, maxBytes: number): Buffer {
  const options: ZstdOptions = {
    chunkSize: outputChunkBytes,
    maxOutputLength: maxBytes,
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
    info: true,
  }
  let result: WithInfo
  try {
    // With `info` Node returns an object, which its types do not know.
    result = zstdDecompressSync(data, options) as unknown as WithInfo
  } catch (error) {
    throw readError('zstd', error, maxBytes)
  }
  const read = result.engine.bytesWritten
  if (read !== data.length) throw damagedData('zstd', `${data.length - read} bytes follow the frame`)
  return result.buffer
}

/** As `decompressZstd`, into memory that the next call uses again. */
export function decompressZstdBriefly(data: Buffer, maxBytes: number): Buffer {
  if (zstdScratch === undefined) zstdScratch = forZstd()
  return within(maxBytes, zstdScratch?.decompress(data)) ?? decompressZstd(data, maxBytes)
}

function within(maxBytes: number, records: Buffer | undefined): Buffer | undefined {
  return records !== undefined && records.length <= maxBytes ? records : undefined
}

const sample: Buffer = Buffer.from('what comes out as it went in')
/** Made when they are first needed; null where there is none. */
let gzipScratch: ScratchDecompressor | null | undefined
let zstdScratch: ScratchDecompressor | null | undefined

function forGzip(): ScratchDecompressor | null {
  return ScratchDecompressor.over(() => createGunzip(), constants.Z_FINISH, compressGzip(sample), sample) ?? null
}

function forZstd(): ScratchDecompressor | null {
  const params = { [constants.ZSTD_d_windowLogMax]: maxWindowLog }
  const makeStream = () => createZstdDecompress({ params })
  return ScratchDecompressor.over(makeStream, constants.ZSTD_e_end, compressZstd(sample), sample) ?? null
}

interface WithInfo {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function readError(codec: string, error: unknown, maxBytes: number): MillraceError {
  const isTooMuch = error instanceof RangeError && (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
  return isTooMuch ? decompressesToTooMuch(codec, maxBytes) : undecodable(codec, error)
}
