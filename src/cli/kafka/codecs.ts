import { createRequire } from 'node:module'
import { type Codec, codecNamed } from '../../record/compression.ts'

/** A batch never decompresses to more: the most that a broker takes is far below. */
const mostBytes = 256 * 1024 * 1024

/** As kafkajs wants a codec: `compress` is given what it calls an encoder, with the records in `buffer`. */
function pluggedIn(codec: Codec): () => unknown {
  return () => ({
    compress: async ({ buffer }: { readonly buffer: Buffer }) => codec.compress(buffer),
    decompress: async (data: Buffer) => codec.decompress(data, mostBytes),
  })
}

/** Gives kafkajs the codecs that it knows by name alone. */
export function registerCodecs(): void {
  // The exported object is CommonJS': an import of it would be a copy.
  const { CompressionCodecs, CompressionTypes } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs')
  for (const [id, name] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    CompressionCodecs[id] = pluggedIn(codecNamed(name) as Codec)
  }
}
