/**
 * Whether the user's function can see a second argument, the record's key. Where it cannot, the key need not be decoded.
 * Only plain shapes with one parameter are told apart, by the function's text; every other function counts as reading it.
 */
// biome-ignore lint/complexity/noBannedTypes: any function of the user's, whatever its parameters.
export function readsKey(callback: Function): boolean {
  if (callback.length > 1) return true
  const text = Function.prototype.toString.call(callback)
  const takesOne = onlyParameter.some((shape) => shape.test(text))
  // The text of bound and native functions and of proxies does not show their parameters.
  return !takesOne || text.includes('arguments') || text.includes('[native code]')
}

const onlyParameter = [
  /** `value => ...` and `(value) => ...` */
  /^(?:\(\s*[\w$]*\s*\)|[\w$]+)\s*=>/,
  /** `({ name, other }) => ...`, without defaults, rest or nested patterns. */
  /^\(\s*\{[\w$\s,]*\}\s*\)\s*=>/,
  /** `function name(value) {` and the method `name(value) {`. */
  /^(?:function\s*)?[\w$]*\s*\(\s*[\w$]*\s*\)\s*\{/,
]
