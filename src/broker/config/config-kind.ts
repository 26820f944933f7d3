/**
 * What values Kafka's settings take, and its sentence for one that is not allowed
 * (org.apache.kafka.common.config.ConfigDef.parseType and its validators).
 */
export interface ConfigKind {
  readonly type: ConfigType
  /** What of a value that is of the type is wrong, and why; undefined where nothing. */
  readonly fault?: (value: ConfigValue, name: string) => Fault | undefined
}

export type Fault = readonly [part: string, why: string]

export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

/** A list's elements are in an array; numbers beyond 2^53 are infinite. */
export type ConfigValue = boolean | string | number | readonly string[]

/** How DescribeConfigs numbers the types (org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType). */
export const configTypeIds: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}

/** The largest value of the type, as which it is written that there is no bound. */
const largest: Readonly<Partial<Record<ConfigType, string>>> = { int: '2147483647', long: '9223372036854775807' }

export const boolean: ConfigKind = { type: 'boolean' }

export function int(least?: number, most?: number): ConfigKind {
  return { type: 'int', fault: range(least, most) }
}

export function long(least?: number): ConfigKind {
  return { type: 'long', fault: range(least) }
}

export function double(least: number, most: number): ConfigKind {
  return { type: 'double', fault: range(least, most) }
}

export function oneOf(...allowed: readonly string[]): ConfigKind {
  return { type: 'string', fault: (value) => strangerAmong([String(value)], allowed) }
}

export function listOf(...allowed: readonly string[]): ConfigKind {
  return { type: 'list', fault: (value) => strangerAmong(value as readonly string[], allowed) }
}

/**
 * The value that a text stands for, or what is wrong with it.
 * @param name of the setting, for the sentence
 */
export function parseConfig(
  name: string,
  text: string,
  { type, fault }: ConfigKind,
): { readonly value: ConfigValue } | { readonly problem: string } {
  const value = parse(text.trim(), type)
  if (value === undefined) return { problem: invalid(name, text, notOfType(type)) }
  const found = fault?.(value, name)
  return found === undefined ? { value } : { problem: invalid(name, ...found) }
}

/** The text that stands for a value. */
export function formatConfig(value: ConfigValue, { type }: ConfigKind): string {
  if (value === Number.POSITIVE_INFINITY) return largest[type] as string
  return Array.isArray(value) ? value.join(',') : String(value)
}

function parse(text: string, type: ConfigType): ConfigValue | undefined {
  switch (type) {
    case 'string':
      return text
    case 'boolean': {
      const lower = text.toLowerCase()
      return lower === 'true' ? true : lower === 'false' ? false : undefined
    }
    case 'list':
      return text === '' ? [] : text.split(/\s*,\s*/)
    case 'double':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
    default:
      return parseWhole(text, type === 'int' ? 31n : 63n)
  }
}

function parseWhole(text: string, bits: bigint): number | undefined {
  if (!/^[+-]?\d{1,25}$/.test(text)) return undefined
  const exact = BigInt(text.replace('+', ''))
  if (exact >= 1n << bits || exact < -(1n << bits)) return undefined
  const value = Number(exact)
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value
}

function notOfType(type: ConfigType): string {
  if (type === 'boolean') return 'Expected value to be either true or false'
  return `Not a number of type ${type.toUpperCase()}`
}

function range(least?: number, most?: number) {
  return (value: ConfigValue): Fault | undefined => {
    const number = value as number
    if (least !== undefined && number < least) return [String(value), `Value must be at least ${least}`]
    return most !== undefined && number > most ? [String(value), `Value must be no more than ${most}`] : undefined
  }
}

function strangerAmong(values: readonly string[], allowed: readonly string[]): Fault | undefined {
  const stranger = values.find((value) => !allowed.includes(value))
  return stranger === undefined ? undefined : [stranger, `String must be one of: ${allowed.join(', ')}`]
}

function invalid(name: string, text: string, why: string): string {
  return `Invalid value ${text} for configuration ${name}: ${why}`
}
