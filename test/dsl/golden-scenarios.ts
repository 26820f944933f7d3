import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What Kafka Streams itself printed; it lies beside the project where the project is developed. */
const goldenFile = join(import.meta.dirname, '../../../shared/golden/semantics.txt')

export const hasGoldenScenarios: boolean = existsSync(goldenFile)

/** One record that Kafka Streams was given, and what it handed on for it, as text. */
export interface Step {
  readonly topic: string
  readonly input: { readonly key: string | null; readonly value: string | null; readonly timestamp: number }
  readonly outputs: string
}

/** By the scenario's title. */
export function readGoldenScenarios(): Map<string, Step[]> {
  const scenarios = new Map<string, Step[]>()
  if (!hasGoldenScenarios) return scenarios
  let steps: Step[] = []
  for (const line of readFileSync(goldenFile, 'utf8').split('\n')) {
    if (line.startsWith('### ')) {
      steps = []
      scenarios.set(line.slice(4), steps)
    }
    const step = /^ {2}(\w+) \((.*?), (.*), ts=(\d+)\) -> (.*)$/.exec(line)
    if (step === null) continue
    const [, topic = '', key = '', value = '', timestamp = '', outputs = ''] = step
    steps.push({ topic, input: { key: orNull(key), value: orNull(value), timestamp: Number(timestamp) }, outputs })
  }
  return scenarios
}

function orNull(text: string): string | null {
  return text === 'null' ? null : text
}
