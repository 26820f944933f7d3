import type { Broker } from '../broker.ts'
import { listGroups } from '../protocol/messages/list-groups.ts'
import { type Handler, handlerOf } from './handler.ts'

/** ListGroups 0-5: groups of both protocols that have members or have had, and those that have only committed offsets. */
export function handleListGroups(broker: Broker): Handler {
  return handlerOf(listGroups, [0, 5], ({ statesFilter, typesFilter }) => {
    const states = new Set(statesFilter.map((state) => state.toLowerCase()))
    const types = new Set(typesFilter.map((type) => type.toLowerCase()))
    const groups = allGroups(broker)
      .filter(({ groupState }) => states.size === 0 || states.has(groupState.toLowerCase()))
      .filter(({ groupType }) => types.size === 0 || types.has(groupType))
    return { errorCode: 0, groups }
  })
}

function allGroups(broker: Broker) {
  const coordinated = broker.groups.list()
  const ofConsumers = broker.consumerGroups.list()
  const names = new Set([...coordinated, ...ofConsumers].map(({ id }) => id))
  const simple = broker.offsets.groups().filter((id) => !names.has(id))
  return [
    ...coordinated.map(({ id, protocolType, state }) => ({
      groupId: id,
      protocolType: protocolType ?? '',
      groupState: state,
      groupType: 'classic',
    })),
    ...ofConsumers.map(({ id, stateName }) => ({
      groupId: id,
      protocolType: 'consumer',
      groupState: stateName,
      groupType: 'consumer',
    })),
    ...simple.map((groupId) => ({ groupId, protocolType: '', groupState: 'Empty', groupType: 'classic' })),
  ]
}
