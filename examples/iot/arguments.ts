import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Duration, MillraceError, toMilliseconds } from 'millrace'
import { InputError, quoted } from './input-error.ts'

export type Format = 'table' | 'csv' | 'json'

export type Windows =
  | { readonly kind: 'time'; readonly sizeMs: number; readonly hopMs: number }
  | { readonly kind: 'session'; readonly gapMs: number }

export interface ReplayOptions {
  readonly command: 'replay'
  readonly files: readonly string[]
  readonly windows: Windows
  readonly graceMs: number
  readonly format: Format
  readonly cluster: string
  /** Where late records are written; undefined: they are only counted. */
  readonly lateFile: string | undefined
  readonly onBadLine: 'fail' | 'skip'
}

export interface LiveOptions {
  readonly command: 'live'
  readonly format: Format
  readonly cluster: string
}

export type Options = ReplayOptions | LiveOptions | { readonly command: 'help' }

export const helpText = `Readings of sensors, summed up in windows of time: count, least, greatest and mean of each sensor.

  npm start                                  this machine, live, until Ctrl-C
  npm start -- --input FILE...  [options]    data files, to their end; prints every window's final values

Of data files (CSV with the header 'timestamp,value', or readings of a wireless sensor network):
  --window 5m        length of a window (default 5m)
  --hop 15m          a window begins every hop (default: the length of the window)
  --session 30m      sessions instead: a sensor's readings with no gap longer than this
  --grace 1d         how long after its end a window still takes readings that come late (default 1d)
  --late FILE        write the readings that came later than that, as CSV
  --on-bad-line fail | skip
                     what a line that cannot be read does (default fail: the program stops)

Of both:
  --format table | csv | json
  --cluster memory: | embedded:DIR
                     where everything is kept. Default: embedded:.millrace/iot live, memory: for files.
                     With a directory, a run that was broken off goes on where it was.
  --help

Exit codes: 0 done, 1 the cluster failed, 2 something given cannot be used. MILLRACE_DEBUG=1 shows stacks.
`

const optionTypes = {
  input: { type: 'string', multiple: true },
  window: { type: 'string' },
  hop: { type: 'string' },
  session: { type: 'string' },
  grace: { type: 'string' },
  late: { type: 'string' },
  'on-bad-line': { type: 'string' },
  format: { type: 'string' },
  cluster: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const replayOnly = ['window', 'hop', 'session', 'grace', 'late', 'on-bad-line'] as const

type Values = ReturnType<typeof parse>['values']

/** @throws InputError where an option is not known or its value is not allowed. */
export function parseArguments(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  if (values.help === true) return { command: 'help' }
  const files = [...(values.input ?? []), ...positionals]
  if (files.length > 0) return replayOptions(values, files)

  const unfit = replayOnly.find((name) => values[name] !== undefined)
  if (unfit !== undefined) throw new InputError(`--${unfit} needs data files: give them with --input FILE...`)
  return { command: 'live', format: formatOf(values), cluster: clusterOf(values, 'embedded:.millrace/iot') }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: optionTypes, allowPositionals: true })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new InputError(`${message.split(/\.\s|\n/)[0]}. See --help.`)
  }
}

function replayOptions(values: Values, files: readonly string[]): ReplayOptions {
  requireFiles(files, values.late)
  return {
    command: 'replay',
    files,
    windows: windowsOf(values),
    graceMs: duration(values.grace ?? '1d', 'grace'),
    format: formatOf(values),
    cluster: clusterOf(values, 'memory:'),
    lateFile: values.late,
    onBadLine: oneOf(['fail', 'skip'], values['on-bad-line'] ?? 'fail', 'on-bad-line'),
  }
}

function requireFiles(files: readonly string[], lateFile: string | undefined): void {
  const seen = new Set<string>()
  for (const file of files) {
    if (file === '') throw new InputError("--input needs a file's name. See --help.")
    const path = resolve(file)
    if (seen.has(path)) throw new InputError(`${quoted(file)} is given twice: its readings would count twice.`)
    seen.add(path)
  }
  if (lateFile === undefined) return
  if (lateFile === '') throw new InputError("--late needs a file's name. See --help.")
  if (seen.has(resolve(lateFile))) throw new InputError(`--late ${quoted(lateFile)} would overwrite a data file.`)
}

function windowsOf(values: Values): Windows {
  if (values.session !== undefined) {
    const other = (['window', 'hop'] as const).find((name) => values[name] !== undefined)
    if (other !== undefined) throw new InputError(`--session and --${other} exclude each other.`)
    return { kind: 'session', gapMs: positiveDuration(values.session, 'session') }
  }
  const sizeMs = positiveDuration(values.window ?? '5m', 'window')
  const hopMs = values.hop === undefined ? sizeMs : positiveDuration(values.hop, 'hop')
  if (hopMs <= sizeMs) return { kind: 'time', sizeMs, hopMs }
  throw new InputError(
    `--hop ${values.hop} is longer than --window ${values.window ?? '5m'}: readings between would be lost.`,
  )
}

function positiveDuration(text: string, option: string): number {
  const ms = duration(text, option)
  if (ms > 0) return ms
  throw new InputError(`--${option} ${text} must be longer than nothing.`)
}

function duration(text: string, option: string): number {
  try {
    // toMilliseconds looks at the text; the type is for those who write durations in a program.
    return toMilliseconds(text as Duration)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    throw new InputError(
      `--${option} ${quoted(text)} is not a duration. Write a number with its unit: 250ms, 30s, 5m, 1.5h, 7d.`,
    )
  }
}

function formatOf(values: Values): Format {
  return oneOf(['table', 'csv', 'json'], values.format ?? 'table', 'format')
}

function clusterOf(values: Values, otherwise: string): string {
  const address = values.cluster ?? otherwise
  if (address === 'memory:' || /^embedded:./.test(address)) return address
  throw new InputError(`--cluster ${quoted(address)} is no cluster that is known: give memory: or embedded:DIRECTORY.`)
}

function oneOf<T extends string>(allowed: readonly T[], given: string, option: string): T {
  const found = allowed.find((value) => value === given)
  if (found !== undefined) return found
  throw new InputError(`--${option} ${quoted(given)} must be ${allowed.join(' or ')}.`)
}
