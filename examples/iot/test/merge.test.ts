import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergedReadings, type ReadingSource } from '../merge.ts'
import { SensorFile } from '../sensor-file.ts'
import type { SensorReading } from '../sensor-lines.ts'
import { csvFields, dataPath, hasReference, nabFiles, referenceText, skipReason } from './reference.ts'

function source(sensor: string, timestamps: readonly number[]): ReadingSource {
  let at = 0
  return {
    next() {
      const timestamp = timestamps[at]
      return timestamp === undefined ? undefined : { sensor, timestamp, value: at++ }
    },
  }
}

function drain(readings: ReadingSource): SensorReading[] {
  const all: SensorReading[] = []
  for (let reading = readings.next(); reading !== undefined; reading = readings.next()) all.push(reading)
  return all
}

/** The same rule without a heap: the first of the earliest heads. */
function mergedByScan(timestamps: readonly (readonly number[])[]): string[] {
  const next = timestamps.map(() => 0)
  const order: string[] = []
  for (;;) {
    let first = -1
    for (let s = 0; s < timestamps.length; s++) {
      const head = timestamps[s]?.[next[s] as number]
      const least = timestamps[first]?.[next[first] as number]
      if (head !== undefined && (least === undefined || head < least)) first = s
    }
    if (first < 0) return order
    order.push(`${first}:${next[first]}`)
    next[first] = (next[first] as number) + 1
  }
}

describe('MergedReadings', () => {
  it('takes the earliest head, and the earlier source where heads are equal', () => {
    const merged = new MergedReadings([source('a', [1, 5, 9]), source('b', [1, 2, 5]), source('c', [])])
    expect(drain(merged).map(({ sensor, timestamp }) => `${sensor}${timestamp}`)).toEqual([
      'a1',
      'b1',
      'b2',
      'a5',
      'b5',
      'a9',
    ])
  })

  it('keeps the order of a source that goes back in time', () => {
    const merged = new MergedReadings([source('a', [1, 8, 2, 9]), source('b', [3, 8])])
    expect(drain(merged).map(({ sensor, timestamp }) => `${sensor}${timestamp}`)).toEqual([
      'a1',
      'b3',
      'a8',
      'a2',
      'b8',
      'a9',
    ])
  })

  it('is empty where all sources are, and stays at its end', () => {
    const merged = new MergedReadings([source('a', []), source('b', [])])
    expect(merged.next()).toBeUndefined()
    expect(merged.next()).toBeUndefined()
    expect(new MergedReadings([]).next()).toBeUndefined()
  })

  it('agrees with a plain scan for any sources', () => {
    const times = fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }), { maxLength: 9 })
    fc.assert(
      fc.property(times, (timestamps) => {
        const merged = new MergedReadings(timestamps.map((t, s) => source(String(s), t)))
        expect(drain(merged).map(({ sensor, value }) => `${sensor}:${value}`)).toEqual(mergedByScan(timestamps))
      }),
      { numRuns: 200 },
    )
  })
})

describe('the merged order of the real series', () => {
  it.skipIf(!hasReference)(`loses to each bound exactly the readings of the reference${skipReason}`, () => {
    const files = nabFiles.map((name) => new SensorFile(dataPath(name), ({ reason }) => expect.fail(reason)))
    const all = drain(new MergedReadings(files))
    expect(all.length).toBe(44_542)
    for (const boundSeconds of [0, 300, 900]) {
      const late: string[] = []
      let streamTime = Number.NEGATIVE_INFINITY
      all.forEach(({ sensor, timestamp, value }, seq) => {
        const windowEnd = timestamp - (timestamp % 300_000) + 300_000
        if (windowEnd + boundSeconds * 1_000 <= streamTime) late.push(`${seq} ${sensor} ${timestamp} ${value}`)
        streamTime = Math.max(streamTime, timestamp)
      })
      const reference = csvFields(referenceText(`nab/ref/late_natural_5m_bound${boundSeconds}s_dropped.csv`))
      expect(late).toEqual(
        reference.map(([seq, sensor, timestamp, value]) => `${seq} ${sensor} ${timestamp} ${Number(value)}`),
      )
    }
  })
})
