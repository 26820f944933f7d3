import { describe, expect, it } from 'vitest'
import { run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'
import { type Entry, inMemory, put, table } from './readings.ts'

interface Account {
  readonly owner: string | null
  readonly balance: number
}

const accounts = topic('accounts', { key: serde.string, value: serde.json<Account>(), partitions: 3 })
const wealth = topic('wealth', { key: serde.string, value: serde.json<number>() })
const holdings = topic('holdings', { key: serde.string, value: serde.json<string[]>() })

/** The sum of balances by owner; accounts that nobody owns have no group. */
function wealthByOwner() {
  const builder = new StreamsBuilder()
  builder
    .table(accounts)
    .groupBy(({ owner, balance }) => [owner, balance], { key: serde.string, value: serde.float64 })
    .reduce(
      (sum, balance) => sum + balance,
      (sum, balance) => sum - balance,
    )
    .toStream()
    .to(wealth)
  return builder.build()
}

describe('a grouped table', () => {
  it('moves a row from one group to another, and out of all', () => {
    using driver = new TopologyTestDriver(wealthByOwner())
    const input = driver.input(accounts)
    input.pipe({ key: '1', value: { owner: 'ann', balance: 10 }, timestamp: 1 })
    input.pipe({ key: '2', value: { owner: 'ann', balance: 5 }, timestamp: 2 })
    input.pipe({ key: '1', value: { owner: 'bob', balance: 12 }, timestamp: 3 })
    driver.restart()
    input.pipe({ key: '2', value: { owner: null, balance: 5 }, timestamp: 4 })
    input.pipe({ key: '1', value: null, timestamp: 5 })
    expect(
      driver
        .output(wealth)
        .readAll()
        .map(({ key, value }) => [key, value]),
    ).toEqual([
      ['ann', 10],
      ['ann', 15],
      ['ann', 5],
      ['bob', 12],
      ['ann', 0],
      ['bob', 0],
    ])
  })

  it('keeps aggregates that their functions change in place right for what follows', () => {
    const builder = new StreamsBuilder()
    builder
      .table(accounts)
      .groupBy((account, key) => [account.owner, key], { key: serde.string, value: serde.string })
      .aggregate(
        (): string[] => [],
        (all, key) => {
          all.push(key)
          return all
        },
        (all, key) => all.filter((other) => other !== key),
        { value: serde.json<string[]>() },
      )
      .toStream()
      .to(holdings)
    using driver = new TopologyTestDriver(builder.build())
    const input = driver.input(accounts)
    for (const [key, owner] of [
      ['1', 'ann'],
      ['2', 'ann'],
      ['1', 'bob'],
      ['2', 'ann'],
    ] as const) {
      input.pipe({ key, value: { owner, balance: 1 }, timestamp: 1 })
    }
    expect(Object.fromEntries(driver.output(holdings).readTable())).toMatchObject({ ann: ['2'], bob: ['1'] })
  })

  it('is the sum over the last rows, over several partitions and a restart', async () => {
    await using connection = await inMemory()
    const rows: Entry<string, Account>[] = Array.from({ length: 600 }, (_, i) => [
      `account-${i % 50}`,
      i % 37 === 0 ? null : { owner: `owner-${(i * 7) % 5}`, balance: i },
      i,
    ])
    for (const part of [rows.slice(0, 250), rows.slice(250)]) {
      await put(connection, accounts, part)
      await using app = await run(wealthByOwner(), { applicationId: 'wealth', cluster: connection })
      await app.caughtUp()
    }
    const last = new Map(rows.map(([key, value]) => [key, value]))
    const expected = new Map<string, number>()
    for (const account of last.values()) {
      if (account?.owner) expected.set(account.owner, (expected.get(account.owner) ?? 0) + account.balance)
    }
    const found = await table(connection, wealth)
    for (const [owner, sum] of expected) expect(found.get(JSON.stringify(owner))).toBe(sum)
    expect(expected.size).toBe(5)
  })
})
