import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError } from '../input-error.ts'
import { maxLineBytes } from '../line-reader.ts'
import { type BadLine, SensorFile } from '../sensor-file.ts'
import type { SensorReading } from '../sensor-lines.ts'
import { scratchDirectory, scratchFile } from './scratch.ts'

function read(text: string): { readings: SensorReading[]; bad: BadLine[] } {
  const bad: BadLine[] = []
  const file = new SensorFile(scratchFile(text), (line) => bad.push(line))
  const readings: SensorReading[] = []
  for (let reading = file.next(); reading !== undefined; reading = file.next()) readings.push(reading)
  return { readings, bad }
}

function messageOfOpening(path: string): string {
  try {
    new SensorFile(path, () => {}).close()
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return (error as InputError).message
  }
  throw new Error('opened')
}

describe('SensorFile', () => {
  it('gives the readings in the order of the file and ends', () => {
    const { readings, bad } = read('timestamp,value\r\n2014-07-01 00:30:00,2\r\n\r\n2014-07-01 00:00:00,1')
    expect(readings.map(({ value }) => value)).toEqual([2, 1])
    expect(bad).toEqual([])
  })

  it('leaves out malformed lines and tells their number and reason', () => {
    const { readings, bad } = read(
      `timestamp,value\n2014-07-01 00:00:00,1\noops\n2014-07-01 00:05:00,2\n${'9'.repeat(maxLineBytes * 2)}\n2014-07-01 00:10:00,3\n2014-07-01 00:15:00,x\n`,
    )
    expect(readings.map(({ value }) => value)).toEqual([1, 2, 3])
    expect(bad.map(({ line }) => line)).toEqual([3, 5, 7])
    expect(bad[0]?.reason).toContain('two fields')
    expect(bad[1]?.reason).toContain(`longer than ${maxLineBytes} bytes`)
    expect(bad[2]?.reason).toContain('"x" is not a finite number')
  })

  it('stops where the listener throws', () => {
    const file = new SensorFile(scratchFile('timestamp,value\noops\n'), (bad) => {
      throw new InputError(`line ${bad.line}`)
    })
    expect(() => file.next()).toThrow('line 2')
    file.close()
  })

  it('has no readings where there is only a header', () => {
    expect(read('timestamp,value\n')).toEqual({ readings: [], bad: [] })
  })

  it('says what is wrong with a file that cannot be used', () => {
    const directory = scratchDirectory()
    mkdirSync(join(directory, 'folder'))
    expect(messageOfOpening(join(directory, 'none.csv'))).toContain('no such file')
    expect(messageOfOpening(join(directory, 'folder'))).toContain('it is a directory')
    expect(messageOfOpening(scratchFile(''))).toContain('is empty')
    expect(messageOfOpening(scratchFile('\u0000\u0001binary'))).toContain('(line 1)')
    expect(messageOfOpening(scratchFile('a,b\n1,2\n'))).toContain('"a,b" is no header that is known')
  })
})
