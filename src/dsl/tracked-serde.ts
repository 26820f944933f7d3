import { requireSerdeShape } from '../arguments.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { sessionWindowedSerde, timeWindowedSerde } from '../serde/windowed-serde.ts'
import type { WindowShape } from './window-shape.ts'

/**
 * What is known of the serde for a stream's keys or values: serdes follow the data from the topic it came from, until an
 * operator makes new keys or values.
 */
export interface TrackedSerde {
  readonly serde: Serde<unknown> | undefined
  /** The operator that made the keys or values, for error messages. */
  readonly madeBy: string
}

/** The serde given where bytes are needed, or else the one that followed the data. */
export function givenOrTracked(given: Serde<unknown> | undefined, tracked: TrackedSerde): TrackedSerde {
  if (given === undefined) return tracked
  requireSerdeShape('The operator', given)
  return { serde: given, madeBy: tracked.madeBy }
}

/**
 * The serde, for an operator that writes bytes.
 * @throws MillraceError SERDE_REQUIRED where none is known; `option` says how to give it.
 */
export function requireSerde(
  tracked: TrackedSerde,
  need: {
    readonly part: 'key' | 'value'
    readonly operator: string
    readonly purpose: string
    readonly option: string
  },
): Serde<unknown> {
  if (tracked.serde !== undefined) return tracked.serde
  throw new MillraceError(
    'SERDE_REQUIRED',
    `No serde is known for the ${need.part}s that '${tracked.madeBy}' makes, but ${need.purpose} needs one`,
    { at: { operator: need.operator }, remedy: `Give it in ${need.option}.` },
  )
}

/** The serde of the keys as the table hands them on: in their windows, where it has some. */
export function rowKey({
  key,
  shape,
}: {
  readonly key: TrackedSerde
  readonly shape: WindowShape | undefined
}): TrackedSerde {
  const { serde, madeBy } = key
  if (shape === undefined || serde === undefined) return key
  if (shape.kind === 'session') return { serde: sessionWindowedSerde(serde), madeBy }
  const size = shape.sizeMs === Number.POSITIVE_INFINITY ? {} : { size: shape.sizeMs }
  return { serde: timeWindowedSerde(serde, size), madeBy }
}
