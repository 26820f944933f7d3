import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryEngine } from '../../../src/state/memory-engine.ts'
import {
  aggregate,
  count,
  type Pipeline,
  reduce,
  sessionCount,
  suppressed,
  windowedCount,
} from './aggregate-fixtures.ts'
import { type Input, OperatorRun } from './operator-run.ts'

/** What Kafka Streams itself printed; it lies beside the project where the project is developed. */
const goldenFile = join(import.meta.dirname, '../../../../shared/golden/semantics.txt')

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
  'suppress untilWindowCloses tumbling 10 grace 5': () => suppressed(windowedCount({ size: 10, grace: 5 }), 5),
  'suppress untilWindowCloses session': () => suppressed(sessionCount({ gap: 10 }), 10),
  'EmitStrategy.onWindowClose tumbling 10 grace 0': () => suppressed(windowedCount({ size: 10 }), 0),
}

describe.runIf(existsSync(goldenFile))(
  'operators give what Kafka Streams gave (skipped without ../shared/golden)',
  () => {
    const golden = existsSync(goldenFile) ? parseGolden(readFileSync(goldenFile, 'utf8')) : new Map()
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
  },
)

interface Step {
  readonly input: Input
  readonly outputs: string
}

function parseGolden(text: string): Map<string, Step[]> {
  const sections = new Map<string, Step[]>()
  let steps: Step[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('### ')) {
      steps = []
      sections.set(line.slice(4), steps)
    }
    const step = /^ {2}in \((.*), (.*), ts=(\d+)\) -> (.*)$/.exec(line)
    if (step === null) continue
    const [, key = '', value = '', timestamp = '', outputs = ''] = step
    steps.push({ input: { key: orNull(key), value: orNull(value), timestamp: Number(timestamp) }, outputs })
  }
  return sections
}

function orNull(text: string): string | null {
  return text === 'null' ? null : text
}
