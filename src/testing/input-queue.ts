import type { TaskInput } from '../runtime/task-input.ts'

/**
 * Inputs with a record at hand, the one whose record is earliest first. It is the binary heap of java.util.PriorityQueue,
 * so that of equally early ones the same comes first as in Kafka Streams' test driver.
 */
export class InputQueue {
  readonly #heap: TaskInput[] = []

  add(input: TaskInput): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(input)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (timeOf(input) >= timeOf(heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = input
  }

  /** Takes the earliest out; undefined where there is none. */
  take(): TaskInput | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && timeOf(heap[child]) > timeOf(heap[child + 1])) child++
      if (timeOf(last) <= timeOf(heap[child])) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return first
  }
}

function timeOf(input: TaskInput): number {
  return input.record.timestamp
}
