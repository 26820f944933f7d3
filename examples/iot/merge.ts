import type { SensorReading } from './sensor-lines.ts'

/** Something that gives its readings one at a time, in its own order. */
export interface ReadingSource {
  next(): SensorReading | undefined
}

/**
 * Merges sources by the event time of their first remaining readings; the earlier source goes first where times are equal.
 * Each source keeps its own order, so a source that goes back in time makes the merged order go back too: that is the
 * disorder that grace and the late topic are for. The order depends on nothing but the sources and theirs.
 */
export class MergedReadings implements ReadingSource {
  readonly #sources: readonly ReadingSource[]
  readonly #first: (SensorReading | undefined)[]
  /** A binary heap of source numbers; the source of the next reading is on top. */
  readonly #heap: number[] = []
  #isStarted = false

  constructor(sources: readonly ReadingSource[]) {
    this.#sources = sources
    this.#first = sources.map(() => undefined)
  }

  next(): SensorReading | undefined {
    if (!this.#isStarted) this.#start()
    const source = this.#heap[0]
    if (source === undefined) return undefined
    const reading = this.#first[source]
    const following = (this.#sources[source] as ReadingSource).next()
    this.#first[source] = following
    if (following === undefined) {
      const last = this.#heap.pop() as number
      if (this.#heap.length > 0) this.#heap[0] = last
    }
    this.#sink(0)
    return reading
  }

  #start(): void {
    this.#isStarted = true
    for (let source = 0; source < this.#sources.length; source++) {
      const reading = (this.#sources[source] as ReadingSource).next()
      this.#first[source] = reading
      if (reading !== undefined) this.#heap.push(source)
    }
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  #sink(from: number): void {
    const heap = this.#heap
    let at = from
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) return
      const right = left + 1
      const child = right < heap.length && this.#isBefore(right, left) ? right : left
      if (!this.#isBefore(child, at)) return
      const moved = heap[at] as number
      heap[at] = heap[child] as number
      heap[child] = moved
      at = child
    }
  }

  #isBefore(a: number, b: number): boolean {
    const sourceA = this.#heap[a] as number
    const sourceB = this.#heap[b] as number
    const timeA = (this.#first[sourceA] as SensorReading).timestamp
    const timeB = (this.#first[sourceB] as SensorReading).timestamp
    return timeA < timeB || (timeA === timeB && sourceA < sourceB)
  }
}
