import { MillraceError, type Place } from '../../errors.ts'

/**
 * A part of a segment that was on the device, whole, and is not right any more. Nothing of it is changed, cut or served; the
 * log goes on behind it where it is certain where that is.
 */
export interface DamagedRange {
  readonly path: string
  /** Bytes of the file; none where records are missing altogether. */
  readonly position: number
  readonly endPosition: number
  /** The first offset that is lost, and the first one behind those. */
  readonly offset: number
  readonly nextOffset: number
  readonly fault: string
  /** Whether `nextOffset` is sure: where it is not, the log has no certain end and takes no appends. */
  readonly isEndKnown: boolean
}

/** The error of a read that comes to a damaged range. */
export function quarantined(range: DamagedRange, place: Place): MillraceError {
  const { offset, nextOffset, path, position, endPosition, fault, isEndKnown } = range
  const offsets = `offsets ${offset} to ${nextOffset - 1}`
  const bytes = endPosition > position ? `, bytes ${position} to ${endPosition - 1} of the file` : ''
  return new MillraceError('CORRUPT_BATCH', `The log is damaged and quarantined at ${offsets}${bytes}: ${fault}`, {
    at: { ...place, offset, path },
    remedy: isEndKnown
      ? `The file was left as it is: put back a copy of it, or read on from offset ${nextOffset}.`
      : 'The file was left as it is: put back a copy of it. Until then what is before the damage can be read.',
  })
}

/** The error of an append to a log whose end is not certain. */
export function withoutEnd(range: DamagedRange, place: Place): MillraceError {
  const { offset, path, fault } = range
  return new MillraceError('CORRUPT_BATCH', `The log takes no appends: it is damaged where it ends: ${fault}`, {
    at: { ...place, offset, path },
    remedy: 'Put back a copy of the file, or write to another topic.',
  })
}
