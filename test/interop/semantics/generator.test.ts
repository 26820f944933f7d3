import { describe, expect, it } from 'vitest'
import type { Answer, Case } from './case.ts'
import { differenceOf } from './comparison.ts'
import { generateCase } from './generator.ts'
import { runMillrace } from './millrace-side.ts'
import { operators } from './operators/operators.ts'
import { shrink } from './shrinking.ts'

describe('the generator of cases', () => {
  it('makes the same case of the same seed', () => {
    expect(generateCase(7, 1)).toEqual(generateCase(7, 1))
    expect(generateCase(7, 1)).not.toEqual(generateCase(7, 2))
  })

  it('draws every operator', () => {
    const drawn = new Set<string>()
    for (let id = 0; id < 3000; id++) for (const { op } of generateCase(id, 1).nodes) drawn.add(op)
    expect(Object.keys(operators).filter((op) => !drawn.has(op))).toEqual([])
  })

  it('makes what Millrace can run', () => {
    const answers = Array.from({ length: 60 }, (_, id) => runMillrace(generateCase(id, 3)))
    expect(answers.flatMap(({ error }) => error ?? [])).toEqual([])
  })
})

describe('the comparison', () => {
  const given = Array.from({ length: 50 }, (_, id) => generateCase(id, 4)).find(
    (each) => (runMillrace(each).steps ?? []).flat().length > 5,
  ) as Case

  it('sees a record that is missing, one that is changed, and another order within a topic', () => {
    const answer = runMillrace(given)
    const step = (answer.steps ?? []).findIndex((lines) => lines.length > 0)
    const changed = (lines: NonNullable<Answer['steps']>[number]): Answer => ({
      ...answer,
      steps: (answer.steps ?? []).with(step, lines),
    })
    const lines = answer.steps?.[step] ?? []
    const [topic, key, , timestamp] = lines[0]
    expect(differenceOf(answer, answer)).toBeUndefined()
    expect(differenceOf(answer, changed(lines.slice(1)))?.kind).toBe('outputs')
    expect(differenceOf(answer, changed([[topic, key, 'other', timestamp], ...lines.slice(1)]))?.kind).toBe('outputs')
    expect(
      differenceOf(changed([lines[0], [topic, key, 'x', 1]]), changed([[topic, key, 'x', 1], lines[0]])),
    ).toBeDefined()
  })

  it('sees another description', () => {
    const answer = runMillrace(given)
    expect(differenceOf(answer, { ...answer, describe: '' })?.kind).toBe('describe()')
  })
})

describe('shrinking', () => {
  it('keeps nothing that the difference does not need', async () => {
    const given = generateCase(5, 6)
    const smallest = await shrink(given, async ({ events }) => events.length >= 2)
    expect(smallest.events).toHaveLength(2)
    expect(smallest.nodes.length).toBeLessThan(given.nodes.length)
  })
})
