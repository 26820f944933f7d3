/** What the compiler must infer and refuse of the test driver. Checked by `tsc`; never run. */
import { expect, expectTypeOf } from 'vitest'
import { type DropMetric, serde, type Topology, topic, type Windowed } from '../../src/index.ts'
import {
  type StoredSession,
  type TestInput,
  type TestOutput,
  type TestRecord,
  TopologyTestDriver,
} from '../../src/testing/topology-test-driver.ts'
import '../../src/testing/vitest-matchers.ts'

interface Reading {
  readonly celsius: number
}

const readings = topic('readings', { key: serde.string, value: serde.json<Reading>() })
const minutes = topic('minutes', { key: serde.windowed(serde.string), value: serde.float64 })

export function infersKeysAndValuesFromTopics(topology: Topology): void {
  using driver = new TopologyTestDriver(topology)
  const input = driver.input(readings)
  expectTypeOf(input).toEqualTypeOf<TestInput<string, Reading>>()
  input.pipe({ key: 'a', value: { celsius: 1 } })
  input.pipe({ key: null, value: null, timestamp: 5, headers: [{ key: 'trace', value: Buffer.from('1') }] })
  input.pipeAll([{ key: 'a', value: { celsius: 1 } }])

  const output = driver.output(minutes)
  expectTypeOf(output).toEqualTypeOf<TestOutput<Windowed<string>, number>>()
  expectTypeOf(output.read()).toEqualTypeOf<TestRecord<Windowed<string>, number> | undefined>()
  expectTypeOf(output.read()?.key).toEqualTypeOf<Windowed<string> | null | undefined>()
  expectTypeOf(output.read()?.value).toEqualTypeOf<number | null | undefined>()
  expectTypeOf(output.readAll()).toEqualTypeOf<TestRecord<Windowed<string>, number>[]>()
  expectTypeOf(output.readTable()).toEqualTypeOf<Map<Windowed<string>, number>>()
  expectTypeOf(output.isEmpty).toEqualTypeOf<boolean>()

  expectTypeOf(driver.store('per-minute').get('a', 0)?.value).toBeUnknown()
  expectTypeOf(driver.store('sessions').find('a')).toEqualTypeOf<StoredSession[]>()
  expectTypeOf(driver.drops()).toEqualTypeOf<DropMetric[]>()
  expectTypeOf(driver.producedTopics()).toEqualTypeOf<string[]>()
}

export function refusesWhatTheTopicDoesNotTake(driver: TopologyTestDriver): void {
  const input = driver.input(readings)
  // @ts-expect-error keys are strings
  input.pipe({ key: 1, value: { celsius: 1 } })
  // @ts-expect-error a property is missing
  input.pipe({ key: 'a', value: {} })
  // @ts-expect-error the key must be given, if only as null
  input.pipe({ value: { celsius: 1 } })
  // @ts-expect-error timestamps are milliseconds
  input.pipe({ key: 'a', value: null, timestamp: '5' })
  // @ts-expect-error a list goes to pipeAll
  input.pipe([{ key: 'a', value: null }])
  // @ts-expect-error values are readings
  input.pipeAll([{ key: 'a', value: 1 }])
  // @ts-expect-error topics are declared once, not named
  driver.input('readings')
  // @ts-expect-error no unit
  driver.advanceWallClockTime('5')
  // @ts-expect-error times are milliseconds
  new TopologyTestDriver({} as Topology, { startMs: '0' })
}

export function matchersTakeWhatTheOutputHas(output: TestOutput<string, number>, driver: TopologyTestDriver): void {
  expect(output).toHaveRecords([{ key: 'a', value: 1 }, { timestamp: 5 }])
  expect(output).toHaveTable([['a', 1]])
  expect(driver).toHaveDrops([{ operator: 'source', reason: 'null-key', count: 1 }])
  // @ts-expect-error: the topic's values are numbers
  expect(output).toHaveRecords([{ value: 'one' }])
  // @ts-expect-error: drops are the driver's
  expect(output).toHaveDrops([])
  // @ts-expect-error: records are the output's
  expect(driver).toHaveRecords([])
}
