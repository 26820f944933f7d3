import { createPartitions } from '../../../../src/broker/protocol/messages/create-partitions.ts'
import { createTopics } from '../../../../src/broker/protocol/messages/create-topics.ts'
import { deleteTopics } from '../../../../src/broker/protocol/messages/delete-topics.ts'
import { describeTopicPartitions } from '../../../../src/broker/protocol/messages/describe-topic-partitions.ts'
import { metadata } from '../../../../src/broker/protocol/messages/metadata.ts'
import { makeTopic, newTopic, type Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Topics are made, told, grown and deleted. */
export const topics: Script = {
  name: 'topics',
  run: async (side) => {
    await make(side)
    await tell(side)
    await grow(side)
    await remove(side)
  },
}

async function make(side: Side): Promise<void> {
  const ask = (label: string, version: number, ...all: ReturnType<typeof newTopic>[]) =>
    side.ask(label, createTopics, version, { topics: all })
  await side.ask('only validated', createTopics, 7, { topics: [newTopic('t', 3)], validateOnly: true })
  for (const version of [2, 4, 5, 7])
    await ask('new', version, newTopic(`made-${version}`, 2, { 'retention.ms': '60000' }))
  await ask('there already', 7, newTopic('made-2'))
  await ask('with the defaults', 7, { ...newTopic('default'), numPartitions: -1, replicationFactor: -1 })
  await ask('twice in one', 7, newTopic('twice'), newTopic('twice', 2))
  for (const name of ['', '.', '..', 'a/b', 'a b', 'ä', 'x'.repeat(250)])
    await ask(`named '${name.slice(0, 5)}'`, 7, newTopic(name))
  await ask('of the longest name', 7, newTopic('x'.repeat(249)))
  await ask('like another but for a dot', 7, newTopic('a.b'), newTopic('c'))
  await ask('like another but for a line', 7, newTopic('a_b'))
  await ask('without partitions', 7, newTopic('none', 0))
  await ask('with fewer than none', 7, newTopic('fewer', -2))
  await ask('with more replicas than brokers', 7, { ...newTopic('replicas'), replicationFactor: 3 })
  await ask('with no replicas', 7, { ...newTopic('replicas'), replicationFactor: 0 })
  const assigned = (brokerIds: number[], partitionIndex = 0) => ({
    ...newTopic('assigned'),
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex, brokerIds }],
  })
  await ask('assigned to nobody', 7, assigned([]))
  await ask('assigned to a broker that there is not', 7, assigned([7]))
  await ask('assigned twice to one', 7, assigned([1, 1]))
  await ask('assigned from 1 on', 7, assigned([1], 1))
  await ask('assigned and counted', 7, { ...assigned([1]), numPartitions: 1 })
  await ask('assigned', 7, assigned([1]))
  await ask('with a setting that there is not', 7, newTopic('unset', 1, { nonsense: '1' }))
  await ask('with a value that there is not', 7, newTopic('unset', 1, { 'retention.ms': 'soon' }))
  await ask('with a value too low', 7, newTopic('unset', 1, { 'segment.bytes': '1' }))
  await ask('compacted', 7, newTopic('compacted', 1, { 'cleanup.policy': 'compact' }))
}

async function tell(side: Side): Promise<void> {
  await makeTopic(side, 'told', 2)
  for (const version of [0, 1, 4, 5, 7, 8, 9, 10, 12]) {
    await side.ask('told', metadata, version, {
      topics: [{ name: 'told' }],
      ...(version >= 4 && { allowAutoTopicCreation: false }),
    })
  }
  const asked = (...names: string[]) => ({ topics: names.map((name) => ({ name })), allowAutoTopicCreation: false })
  await side.ask('one that there is not', metadata, 9, asked('nobody', 'told'))
  await side.ask('names that cannot be', metadata, 9, asked('a/b', '', 'x'.repeat(250)))
  await side.ask('none', metadata, 9, asked())
  await side.ask('by an id that there is not', metadata, 12, {
    topics: [{ name: null, topicId: 'EREREREREREREREREREREQ' }],
    allowAutoTopicCreation: false,
  })
  await side.until(metadata, 9, { topics: [{ name: 'made-by-asking' }] }, ({ topics: [one] }) => one?.errorCode === 0)
  await side.ask('made by asking for it', metadata, 9, asked('made-by-asking'))
  const partitions = (...names: string[]) => ({
    topics: names.map((name) => ({ name })),
    responsePartitionLimit: 2000,
    cursor: null,
  })
  await side.ask('its partitions', describeTopicPartitions, 0, partitions('told', 'nobody'))
  await side.ask('its partitions, one at a time', describeTopicPartitions, 0, {
    ...partitions('told'),
    responsePartitionLimit: 1,
  })
}

async function grow(side: Side): Promise<void> {
  await makeTopic(side, 'small', 2)
  const to = (name: string, count: number, assignments: { brokerIds: number[] }[] | null = null) => ({
    topics: [{ name, count, assignments }],
    timeoutMs: 10_000,
    validateOnly: false,
  })
  await side.ask('only validated', createPartitions, 3, { ...to('small', 5), validateOnly: true })
  for (const [version, count] of [
    [0, 3],
    [2, 4],
    [3, 5],
  ] as const)
    await side.ask('more', createPartitions, version, to('small', count))
  await side.ask('as many as there are', createPartitions, 3, to('small', 5))
  await side.ask('fewer', createPartitions, 3, to('small', 2))
  await side.ask('of a topic that there is not', createPartitions, 3, to('nobody', 2))
  await side.ask('assigned', createPartitions, 3, to('small', 6, [{ brokerIds: [1] }]))
  await side.ask('assigned too few', createPartitions, 3, to('small', 8, [{ brokerIds: [1] }]))
  await side.ask('assigned to a broker that there is not', createPartitions, 3, to('small', 7, [{ brokerIds: [9] }]))
  const twice = { ...to('small', 9), topics: [...to('small', 9).topics, ...to('small', 10).topics] }
  await side.ask('twice in one', createPartitions, 3, twice)
  await side.until(metadata, 9, { topics: [{ name: 'small' }] }, ({ topics: [one] }) => one?.partitions.length === 6)
}

async function remove(side: Side): Promise<void> {
  for (const version of [1, 4, 5]) {
    await makeTopic(side, `gone-${version}`)
    await side.ask('by name', deleteTopics, version, { topicNames: [`gone-${version}`, 'nobody'], timeoutMs: 10_000 })
  }
  await makeTopic(side, 'gone', 2)
  const { topics } = await side.until(
    metadata,
    12,
    { topics: [{ name: 'gone' }] },
    ({ topics: [one] }) => one?.errorCode === 0,
  )
  const topicId = topics[0]?.topicId as string
  const by = (...all: { name?: string; topicId?: string }[]) => ({ topics: all, timeoutMs: 10_000 })
  await side.ask('by an id that there is not', deleteTopics, 6, by({ topicId: 'EREREREREREREREREREREQ' }))
  await side.ask('by nothing', deleteTopics, 6, by({}))
  await side.ask('by name and by id', deleteTopics, 6, by({ name: 'gone', topicId }))
  await side.ask('by id', deleteTopics, 6, by({ topicId }))
  await side.ask('again', deleteTopics, 6, by({ topicId }, { name: 'gone' }))
  const isGone = ({ topics: [one] }: { topics: readonly { errorCode: number }[] }) => one?.errorCode === 3
  await side.until(metadata, 9, { topics: [{ name: 'gone' }], allowAutoTopicCreation: false }, isGone)
}
