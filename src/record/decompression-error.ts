import { MillraceError, messageOf } from '../errors.ts'

/** What a codec throws where bytes are none that it could have written; the batch adds where they are. */
export function damagedData(codec: string, reason: string): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `The records are no valid ${codec} data: ${reason}`)
}

/** The same for what a library threw. */
export function undecodable(codec: string, error: unknown): MillraceError {
  return new MillraceError('CORRUPT_BATCH', `The records are no valid ${codec} data: ${messageOf(error)}`, {
    cause: error,
  })
}

/** What a codec throws, before it has taken the memory, where bytes would decompress to more than is allowed. */
export function decompressesToTooMuch(codec: string, maxBytes: number): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `The batch's ${codec} data decompresses to more than ${maxBytes} bytes`,
    {
      remedy: 'If the batch is not an attack, let its producer write smaller batches.',
    },
  )
}
