import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientQuotas, type QuotaEntity, type QuotaKey } from '../../../src/broker/quotas/client-quotas.ts'
import { QuotaBucket } from '../../../src/broker/quotas/quota-bucket.ts'
import { QuotaKeeper } from '../../../src/broker/quotas/quota-keeper.ts'

const key = 'producer_byte_rate'

function set(quotas: ClientQuotas, entity: QuotaEntity, value: number | undefined, of: QuotaKey = key): void {
  const parts = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
  quotas.apply({ type: 'client-quota', entity: parts, key: of, value: value ?? 0, remove: value === undefined })
}

/** From the most special to the most general, as Kafka's documentation has them. */
const byRank: readonly QuotaEntity[] = [
  { user: 'alice', 'client-id': 'app' },
  { user: 'alice', 'client-id': null },
  { user: 'alice' },
  { user: null, 'client-id': 'app' },
  { user: null, 'client-id': null },
  { user: null },
  { 'client-id': 'app' },
  { 'client-id': null },
]

describe('the quota of a client', () => {
  it('is the most special of those that there are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(byRank.length - 1)), (ranks) => {
        const quotas = new ClientQuotas()
        for (const rank of ranks) set(quotas, byRank[rank] as QuotaEntity, rank + 1)
        const best = ranks.length === 0 ? undefined : Math.min(...ranks) + 1
        expect(quotas.of(key, 'alice', 'app')?.limit).toBe(best)
        expect(quotas.of('consumer_byte_rate', 'alice', 'app')).toBeUndefined()
        for (const rank of ranks) set(quotas, byRank[rank] as QuotaEntity, undefined)
        expect(quotas.all).toEqual([])
      }),
    )
  })

  it('is shared by those whom it is for', () => {
    const shares = (entity: QuotaEntity, one: [string, string], other: [string, string]): boolean => {
      const quotas = new ClientQuotas()
      set(quotas, entity, 5)
      return quotas.of(key, ...one)?.sharedBy === quotas.of(key, ...other)?.sharedBy
    }
    expect(shares({ user: 'alice' }, ['alice', 'a'], ['alice', 'b'])).toBe(true)
    expect(shares({ user: null }, ['alice', 'a'], ['alice', 'b'])).toBe(true)
    expect(shares({ user: null }, ['alice', 'a'], ['bob', 'a'])).toBe(false)
    expect(shares({ 'client-id': null }, ['alice', 'a'], ['bob', 'a'])).toBe(true)
    expect(shares({ 'client-id': null }, ['alice', 'a'], ['alice', 'b'])).toBe(false)
    expect(shares({ user: 'alice', 'client-id': null }, ['alice', 'a'], ['alice', 'b'])).toBe(false)
  })
})

describe('a bucket', () => {
  it('lets through a window of its rate at once, and in the long run no more than its rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(fc.nat(20_000), { maxLength: 30 }), (limit, sizes) => {
        const bucket = new QuotaBucket(limit, 0)
        let nowMs = 0
        let taken = 0
        for (const size of sizes) {
          const waitMs = bucket.take(size, limit, nowMs)
          taken += size
          expect(waitMs === 0).toBe(taken <= limit * 10 + (limit * nowMs) / 1_000 + 1e-6)
          nowMs += waitMs
          // Waiting as long as one is told is enough.
          expect(taken).toBeLessThanOrEqual(limit * 10 + (limit * nowMs) / 1_000 + 1e-6)
          if (waitMs === 0) continue
          expect(taken).toBeGreaterThan(limit * 10 + (limit * (nowMs - 2)) / 1_000 - 1e-6)
        }
      }),
    )
  })

  it('takes a new rate from the next time on', () => {
    const bucket = new QuotaBucket(100, 0)
    expect(bucket.take(1_000, 100, 0)).toBe(0)
    expect(bucket.take(100, 100, 0)).toBe(1_000)
    expect(bucket.take(0, 1_000, 0)).toBe(100)
  })
})

describe('the keeper of quotas', () => {
  it('counts nothing without quotas, and throttles for a while at a time', () => {
    const quotas = new ClientQuotas()
    const keeper = new QuotaKeeper(quotas)
    const alice = { user: 'alice', clientId: 'app' }
    expect(keeper.isOn).toBe(false)
    expect(keeper.take(key, 1e12, alice, 0)).toBe(0)
    set(quotas, { user: 'alice' }, 100)
    expect(keeper.isOn).toBe(true)
    expect(keeper.take(key, 1_200, { ...alice, clientId: 'other' }, 0)).toBe(2_000)
    expect(keeper.take(key, 100, alice, 1_000)).toBe(2_000)
    expect(keeper.take(key, 1e9, alice, 1_000)).toBe(15_000)
    expect(keeper.take(key, 1e9, { ...alice, user: 'bob' }, 1_000)).toBe(0)
  })

  it("takes percents for the broker's time: ten milliseconds of a second each", () => {
    const quotas = new ClientQuotas()
    set(quotas, { user: 'alice' }, 10, 'request_percentage')
    const keeper = new QuotaKeeper(quotas)
    const alice = { user: 'alice', clientId: 'app' }
    expect(keeper.take('request_percentage', 1_000, alice, 0)).toBe(0)
    expect(keeper.take('request_percentage', 100, alice, 0)).toBe(1_000)
    expect(keeper.take('producer_byte_rate', 1e9, alice, 0)).toBe(0)
  })

  it('knows a bounded number of clients, and those best that were seen last', () => {
    const quotas = new ClientQuotas()
    set(quotas, { 'client-id': null }, 100)
    const keeper = new QuotaKeeper(quotas)
    const take = (clientId: string): number => keeper.take(key, 1_500, { user: 'eve', clientId }, 0)
    expect(take('mine')).toBe(5_000)
    for (let i = 0; i < 9_990; i++) take(`id ${i}`)
    expect(take('mine')).toBe(15_000)
    for (let i = 0; i < 10_010; i++) take(`other ${i}`)
    expect(take('mine')).toBe(5_000)
  })
})
