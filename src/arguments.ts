import { MillraceError } from './errors.ts'

/**
 * What plain JavaScript, or a cast, can hand over where types say otherwise. It is refused where it is handed over, in one form of
 * words, because what would come of it later says nothing of where the mistake is. All checks throw MillraceError INVALID_ARGUMENT.
 */

/** How a message shows what was given: what it is, not what is in it. */
function shown(given: unknown): string {
  if (given === undefined || given === null) return String(given)
  if (typeof given === 'string') return `'${given.slice(0, 100)}'`
  if (typeof given !== 'object')
    return typeof given === 'function' ? 'a function' : `the ${typeof given} ${String(given)}`
  return given instanceof Promise ? 'a promise' : 'an object'
}

/** What a call is refused with; for checks that need to know more than is known here. */
export function refusal(call: string, needed: string, given: unknown, remedy: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `${call} needs ${needed}, and is given ${shown(given)}`, { remedy })
}

/** The user's functions by the names of their parameters. The types that they were checked with end here. */
export function functionsOf<F>(method: string, given: { readonly [Name in keyof F]: unknown }): F {
  for (const [name, each] of Object.entries(given)) functionOf(method, name, each)
  return given as F
}

/** The user's function. The types that it was checked with end here. */
export function functionOf<F>(method: string, parameter: string, given: unknown): F {
  if (typeof given === 'function') return given as F
  throw refusal(`${method}(...)`, `a function as its ${parameter}`, given, 'Give the function itself.')
}

/** @param example the least that they must say */
export function requireOptions(call: string, given: unknown, example: string): void {
  if (typeof given === 'object' && given !== null) return
  throw refusal(call, 'options', given, `Give at least ${example}.`)
}

/** @param place how the user gives it, as `topic('words', { key })` */
export function requireSerdeShape(place: string, given: unknown): void {
  if (typeof given === 'object' && given !== null && 'read' in given && 'write' in given) return
  const remedy =
    typeof given === 'function'
      ? 'Call it: serde.json().'
      : 'Give one, as serde.string or serde.json(), or your own by serde.of.'
  throw refusal(place, 'a serde', given, remedy)
}

/** The serdes of what is in a topic or store. */
export function requireFormat(call: string, given: { readonly key: unknown; readonly value: unknown }): void {
  requireOptions(call, given, 'the serdes: { key: serde.string, value: serde.json() }')
  requireSerdeShape(`The key of ${call}`, given.key)
  requireSerdeShape(`The value of ${call}`, given.value)
}

/** One of the words that an option may be. */
export function requireWord(option: string, given: unknown, words: readonly string[]): void {
  if (words.includes(given as string)) return
  throw new MillraceError('INVALID_ARGUMENT', `${option} cannot be ${shown(given)}`, {
    remedy: `Use '${words.join("' or '")}'.`,
  })
}

/** A topic, or all whose names match a pattern. */
export function requireTopic(method: string, given: unknown): void {
  if (typeof given === 'object' && given !== null && ('name' in given || 'pattern' in given)) return
  const remedy = "Declare the topic with its serdes: topic('name', { key, value })."
  throw refusal(`${method}(...)`, 'a topic', given, remedy)
}

/** A topic, several, or all whose names match a pattern. */
export function requireTopics(method: string, given: unknown): void {
  for (const each of Array.isArray(given) ? given : [given]) requireTopic(method, each)
}

/** The supplier of an operator's processors, or of its transformers. */
export function requireMaker(operator: string, given: unknown, method: string): void {
  if (typeof given === 'function') return
  const remedy = `Give one: () => ({ ${method}() {} }).`
  throw refusal(`The processor '${operator}'`, 'a function that makes it', given, remedy)
}

/** What such a supplier made. */
export function requireMade(operator: string, given: unknown, method: string): void {
  const made = given as { readonly [name: string]: unknown } | null | undefined
  if (typeof made?.[method] === 'function') return
  const needed = `to return an object with ${method}()`
  throw refusal(`The supplier of '${operator}'`, needed, given, 'Return a new one at each call.')
}

/** What `build()` of a builder returns. */
export function requireTopology(given: unknown): void {
  if (typeof given === 'object' && given !== null && 'subTopologies' in given) return
  const isBuilder = typeof given === 'object' && given !== null && 'build' in given
  throw new MillraceError('INVALID_ARGUMENT', isBuilder ? 'This is a builder, not a topology' : 'This is no topology', {
    remedy: isBuilder ? 'Hand over what its build() returns.' : 'Hand over what build() of a StreamsBuilder returns.',
  })
}
