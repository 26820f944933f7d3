/** How results are written: CSV and JSON lines for programs, a table for people. Pure: text in, lines out. */
import type { Format } from './arguments.ts'
import type { ResultRow } from './results.ts'

export type WindowKind = 'time' | 'session'

/** The lines of all rows, the header included where the format has one. */
export function* formatRows(rows: readonly ResultRow[], format: Format, kind: WindowKind): Generator<string> {
  if (format === 'table') {
    yield* tableLines(rows, kind)
    return
  }
  if (format === 'csv') yield csvHeader(kind)
  const line = format === 'csv' ? csvLine : jsonLine
  for (const row of rows) yield kind === 'time' || format === 'csv' ? line(row) : sessionJsonLine(row)
}

export function csvHeader(kind: WindowKind): string {
  const bounds = kind === 'session' ? 'first_ts_ms,last_ts_ms' : 'window_start_ms,window_end_ms'
  return `sensor,${bounds},count,min,max,mean`
}

export function csvLine(row: ResultRow): string {
  return `${csvField(row.sensor)},${row.start},${row.end},${row.count},${row.min},${row.max},${row.mean}`
}

export function jsonLine(row: ResultRow): string {
  const { sensor, start, end, count, min, max, mean } = row
  return JSON.stringify({ sensor, window_start_ms: start, window_end_ms: end, count, min, max, mean })
}

function sessionJsonLine(row: ResultRow): string {
  const { sensor, start, end, count, min, max, mean } = row
  return JSON.stringify({ sensor, first_ts_ms: start, last_ts_ms: end, count, min, max, mean })
}

/** Quoted where it must be (RFC 4180). */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function* tableLines(rows: readonly ResultRow[], kind: WindowKind): Generator<string> {
  const bounds = kind === 'session' ? ['first', 'last'] : ['from', 'to']
  const header = ['sensor', ...bounds, 'count', 'min', 'max', 'mean']
  const widths = header.map((name) => name.length)
  for (const row of rows) {
    const cells = tableCells(row)
    for (let at = 0; at < cells.length; at++) {
      widths[at] = Math.max(widths[at] as number, (cells[at] as string).length)
    }
  }
  yield alignedLine(header, widths)
  for (const row of rows) yield alignedLine(tableCells(row), widths)
}

function tableCells(row: ResultRow): string[] {
  const bounds = [timeText(row.start), timeText(row.end)]
  return [row.sensor, ...bounds, String(row.count), shortNumber(row.min), shortNumber(row.max), shortNumber(row.mean)]
}

/** The first three columns are text, aligned on the left; the others are numbers, aligned on the right. */
function alignedLine(cells: readonly string[], widths: readonly number[]): string {
  const aligned = cells.map((cell, at) => {
    const width = widths[at] as number
    return at < 3 ? cell.padEnd(width) : cell.padStart(width)
  })
  return aligned.join('  ').trimEnd()
}

/** UTC, without what is always zero: `2014-07-01 00:00:00` or `2014-07-01 00:00:00.250`. */
export function timeText(ms: number): string {
  const text = new Date(ms).toISOString()
  return text.slice(0, ms % 1_000 === 0 ? -5 : -1).replace('T', ' ')
}

/** Six significant digits: enough for a person to read. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)))
}

/** A whole number with its thousands apart: `1,234,567`. */
export function wholeNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}
