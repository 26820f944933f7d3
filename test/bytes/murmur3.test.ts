import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { murmur3 } from '../../src/bytes/murmur3.ts'

const file = new URL('../vectors/murmur3.json', import.meta.url)
const { hashes } = JSON.parse(readFileSync(file, 'utf8')) as { readonly hashes: readonly string[] }

it('hashes as Kafka Streams does, whatever the length', () => {
  expect(hashes.length).toBeGreaterThan(64)
  const hash = Buffer.alloc(16)
  const ours = hashes.map((_, length) => {
    const bytes = Buffer.alloc(length + 2)
    for (let i = 0; i < length; i++) bytes[i + 1] = 37 * i + 101 * length + (i % 3 === 0 ? 255 : 7)
    murmur3(bytes, 1, length + 1, hash)
    return hash.toString('hex')
  })
  expect(ours).toEqual(hashes)
})
