import { describe, expect, it } from 'vitest'
import { difference, type ReplayPurpose } from '../run-purpose.ts'

const purpose: ReplayPurpose = {
  command: 'replay',
  files: [{ name: 'nab/taxi', sizeBytes: 10 }],
  windows: { kind: 'time', sizeMs: 300_000, hopMs: 60_000 },
  graceMs: 0,
}

describe('difference', () => {
  it('names everything that differs', () => {
    const now: ReplayPurpose = { ...purpose, files: [], graceMs: 5, windows: { kind: 'session', gapMs: 1_000 } }
    expect(difference(purpose, now)).toBe(
      'it was made from other files (nab/taxi, 10 bytes), and it was made with other windows ' +
        '(--window 300000ms --hop 60000ms), and it was made with another grace (--grace 0ms)',
    )
    expect(difference(now, purpose)).toContain('with other windows (--session 1000ms)')
  })

  it('tells live readings and data files apart', () => {
    expect(difference({ command: 'live' }, purpose)).toContain('it holds live readings of a machine')
    expect(difference(purpose, { command: 'live' })).toContain('it holds the readings of data files')
  })
})
