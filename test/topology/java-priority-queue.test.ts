import { describe, expect, it } from 'vitest'
import { JavaPriorityQueue } from '../../src/topology/java-priority-queue.ts'

interface Timed {
  readonly name: string
  readonly time: number
}

function queueOf(...items: Timed[]): JavaPriorityQueue<Timed> {
  const queue = new JavaPriorityQueue<Timed>(({ time }) => time)
  for (const item of items) queue.add(item)
  return queue
}

function drain(queue: JavaPriorityQueue<Timed>): string[] {
  const taken: string[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next.name)
  return taken
}

describe('JavaPriorityQueue', () => {
  it('gives the earliest first', () => {
    const queue = queueOf(...[5, 3, 9, 1, 7, 3, 0, 8].map((time) => ({ name: String(time), time })))
    expect(queue.first?.name).toBe('0')
    expect(drain(queue)).toEqual(['0', '1', '3', '3', '5', '7', '8', '9'])
    expect(queue.first).toBeUndefined()
  })

  it('gives equally early ones in the order of java.util.PriorityQueue', () => {
    // What `poll()` gave for a PriorityQueue with comparingLong(time) to which these were offered.
    const queue = queueOf(...['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, time: 1 })))
    expect(drain(queue)).toEqual(['a', 'e', 'd', 'c', 'b'])
  })
})
