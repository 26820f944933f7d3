/**
 * A queue that gives the earliest first. It is the binary heap of java.util.PriorityQueue, so that of equally early ones the
 * same comes first as in Kafka Streams.
 */
export class JavaPriorityQueue<T> {
  readonly #heap: T[] = []
  readonly #timeOf: (item: T) => number

  /** `timeOf` must give the same for an item as long as that is in the queue. */
  constructor(timeOf: (item: T) => number) {
    this.#timeOf = timeOf
  }

  /** The earliest; undefined where there is none. */
  get first(): T | undefined {
    return this.#heap[0]
  }

  add(item: T): void {
    const heap = this.#heap
    const time = this.#timeOf(item)
    let at = heap.length
    heap.push(item)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (time >= this.#timeOf(heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = item
  }

  /** Takes the earliest out; undefined where there is none. */
  take(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    const time = this.#timeOf(last)
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#timeOf(heap[child]) > this.#timeOf(heap[child + 1])) child++
      if (time <= this.#timeOf(heap[child])) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return first
  }
}
