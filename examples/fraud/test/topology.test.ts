import { TopologyTestDriver } from 'millrace/testing'
import { expect, it } from 'vitest'
import { alerts, calls, suspicions } from '../alert.ts'
import { MadeUpPayments, seededRandom } from '../made-up-payments.ts'
import { fraudTopology } from '../topology.ts'
import { transactions } from '../transaction.ts'

const minute = 60_000

it('raises an alarm, says it once in an hour, and sums up what belongs together when it is over', () => {
  using driver = new TopologyTestDriver(fraudTopology())
  const pay = (at: number, cents: number, card = 'card') => {
    const value = { id: `${card}-${at}`, cents, merchant: 'shop', category: 'food', isFraud: true }
    driver.input(transactions).pipe({ key: card, value, timestamp: at * minute })
  }
  pay(0, 5_00)
  pay(1, 600_00)
  driver.restart()
  pay(2, 600_00)
  const names = (topic: typeof alerts) =>
    driver
      .output(topic)
      .readAll()
      .map(({ value }) => value?.rule)
  expect(names(alerts)).toEqual([
    'big-500',
    'small-then-large-in-1h',
    'velocity-2-in-30m',
    'amount-1000-in-1h',
    'big-500',
  ])
  expect(names(calls)).toEqual(['big-500', 'small-then-large-in-1h', 'velocity-2-in-30m', 'amount-1000-in-1h'])
  expect(driver.output(suspicions).readAll()).toEqual([])
  pay(200, 600_00, 'another')
  const summedUp = driver.output(suspicions).readAll()
  expect(summedUp).toMatchObject([
    { key: { key: 'card', window: { start: minute, end: 2 * minute } }, value: { alerts: 5, cents: 300_000 } },
  ])
})

it('finds most of what is made up to be found', () => {
  using driver = new TopologyTestDriver(fraudTopology())
  const payments = new MadeUpPayments(seededRandom(7))
  const frauds = new Set<string>()
  for (let i = 0; i < 2_000; i++) {
    const { card, transaction } = payments.next()
    if (transaction.isFraud) frauds.add(transaction.id)
    driver.input(transactions).pipe({ key: card, value: transaction, timestamp: i * 30_000 })
  }
  const seen = new Set(
    driver
      .output(alerts)
      .readAll()
      .map(({ value }) => value?.transaction.id),
  )
  const found = [...frauds].filter((id) => seen.has(id))
  expect(frauds.size).toBeGreaterThan(20)
  expect(found.length / frauds.size).toBeGreaterThan(0.6)
})
