import type { Assignor } from './assignor.ts'
import { assignRanges } from './range-assignor.ts'
import { assignUniformly } from './uniform-assignor.ts'

/** The assignors that a member may name, the default first (`group.consumer.assignors`). */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniformly],
  ['range', assignRanges],
])

export const defaultAssignor = 'uniform'
