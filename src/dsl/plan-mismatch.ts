import { MillraceError } from '../errors.ts'

/** Streams and tables can be put together only where they are parts of the same plan. */
export function ofAnotherBuilder(what: 'merged' | 'joined' | 'cogrouped', operator: string): MillraceError {
  return new MillraceError('INVALID_TOPOLOGY', `Only what begins with the same StreamsBuilder can be ${what}`, {
    at: { operator },
    remedy: 'Begin both with the same builder.',
  })
}
