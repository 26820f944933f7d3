import { MillraceError } from '../../errors.ts'

/** What reading a message throws where it is not one; the connection that it came from cannot be read any further. */
export function malformed(what: string): MillraceError {
  return new MillraceError('MALFORMED_MESSAGE', `A message of Kafka's protocol cannot be read: ${what}`)
}
