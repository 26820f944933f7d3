import { expect, it } from 'vitest'
import { takesParameter } from '../../../src/dsl/operators/takes-parameter.ts'

class Device {
  celsius(value: number) {
    return value
  }
}

const withoutKey: [string, (...parameters: never[]) => unknown][] = [
  ['an arrow function of the value', (value: number) => value],
  ['an arrow function of nothing', () => 1],
  ['an arrow function that takes the value apart', ({ a, b }: { a: number; b: number }) => a + b],
  [
    'a function of the value',
    function celsius(value: number) {
      return value
    },
  ],
  ['a method of the value', new Device().celsius],
]

const withKey: [string, (...parameters: never[]) => unknown][] = [
  ['an arrow function of value and key', (_value: number, key: string) => key],
  ['a key with a default', (_value: number, key = 'none') => key],
  ['the rest of the parameters', (_value: number, ...rest: string[]) => rest],
  ['all parameters as a list', (...all: string[]) => all],
  [
    'a function that looks at its arguments',
    function all(_value: number) {
      // biome-ignore lint/complexity/noArguments: that is the case tested.
      return arguments[1]
    },
  ],
  ['a bound function', ((_value: number, key: string) => key).bind(undefined)],
  ['a value with a default', (value = 1) => value],
]

it.each(withoutKey)('does not ask for the key: %s', (_, callback) => {
  expect(takesParameter(callback, 1)).toBe(false)
})

it.each(withKey)('asks for the key: %s', (_, callback) => {
  expect(takesParameter(callback, 1)).toBe(true)
})

it('tells the third parameter of an aggregator', () => {
  expect(takesParameter((sum: number, value: number) => sum + value, 2)).toBe(false)
  expect(takesParameter((sum: number, { value }: { value: number }) => sum + value, 2)).toBe(false)
  expect(takesParameter((sum: number, value: number, key: string) => sum + value + key.length, 2)).toBe(true)
  expect(takesParameter((sum: number, value: number, key = '') => sum + value + key.length, 2)).toBe(true)
  expect(takesParameter((sum: number, ...rest: number[]) => sum + rest.length, 2)).toBe(true)
})
