import type { Admin } from 'kafkajs'
import type { DescribedGroup, DescribedMember } from './described-group.ts'
import { textTable } from './text-table.ts'
import type { Coordinator } from './wire-cluster.ts'

/** What `--describe` prints of one group, as kafka-consumer-groups.sh does. */

const nobody = '-'

/** Committed offsets and lag of each partition, and which member has it. */
export async function describeOffsets(admin: Admin, group: DescribedGroup): Promise<string> {
  const { groupId } = group
  const owners = ownersOf(group)
  const committed = await admin.fetchOffsets({ groupId })
  const topics = new Set([
    ...committed.map(({ topic }) => topic),
    ...[...owners.keys()].map((key) => key.slice(0, key.lastIndexOf('/'))),
  ])
  const rows: string[][] = []
  for (const topic of [...topics].sort()) {
    const ends = await admin.fetchTopicOffsets(topic)
    const offsets = committed.find((one) => one.topic === topic)?.partitions ?? []
    for (const { partition, high } of ends.toSorted((a, b) => a.partition - b.partition)) {
      const offset = Number(offsets.find((one) => one.partition === partition)?.offset ?? -1)
      const owner = owners.get(`${topic}/${partition}`)
      if (offset < 0 && owner === undefined) continue
      const position = offset < 0 ? [nobody, high, nobody] : [String(offset), high, String(Number(high) - offset)]
      const member = owner === undefined ? [nobody, nobody, nobody] : [owner.memberId, owner.clientHost, owner.clientId]
      rows.push([groupId, topic, String(partition), ...position, ...member])
    }
  }
  const header = [
    'GROUP',
    'TOPIC',
    'PARTITION',
    'CURRENT-OFFSET',
    'LOG-END-OFFSET',
    'LAG',
    'CONSUMER-ID',
    'HOST',
    'CLIENT-ID',
  ]
  return `\n${textTable(header, rows)}`
}

export function describeMembers(group: DescribedGroup, isVerbose: boolean): string {
  const rows: string[][] = []
  for (const member of group.members) {
    const assignment = Object.entries(member.assignment)
    const count = assignment.reduce((sum, [, partitions]) => sum + partitions.length, 0)
    const row = [group.groupId, member.memberId, member.clientHost, member.clientId, String(count)]
    const shown = assignment.map(([topic, partitions]) => `${topic}(${partitions.join()})`).join(', ')
    rows.push(isVerbose ? [...row, shown === '' ? nobody : shown] : row)
  }
  const header = ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS']
  return `\n${textTable(isVerbose ? [...header, 'ASSIGNMENT'] : header, rows)}`
}

export function describeStates(
  { groupId, assignor, state, members }: DescribedGroup,
  { nodeId, host, port }: Coordinator,
): string {
  const coordinator = `${host}:${port} (${nodeId})`
  const row = [groupId, coordinator, assignor === '' ? nobody : assignor, state, String(members.length)]
  return `\n${textTable(['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'], [row])}`
}

/** Which member has a partition, by `topic/partition`. */
function ownersOf({ members }: DescribedGroup): Map<string, DescribedMember> {
  const owners = new Map<string, DescribedMember>()
  for (const member of members) {
    for (const [topic, partitions] of Object.entries(member.assignment)) {
      for (const partition of partitions) owners.set(`${topic}/${partition}`, member)
    }
  }
  return owners
}
