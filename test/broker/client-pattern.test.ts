import { describe, expect, it } from 'vitest'
import { compileClientPattern } from '../../src/broker/client-pattern.ts'

describe('patterns of clients', () => {
  it.each([
    ['orders-.*', 'orders-eu', true],
    ['orders-.*', 'my-orders-eu', false],
    ['(a|b)+c?', 'abba', true],
    ['^(a+)+$', `${'a'.repeat(200)}!`, false],
    ['[a-z]{1,30}', 'payments', true],
    ['.*', 'x'.repeat(249), true],
  ])('%s looks at %s: %s', (pattern, name, isExpected) => {
    expect(compileClientPattern(pattern)?.matches(name)).toBe(isExpected)
  })

  it.each([
    '(',
    'a{2000}',
    '((a{100}){100}){100}',
    'a{1,1000}'.repeat(30),
    '[a-z]{1,600}',
    `${'('.repeat(400)}a${')'.repeat(400)}`.repeat(2),
    'x'.repeat(2_000),
    '(?=a)b',
    '(a)\\1',
  ])('%s is none, or takes too long', (pattern) => {
    expect(compileClientPattern(pattern)).toBeUndefined()
  })
})
