import { describe, expect, it } from 'vitest'
import { attacks } from './attacks.ts'
import { attack } from './hostile-run.ts'

const mebibyte = 1_048_576

/** A little of what `npm run test:hostile` does with ten thousand connections. */
describe('an honest client beside hostile ones', () => {
  it('has every append acknowledged and finds it again, and memory stays within bounds', async () => {
    const result = await attack({
      clients: 300,
      appends: 200,
      seed: 1,
      limits: {
        maxArrivalMs: 500,
        maxLoginMs: 500,
        maxUnreadMs: 500,
        maxRequestsBytes: 8 * mebibyte,
        maxAnswersBytes: 8 * mebibyte,
      },
    })
    expect(result.appended).toBe(200)
    expect(result.connectionsMade).toBeGreaterThanOrEqual(300)
    expect(result.largest.bugs).toBe(0)
    expect(result.largest.heldBytes).toBeLessThan(32 * mebibyte)
    expect(result.last.heldBytes).toBe(0)
  })

  it('is let in although others hold as many connections as one address may', async () => {
    const idle = attacks.filter(({ name }) => name === 'says nothing')
    const result = await attack({
      clients: 100,
      appends: 20,
      seed: 2,
      attacks: idle,
      limits: { maxConnectionsPerAddress: 60 },
    })
    expect(result.appended).toBe(20)
    expect(result.largest.connections).toBeLessThanOrEqual(60)
  })
})
