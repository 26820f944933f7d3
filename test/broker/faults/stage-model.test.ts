import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modelRuns } from '../model-runs.ts'
import { type Fault, faults } from './faulty-disk.ts'
import { agedTopic, compactedTopic, otherCompactedTopic, Stage } from './stage.ts'

type Step = (stage: Stage) => unknown

const plainTopics = ['t', compactedTopic, agedTopic] as const
const transactionalTopics = ['x', otherCompactedTopic] as const

/** A step with a name that a counterexample shows. */
function step<T>(name: string, values: fc.Arbitrary<T>, run: (stage: Stage, value: T) => unknown): fc.Arbitrary<Step> {
  const shownAs = (value: T) => () => `${name} ${JSON.stringify(value)}`
  return values.map((value) => {
    return Object.assign((stage: Stage) => run(stage, value), { [fc.toStringMethod]: shownAs(value) })
  })
}

const producer = fc.constantFrom('a', 'b')
const group = fc.constantFrom('g', 'h')
const count = fc.integer({ min: 1, max: 4 })
const keepUnsynced = fc.constantFrom('none' as const, 'all' as const, 'random' as const)

/** What users, clients and the machine do, in any order. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: step('append', fc.tuple(fc.constantFrom(...plainTopics), count), (stage, [topic, batches]) =>
      stage.append(topic, batches),
    ),
  },
  step('delete before', fc.nat({ max: 60 }), (stage, offset) => stage.deleteBefore('t', offset)),
  step('wait', fc.constantFrom(1_000, 61_000), (stage, ms) => stage.wait(ms)),
  step('compact', fc.constant(null), (stage) => stage.compact()),
  step('restart', fc.constant(null), (stage) => stage.restart()),
  step('crash', keepUnsynced, (stage, kept) => stage.crash(kept)),
  { weight: 3, arbitrary: step('begin', producer, (stage, id) => stage.transactions.begin(id)) },
  {
    weight: 5,
    arbitrary: step('send', fc.tuple(producer, fc.constantFrom(...transactionalTopics), count), (stage, sent) =>
      stage.transactions.send(...sent),
    ),
  },
  {
    weight: 2,
    arbitrary: step('commit in transaction', fc.tuple(producer, fc.nat({ max: 99 })), (stage, [id, offset]) =>
      stage.transactions.commitOffset(id, offset),
    ),
  },
  {
    weight: 4,
    arbitrary: step(
      'end',
      fc.tuple(producer, fc.constantFrom('commit' as const, 'commit' as const, 'abort' as const)),
      (stage, [id, outcome]) => stage.transactions.end(id, outcome),
    ),
  },
  step('abandon', producer, (stage, id) => stage.transactions.abandon(id)),
  {
    weight: 2,
    arbitrary: step('commit', fc.tuple(group, fc.nat({ max: 99 })), (stage, [name, offset]) =>
      stage.groups.commit(name, offset),
    ),
  },
  step('keep', fc.tuple(group, fc.nat({ max: 99 })), (stage, [name, generation]) =>
    stage.groups.keep(name, generation),
  ),
  step('remove', group, (stage, name) => stage.groups.remove(name)),
  step('forget', group, (stage, name) => stage.groups.forgetOffsets(name)),
)

const trouble = fc.option(fc.tuple(fc.constantFrom<Fault>(...faults), fc.nat({ max: 800 })), { nil: undefined })

describe('a broker over whatever is done with it on a disk that fails', () => {
  it('has what it acknowledged, whole transactions, and the state that its logs say', async () => {
    const script = fc.array(steps, { minLength: 5, maxLength: 60, size: 'max' })
    await fc.assert(
      fc.asyncProperty(fc.nat(), trouble, script, keepUnsynced, async (seed, fault, script, kept) => {
        const stage = new Stage(seed, fault?.[0], fault?.[1])
        await stage.open()
        for (const topic of [...plainTopics, ...transactionalTopics]) await stage.create(topic)
        for (const step of script) await step(stage)
        await stage.verify(kept)
      }),
      { numRuns: modelRuns(60) },
    )
  })

  it('has no part of a transaction whose end no broker was there to take', async () => {
    const stage = new Stage(0)
    const { transactions } = stage
    await stage.open()
    await stage.create('x')
    await transactions.begin('a')
    await transactions.send('a', 'x', 1)
    await stage.close()
    expect(await transactions.end('a', 'commit')).toBe(false)
    await stage.open()
    await transactions.begin('a')
    await transactions.send('a', 'x', 2)
    expect(await transactions.end('a', 'commit')).toBe(true)
    await stage.verify('none')
  })
})
