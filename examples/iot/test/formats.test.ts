import { describe, expect, it } from 'vitest'
import { csvField, formatRows, shortNumber, timeText, wholeNumber } from '../formats.ts'

const rows = [
  { sensor: 'nab/taxi', start: 0, end: 300_000, count: 2, min: -1.5, max: 1e21, mean: 1 / 3 },
  { sensor: 'a,b', start: 300_000, end: 600_250, count: 12_345, min: 0, max: 0.1, mean: 0.05 },
]

describe('formatRows', () => {
  it('writes CSV with numbers as JavaScript prints them', () => {
    expect([...formatRows(rows, 'csv', 'time')]).toEqual([
      'sensor,window_start_ms,window_end_ms,count,min,max,mean',
      'nab/taxi,0,300000,2,-1.5,1e+21,0.3333333333333333',
      '"a,b",300000,600250,12345,0,0.1,0.05',
    ])
    expect([...formatRows([], 'csv', 'session')]).toEqual(['sensor,first_ts_ms,last_ts_ms,count,min,max,mean'])
  })

  it('writes one JSON object a line', () => {
    expect([...formatRows(rows, 'json', 'time')].map((line) => JSON.parse(line))[0]).toEqual({
      sensor: 'nab/taxi',
      window_start_ms: 0,
      window_end_ms: 300_000,
      count: 2,
      min: -1.5,
      max: 1e21,
      mean: 1 / 3,
    })
    const [session] = formatRows(rows, 'json', 'session')
    expect(Object.keys(JSON.parse(session as string)).slice(1, 3)).toEqual(['first_ts_ms', 'last_ts_ms'])
  })

  it('aligns the table for people', () => {
    expect([...formatRows(rows, 'table', 'time')]).toEqual([
      'sensor    from                 to                       count   min    max      mean',
      'nab/taxi  1970-01-01 00:00:00  1970-01-01 00:05:00          2  -1.5  1e+21  0.333333',
      'a,b       1970-01-01 00:05:00  1970-01-01 00:10:00.250  12345     0    0.1      0.05',
    ])
    expect([...formatRows([], 'table', 'session')]).toEqual(['sensor  first  last  count  min  max  mean'])
  })
})

describe('texts', () => {
  it('quote CSV fields only where they must be', () => {
    expect([csvField('a/b c'), csvField('a"b'), csvField('a\nb')]).toEqual(['a/b c', '"a""b"', '"a\nb"'])
  })

  it('show times in UTC and numbers short', () => {
    expect(timeText(Date.UTC(2014, 6, 1, 0, 0, 0, 5))).toBe('2014-07-01 00:00:00.005')
    expect([shortNumber(73.96732207), shortNumber(1e-9), wholeNumber(1_234_567.4)]).toEqual([
      '73.9673',
      '1e-9',
      '1,234,567',
    ])
  })
})
