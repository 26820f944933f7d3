import { MillraceError } from '../../errors.ts'

/** Names of topics as Kafka's scripts take them: a regular expression for the whole name, where a comma is "or" (its IncludeList). */
export function topicPattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text.replaceAll(' ', '').replaceAll(',', '|')})$`)
  } catch (cause) {
    throw new MillraceError('INVALID_ARGUMENT', `'${text}' is not a regular expression`, { cause })
  }
}
