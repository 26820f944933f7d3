import { describe, expect, it } from 'vitest'
import type { TaskInput } from '../../src/runtime/task-input.ts'
import { InputQueue } from '../../src/testing/input-queue.ts'

const input = (name: string, timestamp: number) => ({ name, record: { timestamp } }) as unknown as TaskInput

function drain(queue: InputQueue): unknown[] {
  const taken: unknown[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    taken.push((next as unknown as { name: string }).name)
  }
  return taken
}

describe('InputQueue', () => {
  it('gives the input with the earliest record first', () => {
    const queue = new InputQueue()
    for (const time of [5, 3, 9, 1, 7, 3, 0, 8]) queue.add(input(String(time), time))
    expect(drain(queue)).toEqual(['0', '1', '3', '3', '5', '7', '8', '9'])
    expect(queue.take()).toBeUndefined()
  })

  it('takes equally early ones in the order of java.util.PriorityQueue', () => {
    // What `poll()` gave for a PriorityQueue with comparingLong(time) to which these were offered.
    const queue = new InputQueue()
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.add(input(name, 1))
    expect(drain(queue)).toEqual(['a', 'e', 'd', 'c', 'b'])
  })
})
