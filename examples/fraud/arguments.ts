import { parseArgs } from 'node:util'
import { InputError } from './input-error.ts'
import type { LiveOptions } from './live.ts'
import type { ReplayOptions } from './replay.ts'

export type Options =
  | { readonly command: 'help' }
  | ({ readonly command: 'live' } & LiveOptions)
  | ({ readonly command: 'replay' } & ReplayOptions)

export const helpText = `Card payments held against rules as they come: alarms, and how good they were.

  npm run fraud                               made-up payments, live, until Ctrl-C
  npm run fraud -- --input FILE [options]     a file of payments (CSV as the Sparkov generator writes it, also .gz)

Live:
  --rate 20            payments a second
  --seed 1             other seeds make other payments
  --cluster memory: | embedded:DIR
                       where everything is kept (default memory:)
Of a file:
  --only alerts | calls
                       all alarms, or of each rule and card one an hour at most (default alerts)
  --format table | csv
                       how good each rule was, or the alarms themselves (default table)
  --help

Exit codes: 0 done, 1 the cluster failed, 2 something given cannot be used.
`

/** @throws InputError where an option is not known or its value is not allowed */
export function parseArguments(args: readonly string[]): Options {
  const values = parse(args)
  if (values.help === true) return { command: 'help' }
  if (values.input !== undefined) {
    requireNone(values, ['rate', 'seed', 'cluster'], 'are for made-up payments')
    return {
      command: 'replay',
      file: values.input,
      only: oneOf(['alerts', 'calls'], values.only ?? 'alerts', 'only'),
      format: oneOf(['table', 'csv'], values.format ?? 'table', 'format'),
    }
  }
  requireNone(values, ['only', 'format'], 'need a file: --input FILE')
  return {
    command: 'live',
    cluster: values.cluster ?? 'memory:',
    paymentsPerSecond: wholeNumber(values.rate ?? '20', 'rate', 1, 100_000),
    seed: wholeNumber(values.seed ?? '1', 'seed', 0, 2 ** 31 - 1),
  }
}

type Values = ReturnType<typeof parse>

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { input: text, only: text, format: text, rate: text, seed: text, cluster: text }
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new InputError(`${message.split(/\.\s|\n/)[0]}. See --help.`)
  }
}

function requireNone(values: Values, names: readonly (keyof Values)[], why: string): void {
  const given = names.find((name) => values[name] !== undefined)
  if (given !== undefined) throw new InputError(`--${names.join(', --')} ${why}. See --help.`)
}

function oneOf<const T extends string>(allowed: readonly T[], given: string, name: string): T {
  const found = allowed.find((one) => one === given)
  if (found !== undefined) return found
  throw new InputError(`--${name} is ${allowed.join(' or ')}, not ${JSON.stringify(given)}.`)
}

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const number = Number(text)
  if (text !== '' && Number.isInteger(number) && number >= least && number <= most) return number
  throw new InputError(`--${name} is a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`)
}
