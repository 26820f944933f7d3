import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parserFor, parseUtcTime, type SensorReading, sensorNameOf } from '../sensor-lines.ts'

const csvHeader = 'timestamp,value'
const moteHeader = 'Reading# Mote-ID Humidity Temperature Label'

function parse(header: string, line: string): { readings: SensorReading[]; reason: string | undefined } {
  const parser = parserFor(header, '/data/nab/taxi.csv')
  if (parser === undefined) throw new Error('no parser')
  const readings: SensorReading[] = []
  return { reason: parser(line, readings), readings }
}

describe('parserFor', () => {
  it('knows both formats by their header, whatever its case, spaces or byte order mark', () => {
    for (const header of [
      csvHeader,
      'Timestamp, Value',
      '\uFEFFtimestamp,value ',
      moteHeader,
      'reading mote-id humidity temperature label',
    ]) {
      expect(parserFor(header, 'x.csv'), header).toBeDefined()
    }
  })

  it('knows no other header', () => {
    for (const header of ['', 'value,timestamp', 'timestamp,value,label', '2014-07-01 00:00:00,1']) {
      expect(parserFor(header, 'x.csv'), header).toBeUndefined()
    }
  })
})

describe('sensorNameOf', () => {
  it('is the last folder and the name without .csv', () => {
    expect(sensorNameOf('/a/b/nab/nyc_taxi.csv')).toBe('nab/nyc_taxi')
    expect(sensorNameOf('/a/x/../nab/nyc.taxi.CSV')).toBe('nab/nyc.taxi')
    expect(sensorNameOf('/nab/readings.txt')).toBe('nab/readings.txt')
    expect(sensorNameOf('/top.csv')).toBe('top')
  })
})

describe('timestamp,value', () => {
  it('is one reading, its sensor named after the file', () => {
    expect(parse(csvHeader, '2014-07-01 00:30:00,-8.5e1')).toEqual({
      reason: undefined,
      readings: [{ sensor: 'nab/taxi', timestamp: 1_404_174_600_000, value: -85 }],
    })
  })

  it.each([
    ['2014-07-01 00:30:00', 'two fields'],
    ['2014-07-01 00:30:00,1,2', 'two fields'],
    ['2014-07-01T00:30:00,1', 'not a time'],
    ['2014-02-29 00:30:00,1', 'not a time'],
    ['2014-07-01 24:00:00,1', 'not a time'],
    [',1', 'not a time'],
    ['2014-07-01 00:30:00,', 'not a finite number'],
    ['2014-07-01 00:30:00, 1', 'not a finite number'],
    ['2014-07-01 00:30:00,NaN', 'not a finite number'],
    ['2014-07-01 00:30:00,Infinity', 'not a finite number'],
    ['2014-07-01 00:30:00,1e999', 'not a finite number'],
    ['2014-07-01 00:30:00,0x10', 'not a finite number'],
  ])('refuses %j: %s', (line, reason) => {
    const parsed = parse(csvHeader, line)
    expect(parsed.reason).toContain(reason)
    expect(parsed.readings).toEqual([])
  })

  it('shows what is wrong without control characters and shortened', () => {
    const { reason } = parse(csvHeader, `\u001b[2J${'x'.repeat(500)},1`)
    expect(reason).not.toContain('\u001b')
    expect(reason?.length).toBeLessThan(150)
  })
})

describe('parseUtcTime', () => {
  it('reads every second that there is', () => {
    const second = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 })
    fc.assert(
      fc.property(second, (seconds) => {
        const text = new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')
        expect(parseUtcTime(text)).toBe(seconds * 1_000)
      }),
      { numRuns: 300 },
    )
  })

  it('knows leap days', () => {
    expect(parseUtcTime('2000-02-29 00:00:00')).toBe(Date.UTC(2000, 1, 29))
    expect(parseUtcTime('2024-02-29 00:00:00')).toBe(Date.UTC(2024, 1, 29))
    for (const day of [
      '1900-02-29',
      '2023-02-29',
      '2024-02-30',
      '2024-04-31',
      '2024-13-01',
      '2024-00-10',
      '2024-01-00',
    ]) {
      expect(parseUtcTime(`${day} 00:00:00`), day).toBeNaN()
    }
  })
})

describe('readings of motes', () => {
  it('are two readings a line, five seconds apart', () => {
    expect(parse(moteHeader, '3\t17\t45.9\t27.96\t0').readings).toEqual([
      { sensor: 'wsn/mote17/humidity', timestamp: Date.UTC(2010, 4, 9, 0, 0, 10), value: 45.9 },
      { sensor: 'wsn/mote17/temperature', timestamp: Date.UTC(2010, 4, 9, 0, 0, 10), value: 27.96 },
    ])
  })

  it.each([
    ['3\t1\t45.9\t27.96', 'five fields'],
    ['0\t1\t45.9\t27.96\t0', 'number of a reading'],
    ['1.5\t1\t45.9\t27.96\t0', 'number of a reading'],
    ['99999999999999\t1\t45.9\t27.96\t0', 'number of a reading'],
    ['3\tone\t45.9\t27.96\t0', 'number of a mote'],
    ['3\t1\t?\t27.96\t0', 'humidity'],
    ['3\t1\t45.9\t-\t0', 'temperature'],
  ])('refuses %j whole: %s', (line, reason) => {
    const parsed = parse(moteHeader, line)
    expect(parsed.reason).toContain(reason)
    expect(parsed.readings).toEqual([])
  })
})
