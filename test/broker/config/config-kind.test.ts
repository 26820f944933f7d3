import { describe, expect, it } from 'vitest'
import {
  boolean,
  type ConfigKind,
  double,
  formatConfig,
  int,
  listOf,
  long,
  oneOf,
  parseConfig,
} from '../../../src/broker/config/config-kind.ts'

const policy = listOf('compact', 'delete')

describe('values of settings', () => {
  it.each([
    [boolean, ' TRUE ', true],
    [boolean, 'false', false],
    [int(), '-2147483648', -2_147_483_648],
    [long(-1), '-1', -1],
    [long(), '+7', 7],
    [long(1), '9223372036854775807', Number.POSITIVE_INFINITY],
    [double(0, 1), '.5', 0.5],
    [double(0, 1), '1e-1', 0.1],
    [oneOf('a', 'b'), ' b ', 'b'],
    [policy, '', []],
    [policy, 'compact , delete', ['compact', 'delete']],
  ] as [ConfigKind, string, unknown][])('%j takes %j', (kind, text, value) => {
    expect(parseConfig('name', text, kind)).toEqual({ value })
  })

  // Kafka's sentences, as its brokers answered.
  it.each([
    [boolean, 'yes', 'Invalid value yes for configuration name: Expected value to be either true or false'],
    [int(), '2147483648', 'Invalid value 2147483648 for configuration name: Not a number of type INT'],
    [int(), '1.5', 'Invalid value 1.5 for configuration name: Not a number of type INT'],
    [long(), '1 GB', 'Invalid value 1 GB for configuration name: Not a number of type LONG'],
    [
      long(),
      '9223372036854775808',
      'Invalid value 9223372036854775808 for configuration name: Not a number of type LONG',
    ],
    [long(-1), '-2', 'Invalid value -2 for configuration name: Value must be at least -1'],
    [int(1, 17), '18', 'Invalid value 18 for configuration name: Value must be no more than 17'],
    [double(0, 1), 'half', 'Invalid value half for configuration name: Not a number of type DOUBLE'],
    [double(0, 1), '2', 'Invalid value 2 for configuration name: Value must be no more than 1'],
    [oneOf('a', 'b'), 'c', 'Invalid value c for configuration name: String must be one of: a, b'],
    [policy, 'delete,never', 'Invalid value never for configuration name: String must be one of: compact, delete'],
  ] as [ConfigKind, string, string][])('%j refuses %j', (kind, text, problem) => {
    expect(parseConfig('name', text, kind)).toEqual({ problem })
  })

  it('are written as they are read', () => {
    for (const [kind, text] of [
      [boolean, 'true'],
      [int(), '2147483647'],
      [long(), '9223372036854775807'],
      [policy, 'compact,delete'],
      [policy, ''],
      [double(0, 1), '0.5'],
    ] as const) {
      const parsed = parseConfig('name', text, kind)
      expect('value' in parsed && formatConfig(parsed.value, kind)).toBe(text)
    }
    expect(formatConfig(Number.POSITIVE_INFINITY, int())).toBe('2147483647')
  })
})
