import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import type { ResultRow } from '../results.ts'

/** Real input and reference answers, which lie beside the project where there are any. */
const folder = new URL('../../../../shared/data/', import.meta.url)

export const hasReference = existsSync(folder)
/** Behind the names of tests that need them. */
export const skipReason = hasReference ? '' : ' (skipped: there is no ../shared/data beside the project)'

export function dataPath(name: string): string {
  return new URL(name, folder).pathname
}

export function referenceText(name: string): string {
  const bytes = readFileSync(new URL(name, folder))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

export function csvFields(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
}

export function resultRows(text: string): ResultRow[] {
  return csvFields(text).map((fields) => {
    const [start, end, count, min, max, mean] = fields.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return { sensor: fields[0] as string, start, end, count, min, max, mean }
  })
}

/** All exactly equal but the means, which may differ by 1e-9 of their size. */
export function expectSameResults(actual: readonly ResultRow[], expected: readonly ResultRow[]): void {
  const exact = ({ sensor, start, end, count, min, max }: ResultRow) =>
    `${sensor} ${start}-${end} ${count} ${min} ${max}`
  expect(actual.map(exact)).toEqual(expected.map(exact))
  const off = actual.filter((row, at) => {
    const mean = expected[at]?.mean ?? Number.NaN
    return !(Math.abs(row.mean - mean) <= 1e-9 * Math.abs(mean))
  })
  expect(off).toEqual([])
}

export const nabFiles = [
  'nab/TravelTime_387.csv',
  'nab/ec2_request_latency_system_failure.csv',
  'nab/machine_temperature_system_failure.csv',
  'nab/nyc_taxi.csv',
  'nab/occupancy_t4013.csv',
  'nab/speed_t4013.csv',
]

export const nabFilesButTaxi = nabFiles.filter((name) => !name.includes('taxi'))

export const wsnFiles = ['wsn/singlehop_indoor_moteid1_data.txt', 'wsn/singlehop_outdoor_moteid3_data.txt']
