import { describe, expect, it } from 'vitest'
import { parseArguments } from '../arguments.ts'
import { InputError } from '../input-error.ts'

function refusal(...args: string[]): string {
  try {
    parseArguments(args)
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    return (error as InputError).message
  }
  throw new Error(`taken: ${args.join(' ')}`)
}

describe('parseArguments', () => {
  it('means this machine where there are no data files', () => {
    expect(parseArguments([])).toEqual({ command: 'live', format: 'table', cluster: 'embedded:.millrace/iot' })
    expect(parseArguments(['--cluster', 'memory:', '--format', 'csv'])).toEqual({
      command: 'live',
      format: 'csv',
      cluster: 'memory:',
    })
  })

  it('takes all the names that a shell makes of a pattern after --input, wherever options stand', () => {
    const options = parseArguments(['--input', 'b.csv', 'a.csv', 'c.csv', '--window', '1h', '--input', 'd.csv'])
    expect(options).toMatchObject({ command: 'replay', windows: { kind: 'time', sizeMs: 3_600_000, hopMs: 3_600_000 } })
    expect(options.command === 'replay' && options.files.toSorted()).toEqual(['a.csv', 'b.csv', 'c.csv', 'd.csv'])
  })

  it('has defaults for data files', () => {
    expect(parseArguments(['--input', 'a.csv'])).toEqual({
      command: 'replay',
      files: ['a.csv'],
      windows: { kind: 'time', sizeMs: 300_000, hopMs: 300_000 },
      graceMs: 86_400_000,
      format: 'table',
      cluster: 'memory:',
      lateFile: undefined,
      onBadLine: 'fail',
    })
  })

  it('takes windows, hops, sessions, grace and the rest', () => {
    const args = '--input a --window 1h --hop 15m --grace 0s --late late.csv --on-bad-line skip --cluster embedded:./d'
    expect(parseArguments(args.split(' '))).toMatchObject({
      windows: { kind: 'time', sizeMs: 3_600_000, hopMs: 900_000 },
      graceMs: 0,
      lateFile: 'late.csv',
      onBadLine: 'skip',
      cluster: 'embedded:./d',
    })
    expect(parseArguments(['--input', 'a', '--session', '1801s'])).toMatchObject({
      windows: { kind: 'session', gapMs: 1_801_000 },
    })
  })

  it('shows help before it minds anything else', () => {
    expect(parseArguments(['--help', '--window', 'x'])).toEqual({ command: 'help' })
    expect(parseArguments(['-h'])).toEqual({ command: 'help' })
  })

  it.each([
    [['--frobnicate'], '--frobnicate'],
    [['--input'], '--input'],
    [['--input', 'a', '--window', '5 minutes'], '--window "5 minutes" is not a duration'],
    [['--input', 'a', '--window', '-5m'], '--window'],
    [['--input', 'a', '--window', '0s'], 'longer than nothing'],
    [['--input', 'a', '--session', '0ms'], 'longer than nothing'],
    [['--input', 'a', '--grace', '0.5ms'], '--grace'],
    [['--input', 'a', '--hop', '10m'], '--hop 10m is longer than --window 5m'],
    [['--input', 'a', '--session', '5m', '--window', '5m'], 'exclude each other'],
    [['--input', 'a', '--session', '5m', '--hop', '5m'], 'exclude each other'],
    [['--input', 'a', '--format', 'xml'], 'table or csv or json'],
    [['--input', 'a', '--on-bad-line', 'ignore'], 'fail or skip'],
    [['--input', 'a', '--cluster', 'kafka'], 'memory: or embedded:DIRECTORY'],
    [['--cluster', 'embedded:'], 'memory: or embedded:DIRECTORY'],
    [['--input', 'a', './a'], 'given twice'],
    [['--input', 'a', '--late', 'x/../a'], 'overwrite a data file'],
    [['--window', '5m'], '--window needs data files'],
    [['--late', 'x'], '--late needs data files'],
    [['--input', ''], "a file's name"],
  ])('refuses %j', (args, message) => {
    expect(refusal(...args)).toContain(message)
    expect(refusal(...args)).not.toContain('\n')
  })
})
