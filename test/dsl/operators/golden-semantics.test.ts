import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../../src/state/memory-engine.ts'
import { hasGoldenScenarios, readGoldenScenarios, type Step } from '../golden-scenarios.ts'
import {
  aggregate,
  count,
  type Pipeline,
  reduce,
  sessionCount,
  suppressed,
  windowedCount,
} from './aggregate-fixtures.ts'
import { OperatorRun } from './operator-run.ts'

const deleting = (before: string, value: string): string | null => (value === 'DEL' ? null : before + value)

const scenarios: Readonly<Record<string, () => Pipeline>> = {
  'count() ignores null values; null key dropped': () => count(),
  'reduce: output ts = max(ts)': () => reduce((a, b) => a + b),
  'reduce to null deletes': () => reduce(deleting),
  'aggregate returning null deletes, re-inits next': () => aggregate(deleting),
  'duplicate idempotent update on aggregate still forwarded (ts differs)': () => reduce((_, value) => value),
  'tumbling 10ms grace 5ms; late drop when windowEnd<=streamTime-grace': () => windowedCount({ size: 10, grace: 5 }),
  'stream time is per operator-task not per key (grace 0)': () => windowedCount({ size: 10 }),
  'hopping size 10 advance 5': () => windowedCount({ size: 10, advance: 5 }),
  'session gap boundary inclusive: diff==gap merges': () => sessionCount({ gap: 10 }),
  'session count with null value': () => sessionCount({ gap: 10 }),
  'suppress untilWindowCloses tumbling 10 grace 5': () =>
    suppressed(windowedCount({ size: 10, grace: 5 }), 'time', { waitMs: 5 }, 10),
  'suppress untilWindowCloses session': () => suppressed(sessionCount({ gap: 10 }), 'session', { waitMs: 10 }),
  'EmitStrategy.onWindowClose tumbling 10 grace 0': () =>
    suppressed(windowedCount({ size: 10 }), 'time', { waitMs: 0 }, 10),
}

describe.runIf(hasGoldenScenarios)('operators give what Kafka Streams gave (skipped without ../shared/golden)', () => {
  const golden = readGoldenScenarios()
  it.each(Object.keys(scenarios))('%s', (title) => {
    const steps = golden.get(title) as Step[]
    expect(steps.length).toBeGreaterThan(0)
    const { operators, stores } = (scenarios[title] as () => Pipeline)()
    const engine = () => memoryEngine.open({ directory: undefined, store: '' })
    const run = new OperatorRun(
      operators,
      stores.map((create) => create(engine())),
    )
    expect(steps.map(({ input }) => `${JSON.stringify(input)} -> ${run.process(input).join(' ') || '-'}`)).toEqual(
      steps.map(({ input, outputs }) => `${JSON.stringify(input)} -> ${outputs}`),
    )
  })
})
