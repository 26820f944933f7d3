import { describe, expect, it } from 'vitest'
import { assert, MillraceError } from '../src/errors.ts'

describe('MillraceError', () => {
  it('says what happened, where, and what to do', () => {
    const error = new MillraceError('CORRUPT_BATCH', 'The checksum is wrong', {
      at: { topic: 'readings', partition: 3, offset: 42 },
      remedy: 'Restore the segment from a copy.',
    })
    expect(error.message).toBe(
      'The checksum is wrong (topic readings, partition 3, offset 42). Restore the segment from a copy.',
    )
    expect(error).toMatchObject({ code: 'CORRUPT_BATCH', retriable: false, name: 'MillraceError' })
  })

  it('keeps what it said when a caller adds the place', () => {
    const inner = new MillraceError('SERDE_FAILED', 'Not JSON.', { at: { offset: 7 }, remedy: 'Mend the producer.' })
    const outer = inner.placedAt({ topic: 'readings', offset: 9, operator: 'FILTER' })
    expect(outer.message).toBe('Not JSON (topic readings, offset 7, operator FILTER). Mend the producer.')
    expect(outer.code).toBe('SERDE_FAILED')
  })

  it('knows which failures may pass by themselves', () => {
    expect(new MillraceError('DISK_FULL', 'full').retriable).toBe(true)
    expect(new MillraceError('STORAGE_FAILED', 'broken').retriable).toBe(false)
  })
})

describe('assert', () => {
  it('names the invariant that does not hold', () => {
    expect(() => assert(false, 'offsets grow')).toThrow('this must hold but does not: offsets grow')
    expect(() => assert(true, 'offsets grow')).not.toThrow()
  })
})
