/**
 * Whether a user's function can see the argument at an index: 1 is the second. Where it cannot, nothing need be decoded for
 * it. Only functions whose text shows plain parameters are told apart, without defaults, rest, nested patterns or
 * `arguments`; every other counts as seeing all.
 */
// biome-ignore lint/complexity/noBannedTypes: any function of the user's, whatever its parameters.
export function takesParameter(callback: Function, index: number): boolean {
  if (callback.length > index) return true
  const text = Function.prototype.toString.call(callback)
  const showsAll = plainParameters.some((shape) => shape.test(text))
  // The text of bound and native functions and of proxies does not show their parameters.
  return !showsAll || text.includes('arguments') || text.includes('[native code]')
}

/** Names and flat `{ name, other }` patterns, with commas between. */
const plainParameters: readonly RegExp[] = [
  /** `value => ...` */
  /^[\w$]+\s*=>/,
  /** `(aggregate, { value }) => ...` */
  /^\((?:[\w$\s,]|\{[\w$\s,]*\})*\)\s*=>/,
  /** `function name(aggregate, value) {` and the method `name(aggregate, value) {` */
  /^(?:function\s*)?[\w$]*\s*\((?:[\w$\s,]|\{[\w$\s,]*\})*\)\s*\{/,
]
