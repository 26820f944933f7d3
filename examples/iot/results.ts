import { Buffer } from 'node:buffer'
import { meanOf, type Stats } from './stats.ts'

/** One sensor's values in one window. Of a session, `end` is the time of its last reading; otherwise the end is excluded. */
export interface ResultRow {
  readonly sensor: string
  readonly start: number
  readonly end: number
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
}

export function resultRow(sensor: string, start: number, end: number, stats: Stats): ResultRow {
  return { sensor, start, end, count: stats.count, min: stats.min, max: stats.max, mean: meanOf(stats) }
}

interface WindowStats {
  readonly end: number
  readonly stats: Stats
}

/**
 * The final values of windows: of all updates of a window the last one holds, so that updates which come twice change
 * nothing. Windows of a sensor are known by their start: those of one length have different ones, and so have sessions,
 * which never overlap. A session that grew leaves the deletion of the smaller one behind.
 */
export class FinalResults {
  readonly #sensors = new Map<string, Map<number, WindowStats>>()

  put(sensor: string, start: number, end: number, stats: Stats): void {
    let windows = this.#sensors.get(sensor)
    if (windows === undefined) {
      windows = new Map()
      this.#sensors.set(sensor, windows)
    }
    windows.set(start, { end, stats })
  }

  /** Takes a window away, unless a longer one with the same start has taken its place. */
  remove(sensor: string, start: number, end: number): void {
    const windows = this.#sensors.get(sensor)
    if (windows?.get(start)?.end === end) windows.delete(start)
  }

  /** All rows, sorted by the bytes of the sensor's name, then by time. */
  sorted(): ResultRow[] {
    const sensors = [...this.#sensors.entries()].map(([sensor, windows]) => ({
      sensor,
      bytes: Buffer.from(sensor),
      windows,
    }))
    sensors.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    return sensors.flatMap(({ sensor, windows }) => {
      const rows = [...windows].map(([start, { end, stats }]) => resultRow(sensor, start, end, stats))
      return rows.sort((a, b) => a.start - b.start)
    })
  }
}
