import { alterConfigs } from '../../../../src/broker/protocol/messages/alter-configs.ts'
import { alterPartitionReassignments } from '../../../../src/broker/protocol/messages/alter-partition-reassignments.ts'
import { apiVersions } from '../../../../src/broker/protocol/messages/api-versions.ts'
import { describeCluster } from '../../../../src/broker/protocol/messages/describe-cluster.ts'
import { describeConfigs } from '../../../../src/broker/protocol/messages/describe-configs.ts'
import { describeLogDirs } from '../../../../src/broker/protocol/messages/describe-log-dirs.ts'
import { electLeaders } from '../../../../src/broker/protocol/messages/elect-leaders.ts'
import { incrementalAlterConfigs } from '../../../../src/broker/protocol/messages/incremental-alter-configs.ts'
import { listPartitionReassignments } from '../../../../src/broker/protocol/messages/list-partition-reassignments.ts'
import { metadata } from '../../../../src/broker/protocol/messages/metadata.ts'
import { makeTopic, type Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Settings, partitions' places, and the cluster itself. */
export const cluster: Script = {
  name: 'cluster',
  run: async (side) => {
    await makeTopic(side, 'set', 2, { 'retention.ms': '60000' })
    await tell(side)
    await describe(side)
    await change(side)
    await place(side)
  },
}

async function tell(side: Side): Promise<void> {
  for (const version of [0, 1])
    await side.ask('the cluster', describeCluster, version, { includeClusterAuthorizedOperations: false })
  await side.ask('with bytes behind it', metadata, 9, { topics: [] }, Buffer.from([1, 2, 3]))
  const known = await side.until(
    apiVersions,
    3,
    { clientSoftwareName: 'interop', clientSoftwareVersion: '1' },
    () => true,
  )
  if (known.errorCode !== 0) throw new Error(`ApiVersions 3 ended with ${known.errorCode}`)
}

const keys = ['retention.ms', 'cleanup.policy', 'compression.type', 'min.insync.replicas', 'segment.bytes', 'nonsense']

async function describe(side: Side): Promise<void> {
  const of = (resourceType: number, resourceName: string, configurationKeys: string[] | null = keys) => ({
    resources: [{ resourceType, resourceName, configurationKeys }],
  })
  for (const version of [1, 2, 3, 4]) await side.ask('some', describeConfigs, version, of(2, 'set'))
  await side.ask('some with synonyms', describeConfigs, 4, {
    ...of(2, 'set', ['retention.ms', 'compression.type']),
    includeSynonyms: true,
  })
  await side.ask('of a topic that there is not', describeConfigs, 4, of(2, 'nobody'))
  await side.ask('of a topic that cannot be', describeConfigs, 4, of(2, 'a/b'))
  await side.ask('of a broker that there is not', describeConfigs, 4, of(4, '7', ['num.partitions']))
  await side.ask('of a broker that cannot be', describeConfigs, 4, of(4, 'seven', ['num.partitions']))
  await side.ask('of something else', describeConfigs, 4, of(77, 'set'))
}

async function change(side: Side): Promise<void> {
  const edit = (
    name: string,
    configOperation: number,
    value: string | null,
    more: { topic?: string; type?: number } = {},
  ) => ({
    resources: [
      { resourceType: more.type ?? 2, resourceName: more.topic ?? 'set', configs: [{ name, configOperation, value }] },
    ],
    validateOnly: false,
  })
  const [set, remove, append, subtract] = [0, 1, 2, 3]
  await side.ask('only validated', incrementalAlterConfigs, 1, {
    ...edit('segment.ms', set, '3600000'),
    validateOnly: true,
  })
  for (const version of [0, 1])
    await side.ask('set', incrementalAlterConfigs, version, edit('segment.ms', set, '3600000'))
  await side.ask('taken back', incrementalAlterConfigs, 1, edit('segment.ms', remove, null))
  await side.ask('taken back again', incrementalAlterConfigs, 1, edit('segment.ms', remove, null))
  await side.ask('added to', incrementalAlterConfigs, 1, edit('cleanup.policy', append, 'compact'))
  await side.ask('added to again', incrementalAlterConfigs, 1, edit('cleanup.policy', append, 'compact'))
  await side.ask('taken from', incrementalAlterConfigs, 1, edit('cleanup.policy', subtract, 'delete'))
  await side.ask('added to what is no list', incrementalAlterConfigs, 1, edit('retention.ms', append, '1'))
  await side.ask('done something else with', incrementalAlterConfigs, 1, edit('retention.ms', 9, '1'))
  await side.ask('to nothing', incrementalAlterConfigs, 1, edit('retention.ms', set, null))
  await side.ask('to what cannot be', incrementalAlterConfigs, 1, edit('retention.ms', set, 'soon'))
  await side.ask('one that there is not', incrementalAlterConfigs, 1, edit('nonsense', set, '1'))
  await side.ask(
    'of a topic that there is not',
    incrementalAlterConfigs,
    1,
    edit('retention.ms', set, '1', { topic: 'nobody' }),
  )
  await side.ask(
    'of a broker that there is not',
    incrementalAlterConfigs,
    1,
    edit('log.retention.ms', set, '1', { topic: '9', type: 4 }),
  )
  const twice = edit('retention.ms', set, '1')
  const [resource] = twice.resources
  await side.ask('twice in one', incrementalAlterConfigs, 1, {
    ...twice,
    resources: [
      {
        ...(resource as NonNullable<typeof resource>),
        configs: [...(resource?.configs ?? []), ...(resource?.configs ?? [])],
      },
    ],
  })
  const all = (name: string, value: string | null, topic = 'set') => ({
    resources: [{ resourceType: 2, resourceName: topic, configs: [{ name, value }] }],
    validateOnly: false,
  })
  for (const version of [0, 1, 2]) await side.ask('all at once', alterConfigs, version, all('retention.ms', '70000'))
  await side.ask('all to what cannot be', alterConfigs, 2, all('retention.ms', 'soon'))
  await side.ask('all of a topic that there is not', alterConfigs, 2, all('retention.ms', '1', 'nobody'))
  const asked = {
    resources: [
      { resourceType: 2, resourceName: 'set', configurationKeys: ['retention.ms', 'cleanup.policy', 'segment.ms'] },
    ],
  }
  await side.until(
    describeConfigs,
    4,
    asked,
    ({ results: [one] }) => one?.configs.find(({ name }) => name === 'retention.ms')?.value === '70000',
  )
  await side.ask('what is set at last', describeConfigs, 4, asked)
}

async function place(side: Side): Promise<void> {
  for (const version of [0, 2])
    await side.ask('leaders as they are', electLeaders, version, {
      topicPartitions: [
        { topic: 'set', partitions: [0, 9] },
        { topic: 'nobody', partitions: [0] },
      ],
    })
  const move = (name: string, replicas: number[] | null) => ({
    topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }],
  })
  await side.ask('to where they are', alterPartitionReassignments, 0, move('set', [1]))
  await side.ask('to a broker that there is not', alterPartitionReassignments, 0, move('set', [9]))
  await side.ask('to nobody', alterPartitionReassignments, 0, move('set', []))
  await side.ask('not at all', alterPartitionReassignments, 0, move('set', null))
  await side.ask('of a topic that there is not', alterPartitionReassignments, 0, move('nobody', [1]))
  await side.ask('those on their way', listPartitionReassignments, 0, {})
  await side.ask('one on its way', listPartitionReassignments, 0, { topics: [{ name: 'set', partitionIndexes: [0] }] })
  for (const version of [1, 4])
    await side.ask('directories', describeLogDirs, version, { topics: [{ topic: 'set', partitions: [0, 1] }] })
}
