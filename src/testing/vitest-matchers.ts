import { expect } from 'vitest'
import { MillraceError } from '../errors.ts'
import type { DropMetric } from '../runtime/drop-metric.ts'
import { TestOutput, type TestRecord } from './test-output.ts'
import { TopologyTestDriver } from './topology-test-driver.ts'

/** The package's entry `millrace/vitest`: importing it adds matchers to vitest's `expect`. */

interface OutputMatchers<K, V, R> {
  /**
   * Reads what has not been read of the topic: these records, in this order. Of each only the parts are compared that are
   * given here.
   */
  toHaveRecords(records: readonly Partial<TestRecord<K, V>>[]): R
  /** Reads what has not been read of the topic as the updates of a table: these are its rows, in any order. */
  toHaveTable(rows: Iterable<readonly [K, V]>): R
}

interface DriverMatchers<R> {
  /** These records were dropped, in any order, and no others. */
  toHaveDrops(drops: readonly DropMetric[]): R
}

/** A matcher that the value has none of; named for the compiler's message. */
type MatchersOf<R, T> =
  T extends TestOutput<infer K, infer V>
    ? OutputMatchers<K, V, R>
    : T extends TopologyTestDriver
      ? DriverMatchers<R>
      : object

type Matcher<R, T, N extends string> = N extends keyof MatchersOf<R, T> ? MatchersOf<R, T>[N] : never

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    toHaveRecords: Matcher<R, T, 'toHaveRecords'>
    toHaveTable: Matcher<R, T, 'toHaveTable'>
    toHaveDrops: Matcher<R, T, 'toHaveDrops'>
  }
}

expect.extend({
  toHaveRecords(output: unknown, expected: readonly Partial<TestRecord<unknown, unknown>>[]) {
    const records = requireOutput(output, 'toHaveRecords').readAll()
    const actual = records.map((record, i) => partsOf(record, expected[i]))
    return {
      pass: this.equals(actual, expected, [this.utils.iterableEquality]),
      actual,
      expected,
      message: () => `expected the topic ${this.isNot ? 'not ' : ''}to have these records next`,
    }
  },
  toHaveTable(output: unknown, expected: Iterable<readonly [unknown, unknown]>) {
    const actual = requireOutput(output, 'toHaveTable').readTable()
    const rows = new Map(expected)
    return {
      pass: this.equals(actual, rows, [this.utils.iterableEquality]),
      actual,
      expected: rows,
      message: () => `expected the topic ${this.isNot ? 'not ' : ''}to have these rows`,
    }
  },
  toHaveDrops(driver: unknown, expected: readonly DropMetric[]) {
    if (!(driver instanceof TopologyTestDriver)) throw misused('toHaveDrops', 'a TopologyTestDriver')
    const actual = driver.drops().toSorted(byOperator)
    const drops = expected.toSorted(byOperator)
    return {
      pass: this.equals(actual, drops, [this.utils.iterableEquality]),
      actual,
      expected: drops,
      message: () => `expected ${this.isNot ? 'other drops than these' : 'these drops and no others'}`,
    }
  },
})

/** Those parts of a record that are expected; all where none is. */
function partsOf(record: TestRecord<unknown, unknown>, expected: object | undefined): object {
  if (expected === undefined) return record
  const whole: Readonly<Record<string, unknown>> = { ...record, headers: record.headers ?? [] }
  return Object.fromEntries(Object.keys(expected).map((part) => [part, whole[part]]))
}

function byOperator(a: DropMetric, b: DropMetric): number {
  return a.operator.localeCompare(b.operator) || a.reason.localeCompare(b.reason)
}

function requireOutput(output: unknown, matcher: string): TestOutput<unknown, unknown> {
  if (output instanceof TestOutput) return output
  throw misused(matcher, "what TopologyTestDriver's output() returns")
}

function misused(matcher: string, what: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${matcher} was given something else than ${what}`)
}
