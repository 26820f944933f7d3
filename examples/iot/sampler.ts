import { performance } from 'node:perf_hooks'
import { type Counters, readCounters, readingsBetween } from './machine-sensors.ts'
import type { SensorReading } from './sensor-lines.ts'

/** Takes readings of this machine at a fixed interval, among them how late its own timer was: the delay of the event loop. */
export class Sampler {
  readonly #intervalMs: number
  readonly #take: (readings: SensorReading[]) => void
  #timer: NodeJS.Timeout | undefined
  #before: Counters | undefined
  #takenAt = 0
  #dueAt = 0

  constructor(intervalMs: number, take: (readings: SensorReading[]) => void) {
    this.#intervalMs = intervalMs
    this.#take = take
  }

  start(): void {
    this.#before = readCounters()
    this.#takenAt = performance.now()
    this.#schedule(this.#takenAt + this.#intervalMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #schedule(dueAt: number): void {
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => this.#sample(), dueAt - performance.now())
  }

  #sample(): void {
    const now = performance.now()
    const counters = readCounters()
    const timestamp = Date.now()
    const readings = readingsBetween(this.#before ?? counters, counters, now - this.#takenAt, timestamp)
    readings.push({ sensor: 'process/event-loop-delay', timestamp, value: Math.max(0, now - this.#dueAt) })
    this.#before = counters
    this.#takenAt = now
    this.#take(readings)
    // After a long stop (a suspended machine) the missed samples are not made up for.
    this.#schedule(Math.max(this.#dueAt + this.#intervalMs, performance.now()))
  }
}
