import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runProgram } from './program.ts'
import {
  csvFields,
  dataPath,
  expectSameResults,
  hasReference,
  nabFiles,
  nabFilesButTaxi,
  referenceText,
  resultRows,
  skipReason,
  wsnFiles,
} from './reference.ts'
import { scratchDirectory, scratchFile } from './scratch.ts'

function inputs(names: readonly string[]): string[] {
  return ['--input', ...names.map(dataPath)]
}

describe.skipIf(!hasReference)(`the real series${skipReason}`, () => {
  it.each([
    ['nab/ref/nab_tumbling_5m.csv.gz', nabFilesButTaxi, ['--window', '5m']],
    ['nab/ref/nab_tumbling_1h.csv.gz', nabFiles, ['--window', '1h']],
    ['nab/ref/nab_hopping_1h_by_15m.csv.gz', nabFilesButTaxi, ['--window', '1h', '--hop', '15m']],
    ['nab/ref/nab_session_gap_1801s.csv', nabFilesButTaxi, ['--session', '1801s']],
    ['nab/ref/nab_session_gap_7201s.csv', nabFiles, ['--session', '7201s']],
    ['wsn/ref/wsn_tumbling_1m.csv', wsnFiles, ['--window', '1m']],
    ['wsn/ref/wsn_tumbling_5m.csv', wsnFiles, ['--window', '5m']],
    ['wsn/ref/wsn_tumbling_1h.csv', wsnFiles, ['--window', '1h']],
  ] as const)('give the results of %s', async (reference, files, options) => {
    const { code, stdout, stderr } = await runProgram(...inputs(files), ...options, '--format', 'csv')
    expect([code, stderr]).toEqual([0, expect.stringContaining('0 readings came too late')])
    const expected = referenceText(reference)
    expect(stdout.split('\n')[0]).toBe(expected.split('\n')[0])
    expectSameResults(resultRows(stdout), resultRows(expected))
  })

  it.each([0, 300, 900])('lose to a grace of %d seconds exactly the readings of the reference', async (seconds) => {
    const lateFile = join(scratchDirectory(), 'late.csv')
    const options = ['--window', '5m', '--grace', `${seconds}s`, '--late', lateFile, '--format', 'csv']
    const { code, stdout, stderr } = await runProgram(...inputs(nabFiles.toReversed()), ...options)
    const expected = csvFields(referenceText(`nab/ref/late_natural_5m_bound${seconds}s_dropped.csv`))
    expect([code, stderr]).toEqual([0, expect.stringContaining(`${expected.length} readings came too late`)])
    const late = readFileSync(lateFile, 'utf8')
    expect(late.split('\n')[0]).toBe('sensor,ts_ms,value')
    expect(csvFields(late)).toEqual(expected.map(([, sensor, ts, value]) => [sensor, ts, String(Number(value))]))
    expect(resultRows(stdout).reduce((sum, { count }) => sum + count, 0)).toBe(44_542 - expected.length)
  })

  it('of both kinds can be replayed together', async () => {
    const { code, stdout } = await runProgram(
      ...inputs([...wsnFiles, ...nabFiles]),
      '--window',
      '1h',
      '--format',
      'csv',
    )
    expect(code).toBe(0)
    expectSameResults(resultRows(stdout), [
      ...resultRows(referenceText('nab/ref/nab_tumbling_1h.csv.gz')),
      ...resultRows(referenceText('wsn/ref/wsn_tumbling_1h.csv')),
    ])
  })
})

/** Two sensors: `house/a` with a reading that comes 7 minutes late, and `house/b`. */
function house(): { a: string; b: string } {
  const directory = join(scratchDirectory(), 'house')
  mkdirSync(directory)
  const a = scratchFile(
    'timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:01:00,2\n2020-01-01 00:12:00,4\n2020-01-01 00:03:00,60\n',
    'a.csv',
    directory,
  )
  const b = scratchFile('timestamp,value\n2020-01-01 00:00:30,-5\n2020-01-01 00:04:00,5.5\n', 'b.csv', directory)
  return { a, b }
}

const newYear = Date.UTC(2020, 0, 1)

describe('a replay', () => {
  it('prints final values as CSV, sorted by sensor and time, and nothing else', async () => {
    const { a, b } = house()
    const { code, stdout, stderr } = await runProgram('--input', b, a, '--format', 'csv')
    expect([code, stdout]).toEqual([
      0,
      [
        'sensor,window_start_ms,window_end_ms,count,min,max,mean',
        `house/a,${newYear},${newYear + 300_000},3,1,60,21`,
        `house/a,${newYear + 600_000},${newYear + 900_000},1,4,4,4`,
        `house/b,${newYear},${newYear + 300_000},2,-5,5.5,0.25`,
        '',
      ].join('\n'),
    ])
    expect(stderr).toMatch(
      /^6 readings \(\S+\/s\) of 2 files, 3 windows\.\n0 readings came too late for all of their windows\.\n$/,
    )
  })

  it('loses what comes after the grace period, reports and writes it', async () => {
    const { a, b } = house()
    const lateFile = join(scratchDirectory(), 'late.csv')
    const { stdout, stderr } = await runProgram('--input', a, b, '--grace', '7m', '--late', lateFile, '--format', 'csv')
    expect(stdout.split('\n')[1]).toBe(`house/a,${newYear},${newYear + 300_000},2,1,2,1.5`)
    expect(stderr).toContain('1 readings came too late')
    expect(readFileSync(lateFile, 'utf8')).toBe(`sensor,ts_ms,value\nhouse/a,${newYear + 180_000},60\n`)
  })

  it('counts a reading once that is late for several windows', async () => {
    const { a } = house()
    const { stderr } = await runProgram('--input', a, '--window', '4m', '--hop', '1m', '--grace', '0s')
    expect(stderr).toContain('1 readings came too late')
  })

  it('joins sessions that a reading brings together', async () => {
    const { a } = house()
    const { stdout } = await runProgram('--input', a, '--session', '9m', '--format', 'json')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        sensor: 'house/a',
        first_ts_ms: newYear,
        last_ts_ms: newYear + 720_000,
        count: 4,
        min: 1,
        max: 60,
        mean: 16.75,
      },
    ])
  })

  it('prints a table where nothing else is asked for', async () => {
    const { b } = house()
    const { stdout } = await runProgram('--input', b)
    expect(stdout).toBe(
      'sensor   from                 to                   count  min  max  mean\n' +
        'house/b  2020-01-01 00:00:00  2020-01-01 00:05:00      2   -5  5.5  0.25\n',
    )
  })

  it('has no rows where the files have no readings', async () => {
    const { code, stdout, stderr } = await runProgram('--input', scratchFile('timestamp,value\n'), '--format', 'csv')
    expect([code, stdout]).toEqual([0, 'sensor,window_start_ms,window_end_ms,count,min,max,mean\n'])
    expect(stderr).toContain('0 readings')
  })
})

describe('input that cannot be used', () => {
  async function expectRefused(args: string[], message: string): Promise<void> {
    const { code, stdout, stderr } = await runProgram(...args, '--format', 'csv')
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)])
    expect(stderr.trimEnd()).not.toContain('\n')
  }

  it('stops the program at a malformed line with file, line and reason', async () => {
    const path = scratchFile('timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:01:00,warm\n')
    await expectRefused(['--input', path], `Cannot read "${path}" (line 3): "warm" is not a finite number.`)
  })

  it('is left out, counted and shown on demand', async () => {
    const path = scratchFile(
      'timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:01:00,warm\n2020-01-01 00:02:00,3\n',
    )
    const { code, stdout, stderr } = await runProgram('--input', path, '--on-bad-line', 'skip', '--format', 'csv')
    expect([code, stdout.split('\n')[1]?.split(',').slice(3)]).toEqual([0, ['2', '1', '3', '2']])
    expect(stderr).toContain(`1 line was left out:\n  "${path}" (line 3): "warm" is not a finite number\n`)
  })

  it('is named: missing and empty files, unknown options, a late file that cannot be written', async () => {
    const directory = scratchDirectory()
    const missing = join(directory, 'none.csv')
    await expectRefused(['--input', missing], `Cannot read "${missing}": there is no such file.`)
    await expectRefused(['--input', scratchFile('')], 'is empty')
    await expectRefused(['--inputs', missing], "'--inputs'")
    await expectRefused(
      ['--input', scratchFile('timestamp,value\n'), '--late', join(directory, 'no', 'late.csv')],
      'Cannot write',
    )
  })
})

describe('--help', () => {
  it('tells every option', async () => {
    const { code, stdout } = await runProgram('--help')
    expect(code).toBe(0)
    for (const option of ['input', 'window', 'hop', 'session', 'grace', 'late', 'on-bad-line', 'format', 'cluster']) {
      expect(stdout).toContain(`--${option} `)
    }
  })
})
