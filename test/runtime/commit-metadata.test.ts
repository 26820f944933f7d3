import { describe, expect, it } from 'vitest'
import { decodeCommitMetadata, encodeCommitMetadata } from '../../src/runtime/commit-metadata.ts'

describe('commit metadata', () => {
  it('is read back as it was written', () => {
    const metadata = {
      changelogs: { counts: 12 },
      sourced: ['customers'],
      streamTimes: { 'KSTREAM-AGGREGATE-1': 99 },
      emittedTimes: { 'KSTREAM-AGGREGATE-1': 5 },
      partitionTimes: { readings: 100 },
      drops: { source: { late: 3 } },
    }
    expect(decodeCommitMetadata(encodeCommitMetadata(metadata))).toMatchObject(metadata)
  })

  it('of a version that did not keep the times of partitions can be read', () => {
    const text = '{"version":1,"changelogs":{"counts":12},"streamTimes":{},"drops":{}}'
    expect(decodeCommitMetadata(text)).toMatchObject({ changelogs: { counts: 12 }, sourced: [], partitionTimes: {} })
  })

  it.each(['', 'not json', '{"version":99}', '{}', 'null'])('refuses what another program wrote: %j', (text) => {
    expect(() => decodeCommitMetadata(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
