import { RE2JS } from 're2js'

const longestPattern = 1_024
/** Steps of the compiled pattern: each may be taken for each character of a name. An ordinary pattern has some dozens. */
const mostSteps = 500

/**
 * A pattern that a client has sent, in RE2's syntax. Looking at a name takes time in proportion to the name and to the steps
 * of the pattern, and both are bounded: `a{1,1000}` written thirty times is a short text, and seconds for a name.
 */
export function compileClientPattern(text: string): RE2JS | undefined {
  if (text.length > longestPattern) return undefined
  try {
    const pattern = RE2JS.compile(text)
    return pattern.programSize() <= mostSteps ? pattern : undefined
  } catch {
    // Whoever sent it is told so.
    return undefined
  }
}
