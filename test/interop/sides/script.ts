import type { WriteOf } from '../../../src/broker/protocol/field.ts'
import { createTopics } from '../../../src/broker/protocol/messages/create-topics.ts'
import { findCoordinator } from '../../../src/broker/protocol/messages/find-coordinator.ts'
import { initProducerId } from '../../../src/broker/protocol/messages/init-producer-id.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import type { produce } from '../../../src/broker/protocol/messages/produce.ts'
import type { Side } from './side.ts'

/** What both brokers are asked, one after the other. */
export interface Script {
  readonly name: string
  readonly run: (side: Side) => Promise<void>
}

type Configs = Readonly<Record<string, string>>

const noAssignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[] = []

export function newTopic(name: string, numPartitions = 1, configs: Configs = {}) {
  const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  return { name, numPartitions, replicationFactor: 1, assignments: noAssignments, configs: list }
}

/** Makes a topic, and waits until its partitions have leaders. */
export async function makeTopic(side: Side, name: string, numPartitions = 1, configs: Configs = {}): Promise<void> {
  await side.until(createTopics, 7, { topics: [newTopic(name, numPartitions, configs)] }, () => true)
  const asked = { topics: [{ name }], allowAutoTopicCreation: false }
  await side.until(metadata, 9, asked, ({ topics: [topic] }) => {
    return topic?.errorCode === 0 && topic.partitions.every((partition) => partition.errorCode === 0)
  })
}

/** Waits until a coordinator answers for groups (0) or transactional ids (1). */
export async function coordinatorIsThere(side: Side, keyType: 0 | 1, key: string): Promise<void> {
  await side.until(findCoordinator, 3, { key, keyType }, ({ errorCode }) => errorCode === 0)
}

export function appendTo(
  name: string,
  records: Uint8Array | null,
  more: Partial<WriteOf<typeof produce.request>> = {},
) {
  const topicData = [{ name, partitionData: [{ index: 0, records }] }]
  return { acks: -1, timeoutMs: 10_000, topicData, ...more }
}

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Who a producer is from now on, of a transactional id where one is given. */
export async function newProducer(side: Side, transactionalId: string | null): Promise<ProducerIdentity> {
  if (transactionalId !== null) await coordinatorIsThere(side, 1, transactionalId)
  const asked = { transactionalId, transactionTimeoutMs: 60_000 }
  const { producerId, producerEpoch } = await side.until(initProducerId, 4, asked, ({ errorCode }) => errorCode === 0)
  return { producerId, producerEpoch }
}
