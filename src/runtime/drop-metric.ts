import type { DropReason } from '../topology/processor.ts'
import type { Task } from './task.ts'

/** Records an operator did not pass on although no user function said so, since the application was first started. */
export interface DropMetric {
  readonly operator: string
  readonly reason: DropReason
  readonly count: number
}

/** What the tasks dropped together, by operator and reason. */
export function dropMetrics(tasks: readonly Task[]): DropMetric[] {
  const merged = new Map<string, DropMetric>()
  for (const task of tasks) {
    for (const [operator, counts] of task.drops) {
      for (const [reason, count] of counts) {
        const id = `${operator} ${reason}`
        merged.set(id, { operator, reason, count: count + (merged.get(id)?.count ?? 0) })
      }
    }
  }
  return [...merged.values()]
}
