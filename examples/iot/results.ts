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

/**
 * The final values of windows: of all updates of a window the last one holds, so that updates which come twice change
 * nothing. A session that grew into another leaves a deletion behind.
 */
export class FinalResults {
  readonly #rows = new Map<string, Map<string, ResultRow>>()

  put(row: ResultRow): void {
    let windows = this.#rows.get(row.sensor)
    if (windows === undefined) {
      windows = new Map()
      this.#rows.set(row.sensor, windows)
    }
    windows.set(`${row.start}/${row.end}`, row)
  }

  remove(sensor: string, start: number, end: number): void {
    this.#rows.get(sensor)?.delete(`${start}/${end}`)
  }

  /** All rows, sorted by the bytes of the sensor's name, then by time. */
  sorted(): ResultRow[] {
    const sensors = [...this.#rows.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return sensors.flatMap((sensor) => {
      const rows = [...(this.#rows.get(sensor)?.values() ?? [])]
      return rows.sort((a, b) => a.start - b.start || a.end - b.end)
    })
  }
}
