import type { SeededRandom } from '../../src/env/seeded-random.ts'

/** Numbers that lengths, counts and offsets are most easily wrong about. */
const interesting = [0, 1, -1, 2, 7, 60, 61, 62, 127, 128, 255, 32_767, 65_535, 0x7fff_ffff, -0x8000_0000, 0x4000_0000]
const varints = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xfe, 0xff, 0xff, 0xff, 0x0f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x01],
  [0x80],
]

type Mutation = (bytes: Buffer, random: SeededRandom, corpus: readonly Buffer[]) => Buffer

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = place(bytes, random)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (random.uint32() % 8))
    return bytes
  },
  function setNumber(bytes, random) {
    const at = place(bytes, random)
    const value = interesting[random.uint32() % interesting.length] as number
    const width = [1, 2, 4, 8][random.uint32() % 4] as number
    for (let i = 0; i < width && at + i < bytes.length; i++) {
      const shift = (width - 1 - i) * 8
      bytes[at + i] = shift >= 32 ? (value < 0 ? 255 : 0) : (value >> shift) & 255
    }
    return bytes
  },
  function putVarint(bytes, random) {
    const at = place(bytes, random)
    const varint = varints[random.uint32() % varints.length] as number[]
    const overwrites = random.uint32() % 2 === 0
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(varint),
      bytes.subarray(overwrites ? at + varint.length : at),
    ])
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.uint32() % (bytes.length + 1))
  },
  function remove(bytes, random) {
    const at = place(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (random.uint32() % 16))])
  },
  function repeat(bytes, random) {
    const at = place(bytes, random)
    const part = bytes.subarray(at, at + 1 + (random.uint32() % 64))
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
  },
  function splice(bytes, random, corpus) {
    const other = corpus[random.uint32() % corpus.length] as Buffer
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))])
  },
]

function place(bytes: Buffer, random: SeededRandom): number {
  return bytes.length === 0 ? 0 : random.uint32() % bytes.length
}

/** One of the corpus, changed in one to four ways. */
export function mutated(corpus: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes: Buffer = Buffer.from(corpus[random.uint32() % corpus.length] as Buffer)
  for (let changes = 1 + (random.uint32() % 4); changes > 0; changes--) {
    bytes = (mutations[random.uint32() % mutations.length] as Mutation)(bytes, random, corpus)
  }
  return Buffer.from(bytes)
}
