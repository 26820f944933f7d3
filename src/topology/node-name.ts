import { MillraceError } from '../errors.ts'

/**
 * Kafka Streams' rule for names of operators and stores (its `Named`): they become parts of topic names.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function requireNodeName(name: string, what: 'operator' | 'store'): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw new MillraceError(
    'INVALID_ARGUMENT',
    `'${name}' cannot be the name of ${what === 'store' ? 'a' : 'an'} ${what}`,
    {
      remedy: "Use 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'.",
    },
  )
}
