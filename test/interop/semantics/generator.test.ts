import { describe, expect, it } from 'vitest'
import type { Answer, Case, StoreRow } from './case.ts'
import { differenceOf } from './comparison.ts'
import { generateCase } from './generator.ts'
import { runMillrace } from './millrace-side.ts'
import { operators } from './operators/operators.ts'
import { shrink } from './shrinking.ts'

/** The timers that a node follows, its own among them. */
function timersBefore(nodes: Case['nodes'], id: string): string[] {
  const node = nodes.find((each) => each.id === id) as Case['nodes'][number]
  return [...(node.timer === undefined ? [] : [id]), ...node.of.flatMap((of) => timersBefore(nodes, of))]
}

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

  it('lets only sinks share a topic that follow the same timers', () => {
    const shared = Array.from({ length: 3000 }, (_, id) => generateCase(id, 1).nodes).filter((nodes) => {
      const topics = nodes.filter(({ op }) => op === 'to').map(({ topic }) => topic)
      return nodes.some(({ timer }) => timer === 'wall-clock') && new Set(topics).size < topics.length
    })
    expect(shared.length).toBeGreaterThan(10)
    for (const nodes of shared) {
      if (nodes.filter(({ of }) => of.length === 0).length === 1) continue
      const timers = new Map<unknown, string>()
      for (const { op, id, topic } of nodes) {
        if (op !== 'to') continue
        const before = [...new Set(timersBefore(nodes, id))].sort().join()
        expect(timers.get(topic) ?? before).toBe(before)
        timers.set(topic, before)
      }
    }
  })

  it('lets only processors share a store that follow the same timer, where there are several sub-topologies', () => {
    let shared = 0
    for (let id = 0; id < 20_000; id++) {
      const { nodes } = generateCase(id, 20261213)
      if (nodes.filter(({ of }) => of.length === 0).length === 1) continue
      for (const node of nodes) {
        if (node.shares !== true) continue
        const users = nodes.filter(({ store }) => store === node.store)
        const timers = new Set(users.flatMap((user) => timersBefore(nodes, user.id)))
        expect(timers.size).toBeLessThanOrEqual(1)
        shared += timers.size
      }
    }
    expect(shared).toBeGreaterThan(10)
  })

  it('draws no joins that multiply records without end', () => {
    const steps = runMillrace(generateCase(5048, 20261127)).steps ?? []
    expect(steps.length).toBeGreaterThan(0)
    expect(steps.flat().length).toBeLessThan(20_000)
  })

  it('gives tables record caches, and has several records in a batch, where it is asked to', () => {
    const cases = Array.from({ length: 60 }, (_, id) => generateCase(id, 5, undefined, true))
    const tables = cases.flatMap(({ nodes }) => nodes.filter(({ op }) => /^(table|toTable|count|aggregate)$/.test(op)))
    expect(tables.length).toBeGreaterThan(30)
    expect(tables.every(({ caching }) => caching === true)).toBe(true)
    const versions = generateCase(5897, 20261220, undefined, true).nodes.find(({ op }) => op === 'tableMapValues')
    expect(versions).toMatchObject({ plain: true })
    expect(versions).not.toHaveProperty('caching')
    const sizes = cases.flatMap(({ events }) => events.map((event) => ('batch' in event ? event.batch.length : 0)))
    expect(Math.max(...sizes)).toBe(8)
    expect(cases.flatMap((given) => runMillrace(given).error ?? [])).toEqual([])
  })

  it('makes what Millrace can run', () => {
    const answers = Array.from({ length: 60 }, (_, id) => runMillrace(generateCase(id, 3)))
    const errors = answers.flatMap(({ error }) => error ?? [])
    // What a case asks for where a buffer is full.
    expect(errors.filter((error) => !error.includes('updates of'))).toEqual([])
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

  it('takes a row of a window as it was before the event that changed it last, and no other row', () => {
    const answer = (row: StoreRow | undefined): Answer => {
      return { id: 1, topics: ['app-counts-changelog'], stores: { 'app-counts-changelog': row ? { a: row } : {} } }
    }
    const differs = (theirs: StoreRow | undefined, ours: StoreRow | undefined) =>
      differenceOf(answer(theirs), answer(ours)) !== undefined
    expect(differs(['2', 5, ['1']], ['1', 4])).toBe(false)
    expect(differs(['2', 5, ['1']], ['2', 5])).toBe(false)
    expect(differs(['2', 5, ['1']], undefined)).toBe(true)
    expect(differs(['2', 5, ['1']], ['12', 5])).toBe(true)
    expect(differs(['2', 5, [null]], undefined)).toBe(false)
    expect(differs([null, 5, ['1']], ['1', 5])).toBe(false)
    expect(differs(['2', 5, ['1', null]], undefined)).toBe(false)
    expect(differs(['2', 5], ['1', 5])).toBe(true)
    expect(differs(['2', 5], undefined)).toBe(true)
    expect(differs(undefined, ['2', 5])).toBe(true)
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
