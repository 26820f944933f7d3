import { listPartitionReassignments } from '../protocol/messages/list-partition-reassignments.ts'
import { type Handler, handlerOf } from './handler.ts'

/** ListPartitionReassignments 0: with one broker there are none. */
export function handleListPartitionReassignments(): Handler {
  return handlerOf(listPartitionReassignments, [0, 0], () => ({ errorCode: 0, errorMessage: null, topics: [] }))
}
