import type { Broker } from '../../../src/broker/broker.ts'
import type { GroupMetadata } from '../../../src/broker/group/group-event.ts'
import { Register } from './plain-partition.ts'
import type { Stage } from './stage.ts'

/** A topic that is somewhere else: offsets of it are not taken away when it is made. */
export const otherTopic = 'elsewhere'

/** What groups of consumers on a stage have committed, and how they were kept. */
export class StagedGroups {
  readonly #stage: Stage
  /** By topic and group: what it committed for partition 0; undefined for nothing. */
  readonly #offsets = new Map<string, Map<string, Register<number | undefined>>>()
  /** By group: its generation; undefined where it is no more. */
  readonly #generations = new Map<string, Register<number | undefined>>()

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async commit(group: string, offset: number, topic: string = otherTopic): Promise<void> {
    const committed = [{ topic, partition: 0, offset, metadata: '' }]
    await registerOf(this.#offsetsOf(topic), group).write(offset, () =>
      this.#attempt((broker) => broker.offsets.commit(group, committed)),
    )
  }

  /** Takes away what the group committed. */
  async forgetOffsets(group: string): Promise<void> {
    await registerOf(this.#offsetsOf(otherTopic), group).write(undefined, () =>
      this.#attempt((broker) => broker.offsets.delete(group)),
    )
  }

  /** A topic is about to be deleted, and with it what was committed of it, as soon as there is room. */
  mayForget(topic: string): void {
    for (const register of this.#offsetsOf(topic).values()) register.mayBecome(undefined)
  }

  /** Keeps the group with its members, as after a rebalance. */
  async keep(group: string, generation: number): Promise<void> {
    await registerOf(this.#generations, group).write(generation, () =>
      this.#attempt((broker) => broker.offsets.keepGroup(group, metadataOf(generation))),
    )
  }

  async remove(group: string): Promise<void> {
    await registerOf(this.#generations, group).write(undefined, () =>
      this.#attempt((broker) => broker.offsets.keepGroup(group, null)),
    )
  }

  /** Requires what may be there; from then on it is that. */
  settle(broker: Broker): void {
    for (const [topic, offsets] of this.#offsets) {
      for (const [group, register] of offsets) {
        register.settle(broker.offsets.committed(group, topic, 0)?.offset, `the offset of '${group}'`)
      }
    }
    for (const [group, register] of this.#generations) {
      register.settle(broker.offsets.keptGroups.get(group)?.generation, `the generation of '${group}'`)
    }
  }

  #offsetsOf(topic: string): Map<string, Register<number | undefined>> {
    const offsets = this.#offsets.get(topic) ?? new Map<string, Register<number | undefined>>()
    this.#offsets.set(topic, offsets)
    return offsets
  }

  #attempt(step: (broker: Broker) => Promise<void>): Promise<boolean> {
    const { broker } = this.#stage
    return broker === undefined ? Promise.resolve(false) : this.#stage.attempt(() => step(broker))
  }
}

function registerOf(registers: Map<string, Register<number | undefined>>, group: string): Register<number | undefined> {
  const register = registers.get(group) ?? new Register<number | undefined>(undefined)
  registers.set(group, register)
  return register
}

function metadataOf(generation: number): GroupMetadata {
  const member = {
    id: 'member',
    instanceId: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    rebalanceTimeoutMs: 60_000,
    sessionTimeoutMs: 600_000,
    subscription: Buffer.from('subscription'),
    assignment: Buffer.from(`assignment ${generation}`),
  }
  return { protocolType: 'consumer', generation, protocolName: 'range', leaderId: 'member', members: [member] }
}
