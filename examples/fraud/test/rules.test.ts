import { describe, expect, it } from 'vitest'
import { amount, big, type Past, type Rule, smallThenLarge, velocity } from '../rules.ts'

/** What the rule sees in each of the payments, given as `[minute, dollars]`. */
function seenBy(rule: Rule, payments: readonly (readonly [minute: number, dollars: number])[]): (number | undefined)[] {
  const past: Past[] = []
  return payments.map(([minute, dollars]) => {
    const [at, cents] = [minute * 60_000, dollars * 100]
    const previous = past.at(-1)
    past.push({ at, cents })
    const recent = past.filter((one) => one.at > at - rule.lookBackMs)
    const transaction = { id: 'x', cents, merchant: 'm', category: 'c', isFraud: false }
    return rule.observe(transaction, recent, previous)
  })
}

describe('rules', () => {
  it('velocity counts the payments since, and none that is just as old', () => {
    const rule = velocity(2, 30 * 60_000)
    expect(
      seenBy(rule, [
        [0, 1],
        [10, 1],
        [29, 1],
        [30, 1],
        [100, 1],
      ]),
    ).toEqual([undefined, undefined, 3, 3, undefined])
  })

  it('amount adds them up', () => {
    const rule = amount(100_00, 60 * 60_000)
    expect(
      seenBy(rule, [
        [0, 60],
        [30, 40],
        [59, 1],
        [61, 60],
      ]),
    ).toEqual([undefined, undefined, 101_00, 101_00])
  })

  it('big looks at one alone', () => {
    expect(
      seenBy(big(500_00), [
        [0, 500],
        [1, 501],
      ]),
    ).toEqual([undefined, 501_00])
  })

  it('small-then-large looks at the payment before, up to and with the end of its time', () => {
    const rule = smallThenLarge(10_00, 500_00, 60 * 60_000)
    expect(
      seenBy(rule, [
        [0, 9],
        [60, 501],
      ]),
    ).toEqual([undefined, 9_00])
    expect(
      seenBy(rule, [
        [0, 9],
        [61, 501],
      ]),
    ).toEqual([undefined, undefined])
    expect(
      seenBy(rule, [
        [0, 9],
        [1, 20],
        [2, 501],
      ]),
    ).toEqual([undefined, undefined, undefined])
  })

  it('say what they saw', () => {
    const transaction = { id: 'x', cents: 50_100, merchant: 'm', category: 'c', isFraud: false }
    expect(velocity(2, 30 * 60_000).say(3, transaction)).toBe('3 payments in 30m')
    expect(smallThenLarge(10_00, 500_00, 3_600_000).say(900, transaction)).toBe('$501.00 soon after $9.00')
  })
})
