/** The live table: a pure rendering of what is known, and a writer that puts it over the one before. */
import { shortNumber, wholeNumber } from './formats.ts'
import { type Unit, unitOf } from './machine-sensors.ts'
import type { ResultRow } from './results.ts'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** What the screen shows: of each sensor its latest window of each length. */
export class Board {
  readonly #windowSizes: readonly number[]
  readonly #rows = new Map<string, Map<number, ResultRow>>()

  constructor(windowSizes: readonly number[]) {
    this.#windowSizes = windowSizes
  }

  /** Takes an update of a window; one of a window before the latest (a late reading's) does not bring that window back. */
  put(row: ResultRow): void {
    let windows = this.#rows.get(row.sensor)
    if (windows === undefined) {
      windows = new Map()
      this.#rows.set(row.sensor, windows)
    }
    const size = row.end - row.start
    const shown = windows.get(size)
    if (shown === undefined || shown.start <= row.start) windows.set(size, row)
  }

  /** The lines of the table, none longer than the screen is wide and no more than it is high. */
  render(title: string, screen: ScreenSize): string[] {
    const sensors = [...this.#rows.keys()].sort(byNumberedName)
    // The last row of the screen stays free: writing there would scroll everything up.
    const room = Math.max(1, screen.rows - 4)
    const shown = sensors.length <= room ? sensors : sensors.slice(0, room - 1)
    const body = shown.map((sensor) => [sensor, ...this.#windowSizes.flatMap((size) => this.#cells(sensor, size))])
    const header = ['', ...this.#windowSizes.flatMap(() => ['count', 'min', 'max', 'mean'])]
    const widths = header.map((name, at) =>
      Math.max(columnWidth(at), name.length, ...body.map((row) => textAt(row, at).length)),
    )

    const lines = [title, groupLine(this.#windowSizes, widths), tableLine(header, widths)]
    for (const row of body) lines.push(tableLine(row, widths))
    if (shown.length < sensors.length) lines.push(`... and ${sensors.length - shown.length} more sensors`)
    return lines.slice(0, Math.max(1, screen.rows - 1)).map((line) => line.slice(0, Math.max(1, screen.columns - 1)))
  }

  #cells(sensor: string, size: number): string[] {
    const row = this.#rows.get(sensor)?.get(size)
    if (row === undefined) return ['', '', '', '']
    const unit = unitOf(sensor)
    return [String(row.count), quantity(row.min, unit), quantity(row.max, unit), quantity(row.mean, unit)]
  }
}

const collator = new Intl.Collator('en', { numeric: true })

function byNumberedName(a: string, b: string): number {
  return collator.compare(a, b)
}

function textAt(row: readonly string[], at: number): string {
  return row[at] as string
}

/** Columns keep a width that holds all usual values, so that the table does not move as values change. */
function columnWidth(at: number): number {
  if (at === 0) return 10
  return (at - 1) % 4 === 0 ? 5 : 10
}

function tableLine(cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, at) =>
    at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number),
  )
  return aligned.join('  ').trimEnd()
}

function groupLine(sizes: readonly number[], widths: readonly number[]): string {
  const groups = sizes.map((size, group) => {
    const columns = widths.slice(1 + group * 4, 5 + group * 4)
    const width = columns.reduce((sum, column) => sum + column + 2, -2)
    const label = ` ${size / 1_000} s `
    const left = Math.floor((width - label.length) / 2)
    return label.padStart(label.length + left, '-').padEnd(width, '-')
  })
  return [' '.repeat(widths[0] as number), ...groups].join('  ')
}

const binaryPrefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

/** A value with its unit: `12.5 %`, `3.1 GiB`, `0.42 ms`. */
export function quantity(value: number, unit: Unit | undefined): string {
  if (unit === undefined) return shortNumber(value)
  if (unit === 'percent') return `${value.toFixed(1)} %`
  if (unit === 'ms') return `${value.toFixed(2)} ms`
  let scaled = value
  let prefix = 0
  while (Math.abs(scaled) >= 1_023.95 && prefix < binaryPrefixes.length - 1) {
    scaled /= 1_024
    prefix++
  }
  const digits = prefix === 0 ? 0 : 1
  return `${scaled.toFixed(digits)} ${binaryPrefixes[prefix]}${unit === 'bytes' ? 'B' : 'B/s'}`
}

const controlSequence = '\u001b['

/** Where the screen writes: the terminal, or a test. */
export interface Terminal {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** Puts lines over those written before. The cursor rests below them, so that whatever is written next is below them too. */
export class Screen {
  readonly #terminal: Terminal
  #drawnLines = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  get size(): ScreenSize {
    return { columns: this.#terminal.columns || 80, rows: this.#terminal.rows || 24 }
  }

  draw(lines: readonly string[]): void {
    // A screen that was made smaller has scrolled away what is above its first row.
    const up = Math.min(this.#drawnLines, this.size.rows - 1)
    const start = up === 0 ? '\r' : `${controlSequence}${up}A\r`
    const text = lines.map((line) => `${line}${controlSequence}K\n`).join('')
    this.#terminal.write(`${start}${text}${controlSequence}J`)
    this.#drawnLines = lines.length
  }
}

/** A counted rate as text: `12,345 readings (1,234/s)`. */
export function countWithRate(count: number, what: string, elapsedMs: number): string {
  const rate = elapsedMs < 1 ? 0 : (count / elapsedMs) * 1_000
  return `${wholeNumber(count)} ${what} (${wholeNumber(rate)}/s)`
}
