import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type KTable,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  topic,
  UnlimitedWindows,
  type Windowed,
} from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const late = topic('late', { key: serde.string, value: serde.string })

const counted: Readonly<Record<string, (b: StreamsBuilder) => KTable<Windowed<string>, number>>> = {
  'tumbling windows': (b) => grouped(b).windowedBy(TimeWindows.of(10).grace(3), { late }).count({ name: 'op' }),
  'hopping windows': (b) =>
    grouped(b).windowedBy(TimeWindows.of(10).advanceBy(4).grace(3), { late }).count({ name: 'op' }),
  'sliding windows': (b) => grouped(b).windowedBy(SlidingWindows.of(10).grace(3), { late }).count({ name: 'op' }),
  sessions: (b) => grouped(b).windowedBy(SessionWindows.withGap(5).grace(3), { late }).count({ name: 'op' }),
  'an unlimited window': (b) =>
    grouped(b).windowedBy(UnlimitedWindows.of().startOn(20), { late }).count({ name: 'op' }),
}

const grouped = (b: StreamsBuilder) => b.stream(words).groupByKey()

/** The counts of records that are not processed further. `late-for-some` is not one of them. */
const leavingOut = ['late', 'before-window', 'null-key', 'null-value']

describe('every record that goes into an operator over windows is in its results or counted as left out', () => {
  const inputOf = fc.record({
    key: fc.constantFrom('a', 'b', null),
    value: fc.constantFrom('x', 'x', 'x', null),
    timestamp: fc.nat(60),
  })

  it.each(Object.keys(counted))('%s', (kind) => {
    fc.assert(
      fc.property(fc.array(inputOf, { maxLength: 30 }), fc.integer({ min: 0, max: 30 }), (inputs, restartAt) => {
        const builder = new StreamsBuilder()
        const taken: boolean[] = []
        let current = { key: '', timestamp: 0 }
        counted[kind]?.(builder)
          .toStream()
          .foreach((value, { key, window }) => {
            const holds = window.start <= current.timestamp && current.timestamp <= window.end
            if (value !== null && key === current.key && holds) taken[taken.length - 1] = true
          })
        using driver = new TopologyTestDriver(builder.build())
        for (const [i, input] of inputs.entries()) {
          if (i === restartAt) driver.restart()
          current = { key: input.key ?? '', timestamp: input.timestamp }
          taken.push(false)
          driver.input(words).pipe(input)
        }
        const counts = new Map(driver.drops().map(({ reason, count }) => [reason as string, count]))
        const leftOut = leavingOut.reduce((sum, reason) => sum + (counts.get(reason) ?? 0), 0)
        expect(taken.filter(Boolean).length + leftOut).toBe(inputs.length)
        expect(driver.output(late).readAll()).toHaveLength(counts.get('late') ?? 0)
      }),
      { numRuns: 60 },
    )
  })
})
