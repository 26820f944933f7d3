/**
 * The two text formats that sensors' readings come in, recognised by their header line:
 * `timestamp,value` (one sensor a file, named after the file) and the wireless sensor network's
 * `Reading# Mote-ID Humidity Temperature Label` (two sensors a mote, and no clock but the number of the reading).
 */
import { basename, dirname, resolve } from 'node:path'
import { quoted } from './input-error.ts'

export interface SensorReading {
  readonly sensor: string
  /** Event time in milliseconds since 1970. */
  readonly timestamp: number
  readonly value: number
}

/** Appends the readings of one line to `into`; returns why it cannot where the line is malformed, and then appends nothing. */
export type LineParser = (line: string, into: SensorReading[]) => string | undefined

/** The parser for a file with this header line; undefined where the header is of neither format. */
export function parserFor(header: string, path: string): LineParser | undefined {
  const words = header
    .replace(/^\uFEFF/, '')
    .trim()
    .toLowerCase()
  if (/^timestamp\s*,\s*value$/.test(words)) return timestampedValues(sensorNameOf(path))
  if (/^reading#?\s+mote-?id\s+humidity\s+temperature\s+label$/.test(words)) return moteReadings()
  return undefined
}

/** The last folder and the file's name without `.csv`: `nab/nyc_taxi`. */
export function sensorNameOf(path: string): string {
  const absolute = resolve(path)
  const folder = basename(dirname(absolute))
  const name = basename(absolute).replace(/\.csv$/i, '')
  return folder === '' ? name : `${folder}/${name}`
}

function timestampedValues(sensor: string): LineParser {
  return (line, into) => {
    const comma = line.indexOf(',')
    if (comma < 0 || line.indexOf(',', comma + 1) >= 0) return 'it does not have the two fields timestamp,value'
    const timestamp = parseUtcTime(line.slice(0, comma))
    if (Number.isNaN(timestamp)) return `${quoted(line.slice(0, comma))} is not a time (YYYY-MM-DD HH:MM:SS)`
    const value = parseNumber(line.slice(comma + 1))
    if (Number.isNaN(value)) return `${quoted(line.slice(comma + 1))} is not a finite number`
    into.push({ sensor, timestamp, value })
    return undefined
  }
}

const firstMoteReading = Date.UTC(2010, 4, 9)
const moteIntervalMs = 5_000
/** The last time that a JavaScript Date can hold. */
const lastTime = 8_640_000_000_000_000

interface Mote {
  readonly humidity: string
  readonly temperature: string
}

function moteReadings(): LineParser {
  const motes = new Map<string, Mote>()
  return (line, into) => {
    const fields = line.trim().split(/[\t ]+/)
    if (fields.length !== 5) return 'it does not have the five fields reading, mote, humidity, temperature, label'
    const [number, moteId, humidityText, temperatureText] = fields as [string, string, string, string]
    const timestamp = firstMoteReading + moteIntervalMs * (Number(number) - 1)
    if (!/^[1-9]\d*$/.test(number) || timestamp > lastTime) return `${quoted(number)} is not the number of a reading`
    if (!/^\d{1,9}$/.test(moteId)) return `${quoted(moteId)} is not the number of a mote`
    const humidity = parseNumber(humidityText)
    if (Number.isNaN(humidity)) return `humidity ${quoted(humidityText)} is not a finite number`
    const temperature = parseNumber(temperatureText)
    if (Number.isNaN(temperature)) return `temperature ${quoted(temperatureText)} is not a finite number`

    let mote = motes.get(moteId)
    if (mote === undefined) {
      mote = { humidity: `wsn/mote${moteId}/humidity`, temperature: `wsn/mote${moteId}/temperature` }
      motes.set(moteId, mote)
    }
    into.push({ sensor: mote.humidity, timestamp, value: humidity })
    into.push({ sensor: mote.temperature, timestamp, value: temperature })
    return undefined
  }
}

/** The number that is written; NaN where it is none or too large, also where `Number` would take it: '', '0x10', 'Infinity'. */
function parseNumber(text: string): number {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number.NaN
  const value = Number(text)
  return Number.isFinite(value) ? value : Number.NaN
}

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Milliseconds since 1970 of `YYYY-MM-DD HH:MM:SS` in UTC; NaN where the text is something else or there is no such time. */
export function parseUtcTime(text: string): number {
  if (text.length !== 19 || text[4] !== '-' || text[7] !== '-' || text[10] !== ' ') return Number.NaN
  if (text[13] !== ':' || text[16] !== ':') return Number.NaN
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  // No comparison with NaN is true, so that what is no number is refused as well.
  const isTime = hour <= 23 && minute <= 59 && second <= 59
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  if (!isTime || !isDay) return Number.NaN
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  return year < 100 ? Date.parse(`${text.replace(' ', 'T')}Z`) : Date.UTC(year, month - 1, day, hour, minute, second)
}

/** NaN where there are not two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** NaN where there is no such year. */
function daysIn(year: number, month: number): number {
  if (Number.isNaN(year)) return Number.NaN
  return month === 2 && !isLeapYear(year) ? 28 : (daysOfMonth[month - 1] as number)
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
