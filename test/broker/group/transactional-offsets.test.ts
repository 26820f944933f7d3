import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { GroupOffsets } from '../../../src/broker/group/group-offsets.ts'
import { LogFold } from '../../../src/broker/log-fold.ts'
import { offsetsTopic } from '../../../src/broker/topics.ts'
import type { ProducerIdentity } from '../../../src/broker/transaction/transaction-step.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import type { VirtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { foldedState, liveState } from '../folded-state.ts'
import { modelRuns } from '../model-runs.ts'
import { failureOf, worldOn } from '../records.ts'

interface Setup {
  readonly broker: Broker
  readonly environment: VirtualEnvironment
}

async function setUp(disk?: MemoryDisk, settings: Partial<BrokerSettings> = {}): Promise<Setup> {
  const environment = worldOn(disk)
  return { environment, broker: await openBroker({ directory: 'data', environment, flush: 'fsync', settings }) }
}

const at = (offset: number, partition = 0) => [{ topic: 't', partition, offset, metadata: '' }]

async function begin(broker: Broker, transactionalId: string, group = 'g'): Promise<ProducerIdentity> {
  const partition = await broker.offsets.partitionFor(group)
  const producer = await broker.transactions.initProducerId({ transactionalId, timeoutMs: 60_000 })
  await broker.transactions.addPartitions({ transactionalId, ...producer }, [{ topic: offsetsTopic, partition }])
  return producer
}

async function end(broker: Broker, transactionalId: string, producer: ProducerIdentity, outcome: 'commit' | 'abort') {
  await broker.transactions.end({ transactionalId, ...producer }, outcome)
  await broker.transactions.settled(transactionalId)
}

function offsetOf(broker: Broker, partition = 0): number | undefined {
  return broker.offsets.committed('g', 't', partition)?.offset
}

describe('offsets that are committed in a transaction', () => {
  it('count when it is committed, and wait until then', async () => {
    const { broker } = await setUp()
    await broker.offsets.commit('g', at(3))
    const producer = await begin(broker, 'a')
    await broker.offsets.commit('g', at(7), producer)
    expect(offsetOf(broker)).toBe(3)
    const unstable = await failureOf(() => broker.offsets.stable('g', 't', 0))
    expect(unstable).toMatchObject({ code: 'UNSTABLE_OFFSET_COMMIT', retriable: true })
    expect(broker.offsets.stable('g', 't', 1)).toBeUndefined()
    await end(broker, 'a', producer, 'commit')
    expect(broker.offsets.stable('g', 't', 0)?.offset).toBe(7)
  })

  it('are dropped when it is aborted, also by the start of another producer after a crash', async () => {
    const { broker, environment } = await setUp()
    await broker.offsets.commit('g', at(3))
    const producer = await begin(broker, 'a')
    await broker.offsets.commit('g', at(7), producer)
    const later = (await setUp(environment.disk.crash({ keepUnsynced: 'all' }))).broker
    expect((await failureOf(() => later.offsets.stable('g', 't', 0))).code).toBe('UNSTABLE_OFFSET_COMMIT')
    const init = { transactionalId: 'a', timeoutMs: 60_000 }
    expect((await failureOf(() => later.transactions.initProducerId(init))).code).toBe('CONCURRENT_TRANSACTIONS')
    await later.transactions.settled('a')
    expect(later.offsets.stable('g', 't', 0)?.offset).toBe(3)
    expect((await failureOf(() => later.offsets.commit('g', at(8), producer))).code).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('give way to what was committed outside of it while it was open', async () => {
    const { broker } = await setUp()
    const producer = await begin(broker, 'a')
    await broker.offsets.commit('g', at(7), producer)
    await broker.offsets.commit('g', at(9))
    await end(broker, 'a', producer, 'commit')
    expect(offsetOf(broker)).toBe(9)
  })

  it('are refused where the transaction does not have the partition of the group', async () => {
    const { broker } = await setUp()
    await broker.offsets.partitionFor('g')
    const producer = await broker.transactions.initProducerId({ transactionalId: 'a', timeoutMs: 60_000 })
    expect((await failureOf(() => broker.offsets.commit('g', at(7), producer))).code).toBe('INVALID_TXN_STATE')
  })
})

describe('offsets of a group', () => {
  it('are taken away one by one or all, and stay away', async () => {
    const { broker, environment } = await setUp()
    await broker.offsets.commit('g', [...at(3), ...at(4, 1), ...at(5, 2)])
    await broker.offsets.delete('g', [
      { topic: 't', partition: 1 },
      { topic: 't', partition: 9 },
    ])
    expect(broker.offsets.offsetsOf('g').map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 3],
      [2, 5],
    ])
    await broker.offsets.delete('g')
    expect(broker.offsets.groups()).toEqual([])
    await broker.close()
    expect((await setUp(environment.disk)).broker.offsets.groups()).toEqual([])
  })

  it('are taken away also where their commit is not acknowledged yet', async () => {
    const { broker, environment } = await setUp()
    await broker.offsets.partitionFor('g')
    await Promise.all([broker.offsets.commit('g', at(3)), broker.offsets.delete('g', at(3))])
    expect(offsetOf(broker)).toBeUndefined()
    environment.disk.failNext('sync', 'EIO')
    const outcomes = await Promise.allSettled([broker.offsets.commit('g', at(4)), broker.offsets.delete('g', at(4))])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('are taken away when they are older than the retention, but not while a transaction commits others', async () => {
    const { broker, environment } = await setUp(undefined, {
      offsetsRetentionMs: 60_000,
      offsetsRetentionCheckIntervalMs: 1_000,
    })
    await broker.offsets.commit('g', [...at(3), ...at(4, 1)])
    const producer = await begin(broker, 'a')
    await broker.offsets.commit('g', at(7), producer)
    await environment.clock.advanceAsync(59_000)
    expect([offsetOf(broker, 0), offsetOf(broker, 1)]).toEqual([3, 4])
    await environment.clock.advanceAsync(3_000)
    for (let turns = 0; turns < 1_000 && offsetOf(broker, 1) !== undefined; turns++) await environment.clock.nextTurn()
    expect([offsetOf(broker, 0), offsetOf(broker, 1)]).toEqual([3, undefined])
  })
})

type Step =
  | { readonly do: 'commit' | 'send'; readonly id: number; readonly partition: number; readonly offset: number }
  | { readonly do: 'delete'; readonly partition: number }
  | { readonly do: 'end'; readonly id: number; readonly outcome: 'commit' | 'abort' }

const partition = fc.nat({ max: 2 })
const id = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('commit', 'send', 'send'), id, partition, offset: fc.nat({ max: 99 }) }),
  fc.record({ do: fc.constant('delete' as const), partition }),
  fc.record({ do: fc.constant('end' as const), id, outcome: fc.constantFrom('commit' as const, 'abort' as const) }),
)

/** What counts is the last commit, in the order in which they were made, that is committed and was not deleted after it was made. */
class Model {
  readonly commits: {
    partition: number
    offset: number | undefined
    state: 'open' | 'counts' | 'dropped'
    id: number
  }[] = []

  committed(partition: number): number | undefined {
    return this.commits.findLast((one) => one.partition === partition && one.state === 'counts')?.offset
  }

  isPending(partition: number): boolean {
    return this.commits.some((one) => one.partition === partition && one.state === 'open')
  }

  delete(partition: number): void {
    for (const one of this.commits) if (one.partition === partition) one.state = 'dropped'
  }

  end(id: number, outcome: 'commit' | 'abort'): void {
    for (const one of this.commits) {
      if (one.id === id && one.state === 'open') one.state = outcome === 'commit' ? 'counts' : 'dropped'
    }
  }
}

async function take(broker: Broker, step: Step, model: Model, open: Map<number, ProducerIdentity>): Promise<void> {
  if (step.do === 'delete') {
    // A deletion of what is not there writes nothing.
    if (model.committed(step.partition) === undefined && !model.isPending(step.partition)) return
    await broker.offsets.delete('g', [{ topic: 't', partition: step.partition }])
    model.delete(step.partition)
  } else if (step.do === 'end') {
    const producer = open.get(step.id)
    if (producer === undefined) return
    open.delete(step.id)
    await end(broker, `id-${step.id}`, producer, step.outcome)
    model.end(step.id, step.outcome)
  } else if (step.do === 'commit') {
    await broker.offsets.commit('g', at(step.offset, step.partition))
    model.commits.push({ partition: step.partition, offset: step.offset, state: 'counts', id: -1 })
  } else {
    const producer = open.get(step.id) ?? (await begin(broker, `id-${step.id}`))
    open.set(step.id, producer)
    await broker.offsets.commit('g', at(step.offset, step.partition), producer)
    model.commits.push({ partition: step.partition, offset: step.offset, state: 'open', id: step.id })
  }
}

describe('the state of group offsets', () => {
  it('is the fold of the log, and the last commit that counts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { broker } = await setUp()
        await broker.offsets.partitionFor('g')
        const model = new Model()
        const open = new Map<number, ProducerIdentity>()
        for (const step of steps) await take(broker, step, model, open)
        const replayed = new GroupOffsets()
        new LogFold(broker.log(offsetsTopic, 0), (record) => replayed.apply(record)).catchUp()
        for (const partition of [0, 1, 2]) {
          expect(offsetOf(broker, partition)).toBe(model.committed(partition))
          expect(replayed.committed('g', 't', partition)?.offset).toBe(model.committed(partition))
          expect(replayed.isPending('g', 't', partition)).toBe(model.isPending(partition))
        }
        expect(liveState(broker)).toEqual(foldedState(broker))
      }),
      { numRuns: modelRuns(60) },
    )
  })
})
