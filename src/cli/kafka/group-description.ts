import type { Admin, GroupDescription } from 'kafkajs'
import { textTable } from './text-table.ts'

/** What `--describe` prints of one group, as kafka-consumer-groups.sh does. */

const nobody = '-'

/** Committed offsets and lag of each partition, and which member has it. */
export async function describeOffsets(admin: Admin, group: GroupDescription): Promise<string> {
  const { groupId } = group
  const owners = await ownersOf(group)
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

export async function describeMembers(group: GroupDescription, isVerbose: boolean): Promise<string> {
  const rows: string[][] = []
  for (const member of group.members) {
    const assignment = Object.entries(await assignmentOf(member))
    const count = assignment.reduce((sum, [, partitions]) => sum + partitions.length, 0)
    const row = [group.groupId, member.memberId, member.clientHost, member.clientId, String(count)]
    const shown = assignment.map(([topic, partitions]) => `${topic}(${partitions.join()})`).join(', ')
    rows.push(isVerbose ? [...row, shown === '' ? nobody : shown] : row)
  }
  const header = ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS']
  return `\n${textTable(isVerbose ? [...header, 'ASSIGNMENT'] : header, rows)}`
}

export function describeStates({ groupId, protocol, state, members }: GroupDescription): string {
  const row = [groupId, protocol === '' ? nobody : protocol, state, String(members.length)]
  return `\n${textTable(['GROUP', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'], [row])}`
}

type Member = GroupDescription['members'][number]

/** Which member has a partition, by `topic/partition`. */
async function ownersOf({ members }: GroupDescription): Promise<Map<string, Member>> {
  const owners = new Map<string, Member>()
  for (const member of members) {
    for (const [topic, partitions] of Object.entries(await assignmentOf(member))) {
      for (const partition of partitions) owners.set(`${topic}/${partition}`, member)
    }
  }
  return owners
}

async function assignmentOf({ memberAssignment }: Member): Promise<Record<string, number[]>> {
  if (memberAssignment.length === 0) return {}
  const { AssignerProtocol } = await import('kafkajs')
  return AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}
}
