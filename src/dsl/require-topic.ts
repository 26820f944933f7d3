import { MillraceError } from '../errors.ts'

/**
 * What plain JavaScript can hand over in place of a topic: nothing, or its name alone.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function requireTopic(given: unknown, method: string): void {
  if (typeof given === 'object' && given !== null) return
  const what =
    typeof given === 'string' ? `${method}('${given}') is given a name` : `${method}(${given}) is given no topic`
  throw new MillraceError('INVALID_ARGUMENT', what, {
    remedy: "Declare the topic with its serdes: topic('name', { key, value }).",
  })
}
