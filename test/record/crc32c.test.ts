import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/record/crc32c.ts'

/** One bit at a time, as the polynomial is defined. */
function bitwise(bytes: Buffer): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

describe('crc32c', () => {
  it('gives the values of RFC 3720, B.4', () => {
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a91_36aa)
    expect(crc32c(Buffer.alloc(32, 0xff), 0, 32)).toBe(0x62a8_ab43)
    const ascending = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
    expect(crc32c(ascending, 0, 32)).toBe(0x46dd_794e)
    expect(crc32c(ascending.reverse(), 0, 32)).toBe(0x113f_db5c)
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe306_9283)
  })

  it('gives the same by either way, for every length around the change from one to the other', () => {
    const bytes = Buffer.from(Array.from({ length: 400 }, (_, index) => (index * index * 7 + 3) & 0xff))
    for (let length = 0; length <= 390; length++) {
      expect(crc32c(bytes, 5, 5 + length)).toBe(bitwise(bytes.subarray(5, 5 + length)))
    }
    expect(crc32c(bytes, 0, bytes.length)).toBe(bitwise(bytes))
  })
})
