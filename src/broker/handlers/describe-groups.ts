import type { Broker } from '../broker.ts'
import type { ClassicGroup } from '../group/classic-group.ts'
import { metadataOf } from '../group/group-members.ts'
import type { ResponseOf } from '../protocol/api.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeGroups } from '../protocol/messages/describe-groups.ts'
import { type Handler, handlerOf } from './handler.ts'

type Described = ResponseOf<typeof describeGroups>['groups'][number]

/** From this version on a group that does not exist is an error; before, it is dead. */
const firstVersionWithNotFound = 6

/** DescribeGroups 0-6: state and members of groups of the classic protocol. Authorized operations are not listed. */
export function handleDescribeGroups(broker: Broker): Handler {
  return handlerOf(describeGroups, [0, 6], ({ groups }, { apiVersion }) => ({
    groups: groups.map((groupId) => {
      const group = broker.groups.get(groupId)
      if (group !== undefined) return describe(group)
      const isSimple = broker.consumerGroups.get(groupId) === undefined && broker.offsets.hasCommitted(groupId)
      return isSimple ? emptyGroup(groupId) : absent(groupId, apiVersion)
    }),
  }))
}

function describe(group: ClassicGroup): Described {
  const isStable = group.state === 'Stable'
  return {
    errorCode: 0,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: [...group.members.all()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, group.protocolName) : Buffer.alloc(0),
      memberAssignment: member.assignment,
    })),
  }
}

function emptyGroup(groupId: string): Described {
  return { errorCode: 0, groupId, groupState: 'Empty', protocolType: '', protocolData: '', members: [] }
}

function absent(groupId: string, version: number): Described {
  const errorCode = version >= firstVersionWithNotFound ? codeOf('GROUP_ID_NOT_FOUND') : 0
  return { errorCode, groupId, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
}
