import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../../src/state/memory-engine.ts'
import type { StateStore } from '../../../src/state/state-store.ts'
import type { StoreEngine } from '../../../src/state/store-engine.ts'
import type { StreamTime } from '../../../src/topology/processor.ts'
import { count, type Pipeline, sessionCount, slidingTexts, suppressed, windowedCount } from './aggregate-fixtures.ts'
import {
  finalResults,
  sessionCountOracle,
  slidingOracle,
  timeLimitOracle,
  windowedCountOracle,
} from './aggregate-oracles.ts'
import { type Input, OperatorRun, TestChangelog } from './operator-run.ts'

const newEngine = (): StoreEngine => memoryEngine.open({ directory: undefined, store: '' })

/** Mostly in order, some far behind, a few far ahead. */
const inputsOf: fc.Arbitrary<Input[]> = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'ab', ''),
      value: fc.constantFrom('v', null),
      step: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: -3, max: 5 }) },
        { weight: 2, arbitrary: fc.integer({ min: -40, max: 20 }) },
        { weight: 1, arbitrary: fc.constantFrom(100_000, -50) },
      ),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let timestamp = 5
    return steps.map(({ key, value, step }) => {
      timestamp = Math.max(0, timestamp + step)
      return { key, value, timestamp }
    })
  })

const timeOf = fc
  .record({
    size: fc.integer({ min: 1, max: 20 }),
    advance: fc.integer({ min: 1, max: 20 }),
    grace: fc.nat({ max: 30 }),
  })
  .map(({ size, advance, grace }) => ({ size, advance: Math.min(size, advance), grace }))

const slidingOf = fc.record({ difference: fc.integer({ min: 1, max: 12 }), grace: fc.nat({ max: 30 }) })

const sessionOf = fc.record({ gap: fc.integer({ min: 1, max: 12 }), grace: fc.nat({ max: 30 }) })

const waitOf = fc.record({
  isFinal: fc.constant(false),
  waitMs: fc.nat({ max: 20 }),
  maxRecords: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
  whenFull: fc.constant('emit-early' as const),
})

function started({ operators, stores }: Pipeline): OperatorRun {
  return new OperatorRun(
    operators,
    stores.map((create) => create(newEngine())),
  )
}

describe('aggregations equal their definition on any order of records', () => {
  it('in tumbling and hopping windows', () => {
    fc.assert(
      fc.property(inputsOf, timeOf, (inputs, options) => {
        // The oracle walks all windows from 1970.
        const near = inputs.filter((input) => input.timestamp < 1_000)
        const run = started(windowedCount(options))
        const expected = windowedCountOracle(near, options)
        expect(near.map((input) => run.process(input))).toEqual(expected.outputs)
        expect(run.drops.late ?? 0).toBe(expected.late.length)
        expect(run.late).toHaveLength(expected.late.length)
        expect(run.drops['late-for-some'] ?? 0).toBe(expected.lateForSome.length)
      }),
    )
  })

  it('in sliding windows, which end up with all records that they hold, in whichever order these come', () => {
    fc.assert(
      fc.property(inputsOf, fc.integer({ min: 1, max: 20 }), (steps, difference) => {
        // A grace period that nothing is late for; every value is another one.
        const inputs = steps.map((input, i) => ({ ...input, value: input.value === null ? null : `${i};` }))
        const run = started(slidingTexts({ difference, grace: 200_000 }))
        const results = new Map<string, string>()
        for (const output of inputs.flatMap((input) => run.process(input))) {
          const [, key = '', values = '', timestamp] = /^\((.*), (.*), (ts=\d+)\)$/.exec(output) ?? []
          results.set(key, `${values.split(',').toSorted().join('')}, ${timestamp}`)
        }
        expect(results).toEqual(slidingOracle(inputs, difference))
      }),
    )
  })

  it('in sliding windows each record is taken or dropped', () => {
    fc.assert(
      fc.property(inputsOf, slidingOf, (inputs, options) => {
        const run = started(slidingTexts(options))
        let observed = -1
        let late = 0
        for (const input of inputs) {
          if (input.value === null) continue
          observed = Math.max(observed, input.timestamp)
          const outputs = run.process(input)
          const bounds = outputs.map((output) => /\[(\d+),(\d+)\]/.exec(output)?.slice(1).map(Number) as number[])
          // The window behind a record may be made although the record itself is late.
          if (!bounds.some(([start, end]) => start <= input.timestamp && input.timestamp <= end)) late++
          if (input.timestamp + options.difference < observed - options.grace) expect(outputs).toEqual([])
          if (input.timestamp >= observed - options.grace) expect(outputs).not.toEqual([])
          for (const [, end] of bounds) expect(end).toBeGreaterThanOrEqual(observed - options.grace)
        }
        expect([run.drops.late ?? 0, run.late.length]).toEqual([late, late])
      }),
    )
  })

  it('in sessions', () => {
    fc.assert(
      fc.property(inputsOf, sessionOf, (inputs, options) => {
        const run = started(sessionCount(options))
        const expected = sessionCountOracle(inputs, options)
        expect(inputs.map((input) => run.process(input))).toEqual(expected.outputs)
        expect(run.drops.late ?? 0).toBe(expected.late.length)
      }),
    )
  })

  it('hand on, where only final results are asked for, the last result of each window after the record that closed it', () => {
    fc.assert(
      fc.property(inputsOf, timeOf, slidingOf, sessionOf, (inputs, time, sliding, session) => {
        const closing = session.gap + session.grace
        const shapes: readonly [closesAfter: number, isInclusive: boolean, of: (isFinal: boolean) => Pipeline][] = [
          [time.grace, false, (isFinal) => windowedCount({ ...time, isFinal })],
          [sliding.grace, true, (isFinal) => slidingTexts({ ...sliding, isFinal })],
          [closing, true, (isFinal) => sessionCount({ ...session, isFinal })],
        ]
        for (const [closesAfter, isInclusive, pipelineOf] of shapes) {
          const [eager, final] = [started(pipelineOf(false)), started(pipelineOf(true))]
          const observed: number[] = []
          const updates = inputs.map((input) => {
            const outputs = eager.process(input)
            observed.push((eager.streamTimes[0] as StreamTime).observed - closesAfter)
            return outputs
          })
          const isClosed = (end: number, step: number) => end < (observed[step] as number) + (isInclusive ? 0 : 1)
          expect(inputs.map((input) => final.process(input))).toEqual(finalResults(updates, isClosed))
        }
      }),
    )
  })

  it('hand on, where suppressed for a time, the last update of each key when its first is so old, or room is needed', () => {
    fc.assert(
      fc.property(inputsOf, waitOf, (inputs, wait) => {
        const eager = started(count())
        const waiting = started(suppressed(count(), 'none', wait))
        const updates = inputs.map((input) => eager.process(input))
        expect(inputs.map((input) => waiting.process(input))).toEqual(timeLimitOracle(updates, wait))
      }),
    )
  })

  it('hands on, where suppressed, the last result of each window that is closed, once', () => {
    fc.assert(
      fc.property(inputsOf, timeOf, (inputs, options) => {
        const eager = started(windowedCount(options))
        const final = started(suppressed(windowedCount(options), 'time', { waitMs: options.grace }, options.size))
        const last = new Map<string, string>()
        for (const output of inputs.flatMap((input) => eager.process(input)))
          last.set(output.split(', ')[0] as string, output)
        const emitted = inputs.flatMap((input) => final.process(input))
        const observed = (final.streamTimes[1] as StreamTime).observed
        const closed = [...last].filter(([key]) => Number(/,(\d+)\]/.exec(key)?.[1]) <= observed - options.grace)
        expect([...emitted].sort()).toEqual(closed.map(([, output]) => output).sort())
      }),
    )
  })
})

/** What happens between two records. */
const eventOf = fc.constantFrom(
  ...(['nothing', 'nothing', 'nothing', 'commit', 'commit', 'begin commit', 'begin commit', 'finish commit'] as const),
  ...(['finish commit', 'crash', 'flush, then crash', 'crash, engine lost', 'flush'] as const),
)

describe('a run with commits and crashes gives what an uninterrupted one gives', () => {
  const hotEntries = fc.constantFrom(1, 3, 1_000)
  const pipelines: Readonly<Record<string, fc.Arbitrary<() => Pipeline>>> = {
    'counts by key': hotEntries.map((hot) => () => count(hot)),
    'windowed counts': fc.tuple(timeOf, hotEntries, fc.boolean()).map(
      ([time, hot, isFinal]) =>
        () =>
          windowedCount({ ...time, hotEntries: hot, isFinal }),
    ),
    'sliding windows': fc.tuple(slidingOf, hotEntries, fc.boolean()).map(
      ([sliding, hot, isFinal]) =>
        () =>
          slidingTexts({ ...sliding, hotEntries: hot, isFinal }),
    ),
    'session counts': fc.tuple(sessionOf, hotEntries, fc.boolean()).map(
      ([gaps, hot, isFinal]) =>
        () =>
          sessionCount({ ...gaps, hotEntries: hot, isFinal }),
    ),
    'suppressed windowed counts': timeOf.map(
      (time) => () => suppressed(windowedCount(time), 'time', { waitMs: time.grace }, time.size),
    ),
    'suppressed session counts': sessionOf.map(
      (gaps) => () => suppressed(sessionCount(gaps), 'session', { waitMs: gaps.gap + gaps.grace }),
    ),
    'counts that wait for a time': waitOf.map((wait) => () => suppressed(count(), 'none', wait)),
    'counts that wait for a time or for room': fc.tuple(waitOf, fc.integer({ min: 60, max: 200 })).map(
      ([wait, maxBytes]) =>
        () =>
          suppressed(count(), 'none', { ...wait, maxBytes }),
    ),
  }

  it.each(Object.keys(pipelines))('%s', (name) => {
    const pipelineOf = pipelines[name] as fc.Arbitrary<() => Pipeline>
    fc.assert(
      fc.property(
        pipelineOf,
        inputsOf,
        fc.array(eventOf, { minLength: 60, maxLength: 60 }),
        (pipeline, inputs, events) => {
          const uninterrupted = started(pipeline())
          const expected = inputs.map((input) => uninterrupted.process(input))
          expect(new InterruptedRun(pipeline()).outputs(inputs, events)).toEqual(expected)
        },
      ),
      { numRuns: 150 },
    )
  })
})

interface Commit {
  readonly inputs: number
  readonly streamTimes: readonly StreamTime[]
  readonly changelogs: readonly number[]
}

/** Runs a pipeline as the runtime does: commits, and begins again at the last commit after a crash. */
class InterruptedRun {
  readonly #pipeline: Pipeline
  readonly #changelogs: TestChangelog[]
  #engines: StoreEngine[]
  #stores: StateStore[]
  #run: OperatorRun
  #commit: Commit
  #isFlushed = false
  /** A commit that waits to become durable while records are processed. */
  #begun: Commit | undefined

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline
    this.#changelogs = pipeline.stores.map(() => new TestChangelog())
    this.#engines = pipeline.stores.map(() => newEngine())
    this.#stores = pipeline.stores.map((create, i) => {
      const store = create(this.#engines[i] as StoreEngine)
      store.ready(0)
      return store
    })
    this.#run = new OperatorRun(pipeline.operators, this.#stores)
    this.#commit = {
      inputs: 0,
      streamTimes: pipeline.operators.map(() => ({ observed: -1, emitted: -1 })),
      changelogs: pipeline.stores.map(() => 0),
    }
  }

  /** The outputs of each input the last time it was processed; those from before a crash are aborted. */
  outputs(inputs: readonly Input[], events: readonly string[]): string[][] {
    const outputs: string[][] = []
    const remaining = [...events]
    for (let next = 0; next < inputs.length; ) {
      outputs[next] = this.#run.process(inputs[next] as Input)
      next++
      const event = remaining.shift() ?? 'nothing'
      if (event === 'commit' || event === 'finish commit') this.#finishCommit(next, event === 'finish commit')
      else if (event === 'begin commit') this.#beginCommit(next)
      else if (event === 'flush') this.#flush()
      else if (event !== 'nothing') {
        if (event.startsWith('flush')) this.#flush()
        if (event.endsWith('lost')) this.#engines = this.#engines.map(() => newEngine())
        this.#recover()
        next = this.#commit.inputs
      }
    }
    return outputs
  }

  /** What a flush gave stays in the changelog whether or not the commit comes. */
  #flush(): void {
    if (this.#begun !== undefined) return
    this.#isFlushed = true
    for (const [i, store] of this.#stores.entries()) store.flush(this.#changelogs[i] as TestChangelog)
  }

  #beginCommit(inputs: number): void {
    if (this.#begun !== undefined) return
    this.#flush()
    const changelogs = this.#changelogs.map((changelog) => changelog.records.length)
    this.#begun = { inputs, streamTimes: this.#run.streamTimes.map((time) => ({ ...time })), changelogs }
  }

  #finishCommit(inputs: number, onlyBegun: boolean): void {
    if (!onlyBegun) this.#beginCommit(inputs)
    if (this.#begun === undefined) return
    this.#commit = this.#begun
    this.#begun = undefined
    this.#isFlushed = false
    for (const [i, store] of this.#stores.entries()) store.commit(this.#commit.changelogs[i] as number)
  }

  #recover(): void {
    this.#begun = undefined
    const { changelogs, streamTimes } = this.#commit
    this.#stores = this.#pipeline.stores.map((create, i) =>
      (this.#changelogs[i] as TestChangelog).recover(create, this.#engines[i] as StoreEngine, changelogs[i] as number),
    )
    this.#run = new OperatorRun(this.#pipeline.operators, this.#stores, streamTimes)
    if (this.#isFlushed) {
      const ends = this.#changelogs.map((changelog) => changelog.records.length)
      this.#commit = { ...this.#commit, changelogs: ends }
    }
    this.#isFlushed = false
  }
}
