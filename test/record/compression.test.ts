import { constants, createGunzip, createInflate, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { type Codec, type Compression, codecById, codecNamed } from '../../src/record/compression.ts'
import { ScratchDecompressor } from '../../src/record/scratch-decompressor.ts'

const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const named = (name: Compression): Codec => codecNamed(name) as Codec
const megabyte = 1 << 20

function failure(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Random bytes among repeated ones: what compresses well, badly and not at all. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.record({ byte: fc.nat(255), length: fc.nat(70_000) }).map(({ byte, length }) => Buffer.alloc(length, byte)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts))

describe.each(names)('%s', (name) => {
  const codec = named(name)

  it('gives back what it compressed, within a limit of exactly that size', () => {
    fc.assert(
      fc.property(content, (records) => {
        expect(codec.decompress(codec.compress(records), Math.max(records.length, 1)).equals(records)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses what is a byte above the limit', () => {
    for (const size of [1_000, 70_000, 5 * megabyte]) {
      const data = codec.compress(Buffer.alloc(size, 'abcdefghi'))
      expect(failure(() => codec.decompress(data, size - 1)).code).toBe('RECORD_TOO_LARGE')
    }
  })

  it('never fails but with an error of ours, whatever became of the data', () => {
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 3 })
    const limit = 200_000
    let failures = 0
    fc.assert(
      fc.property(content, damage, fc.double({ min: 0, max: 1, noNaN: true }), (records, changes, kept) => {
        const whole = codec.compress(records.subarray(0, limit))
        const data = Buffer.from(whole.subarray(0, Math.ceil(whole.length * kept)))
        for (const { at, byte } of changes) if (data.length > 0) data[at % data.length] = byte
        try {
          expect(codec.decompress(data, limit).length).toBeLessThanOrEqual(limit)
        } catch (error) {
          expect(['CORRUPT_BATCH', 'RECORD_TOO_LARGE']).toContain((error as MillraceError).code)
          failures++
        }
      }),
      { numRuns: 200 },
    )
    expect(failures).toBeGreaterThan(50)
  })

  it('briefly gives and refuses the same, whatever became of the data', () => {
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 2 })
    const behind = fc.uint8Array({ maxLength: 3 })
    const outcome = (decompress: Codec['decompress'], data: Buffer, limit: number) => {
      try {
        return Buffer.from(decompress(data, limit)).toString('base64')
      } catch (error) {
        return `${(error as MillraceError).code} ${(error as MillraceError).message}`
      }
    }
    fc.assert(
      fc.property(content, damage, behind, fc.nat(), fc.nat(5), (records, changes, more, limit, removed) => {
        const whole = codec.compress(records)
        const data = Buffer.concat([whole.subarray(0, whole.length - removed), more])
        for (const { at, byte } of changes) if (data.length > 0) data[at % data.length] = byte
        for (const maxBytes of [megabyte, 1 + (limit % 300_000)]) {
          expect(outcome(codec.decompressBriefly, data, maxBytes)).toBe(outcome(codec.decompress, data, maxBytes))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('refuses every beginning of its data that is not all of it', () => {
    const data = codec.compress(Buffer.from('{"celsius":21.5}'.repeat(20)))
    for (let length = 0; length < data.length; length++) {
      // The header of the framing alone says that there are no records, which the batch will find wrong.
      if (name === 'snappy' && length === 16) continue
      expect(failure(() => codec.decompress(data.subarray(0, length), megabyte)).code).toBe('CORRUPT_BATCH')
    }
  })

  it('refuses bytes after its data', () => {
    const data = Buffer.concat([codec.compress(Buffer.from('some records')), Buffer.from('more')])
    expect(failure(() => codec.decompress(data, megabyte)).message).toMatch(/no valid (gzip|snappy|lz4|zstd) data/)
  })

  it('has the id that stands in the attributes of a batch', () => {
    expect(codecById(codec.id)).toBe(codec)
    expect(codec.id).toBe(names.indexOf(name) + 1)
  })
})

describe('data that decompresses to far more than it is', () => {
  const zeros = Buffer.alloc(64 * megabyte)

  it.each([
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
    ['zstd that does not say its size', zstdStream(zeros)],
    ['lz4', compressFrameSync(zeros)],
    ['lz4 that says its size is small', withContentSize(compressFrameSync(zeros), 10)],
  ] as const)('is refused: %s', (name, bomb) => {
    expect(bomb.length).toBeLessThan(zeros.length / 200)
    const { code, message } = failure(() => named(name.split(' ')[0] as Compression).decompress(bomb, megabyte))
    expect(code).toBe('RECORD_TOO_LARGE')
    expect(message).toMatch(/decompresses to more than 1048576 bytes/)
  })

  it('is refused: many blocks of snappy', () => {
    const block = compressSync(Buffer.alloc(32_768))
    const data = xerial(...Array.from({ length: 2_048 }, () => block))
    expect(failure(() => named('snappy').decompress(data, megabyte)).code).toBe('RECORD_TOO_LARGE')
  })

  it.each([
    ['raw', Buffer.from('ffffffff0f00', 'hex')],
    ['framed', xerial(Buffer.from('ffffffff0f00', 'hex'))],
  ])('is refused: a few bytes of snappy that say they are 4 GiB (%s)', (_form, data) => {
    expect(failure(() => named('snappy').decompress(data, 2 ** 33)).message).toMatch(/cannot hold the 4294967295/)
  })

  it('is refused: a size of snappy that has no end, or is more than 32 bits', () => {
    for (const hex of ['ffffffffff01', 'ff']) {
      expect(failure(() => named('snappy').decompress(Buffer.from(hex, 'hex'), megabyte)).code).toBe('CORRUPT_BATCH')
    }
  })

  it('is refused: a zstd window that is larger than any level writes', () => {
    const frame = (windowLog: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, 1, 0, 0])
    expect(named('zstd').decompress(frame(27), megabyte).length).toBe(0)
    expect(failure(() => named('zstd').decompress(frame(28), megabyte)).message).toMatch(/too much memory/)
  })

  it('is not mistaken: small blocks in an lz4 frame that allows large ones', () => {
    const records = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 20) & 0x3f))
    const data = compressFrameSync(records)
    expect(data[5]).toBe(0x70)
    expect(data.length * 255).toBeGreaterThan(2 * records.length)
    expect(named('lz4').decompress(data, records.length).equals(records)).toBe(true)
  })
})

describe('framings that others write', () => {
  const records = Buffer.from('{"device":"a","celsius":21.5}'.repeat(4_000))

  it('snappy without a framing', () => {
    expect(named('snappy').decompress(compressSync(records), megabyte).equals(records)).toBe(true)
  })

  it('snappy in several blocks', () => {
    const half = records.length / 2
    const data = xerial(compressSync(records.subarray(0, half)), compressSync(records.subarray(half)))
    expect(named('snappy').decompress(data, records.length).equals(records)).toBe(true)
  })

  it('lz4 with checksums of its content and blocks', () => {
    const data = compressFrameSync(records, { contentChecksum: true, blockChecksums: true })
    expect(named('lz4').decompress(data, records.length).equals(records)).toBe(true)
    const end = data.length - 1
    data[end] = data[end]! ^ 1
    expect(failure(() => named('lz4').decompress(data, records.length)).code).toBe('CORRUPT_BATCH')
  })

  it('lz4 of ours has independent blocks, without which Kafka refuses it', () => {
    for (const size of [1, 100_000, 5 * megabyte]) {
      const data = named('lz4').compress(Buffer.alloc(size, 'x'))
      expect(data.readUInt32LE(0)).toBe(0x184d2204)
      expect(data[4]! & 0b1110_0000).toBe(0b0110_0000)
    }
  })

  it('gzip in several members', () => {
    const data = Buffer.concat([gzipSync(records), gzipSync(records)])
    expect(
      named('gzip')
        .decompress(data, megabyte)
        .equals(Buffer.concat([records, records])),
    ).toBe(true)
  })
})

describe('a choice of compression', () => {
  it('has levels, and a higher one makes data smaller', () => {
    const records = Buffer.from(Array.from({ length: 3_000 }, (_, i) => `{"n":${(i * 7919) % 1009},"m":${i}}`).join(''))
    for (const name of ['gzip', 'zstd'] as const) {
      const { levels, compress } = named(name)
      expect(compress(records, levels!.to).length).toBeLessThan(compress(records, levels!.from).length)
    }
  })

  it.each([
    ['none', 1],
    ['gzip', 0],
    ['gzip', 10],
    ['zstd', 23],
    ['zstd', 1.5],
    ['lz4', 9],
    ['snappy', 1],
  ] as const)('refuses a level that there is not: %s %d', (name, level) => {
    expect(failure(() => codecNamed(name, level)).code).toBe('INVALID_ARGUMENT')
  })

  it('refuses a codec that there is not', () => {
    expect(failure(() => codecNamed('brotli' as Compression)).message).toMatch(
      /'brotli'.*none, gzip, snappy, lz4, zstd/,
    )
    expect(codecNamed('none')).toBeUndefined()
    expect(codecById(5)).toBeUndefined()
  })
})

/** Snappy blocks in the framing of snappy-java. */
function xerial(...blocks: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from('82534e41505059000000000100000001', 'hex')]
  for (const block of blocks) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** A frame that does not say what it decompresses to, as a stream writes it. */
function zstdStream(records: Buffer): Buffer {
  return zstdCompressSync(records, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
}

/** The lz4 frame with a content size in its descriptor; the descriptor's checksum is not made right. */
function withContentSize(frame: Buffer, size: number): Buffer {
  const sizeBytes = Buffer.alloc(8)
  sizeBytes.writeBigUInt64LE(BigInt(size))
  const described = Buffer.concat([frame.subarray(0, 6), sizeBytes, frame.subarray(6)])
  described[4] = described[4]! | 0b1000
  return described
}

describe.each(['gzip', 'zstd'] as const)('%s, briefly', (name) => {
  const codec = named(name)
  const briefly = (text: string) => codec.decompressBriefly(codec.compress(Buffer.from(text)), megabyte)

  it('uses the same memory again, and none of it for what is too large', () => {
    const first = briefly('first')
    expect(first.toString()).toBe('first')
    const second = briefly('other')
    expect([second.buffer === first.buffer, first.toString()]).toEqual([true, 'other'])
    for (const size of [262_143, 262_144, 262_145, 500_000]) {
      const records = Buffer.alloc(size, 'abcdefghi')
      const large = codec.decompressBriefly(codec.compress(records), megabyte)
      expect(large.equals(records)).toBe(true)
      expect(large.buffer === first.buffer).toBe(size < 262_144)
    }
  })
})

describe('a decompressor that goes by what Node does not promise', () => {
  const expected = Buffer.from('expected')
  const over = (stream: object) =>
    ScratchDecompressor.over(() => stream, constants.Z_FINISH, gzipSync(expected), expected)

  it('is there where that is as it is known', () => {
    const made = ScratchDecompressor.over(() => createGunzip(), constants.Z_FINISH, gzipSync(expected), expected)
    expect(made?.decompress(gzipSync('text'))?.toString()).toBe('text')
  })

  it('is not where it is otherwise, or does something else', () => {
    const handle = { reset: () => {}, writeSync: () => {}, onerror: () => {} }
    expect(over({})).toBeUndefined()
    expect(over({ _handle: null, _writeState: new Uint32Array(2) })).toBeUndefined()
    expect(over({ _handle: handle, _writeState: [0, 0] })).toBeUndefined()
    expect(over({ _handle: handle, _writeState: new Uint32Array(2) })).toBeUndefined()
    const throwing = { ...handle, writeSync: () => expect.fail('another signature') }
    expect(over({ _handle: throwing, _writeState: new Uint32Array(2) })).toBeUndefined()
    expect(over(createInflate())).toBeUndefined()
  })
})
