import { describe, expect, it } from 'vitest'
import { decodeCommitMetadata, encodeCommitMetadata } from '../../src/runtime/commit-metadata.ts'

describe('commit metadata', () => {
  it('is read back as it was written', () => {
    const metadata = {
      changelogs: { counts: 12 },
      streamTimes: { 'KSTREAM-AGGREGATE-1': 99 },
      emittedTimes: { 'KSTREAM-AGGREGATE-1': 5 },
      drops: { source: { late: 3 } },
    }
    expect(decodeCommitMetadata(encodeCommitMetadata(metadata))).toMatchObject(metadata)
  })

  it.each(['', 'not json', '{"version":99}', '{}', 'null'])('refuses what another program wrote: %j', (text) => {
    expect(() => decodeCommitMetadata(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
