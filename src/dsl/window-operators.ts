import { refusal } from '../arguments.ts'
import type { AggregateFunctions, SessionAggregateFunctions } from './aggregate-functions.ts'
import type { Aggregation } from './aggregation.ts'
import { sessionAggregate } from './operators/session-aggregate.ts'
import { slidingAggregate } from './operators/sliding-aggregate.ts'
import { windowAggregate } from './operators/window-aggregate.ts'
import { SlidingWindows } from './sliding-windows.ts'
import { UnlimitedWindows } from './unlimited-windows.ts'
import { sessionWindowShape, slidingWindowShape, timeWindowShape } from './window-shape.ts'
import { SessionWindows, TimeWindows } from './windows.ts'

/** Windows whose bounds follow from the times of records, each record for itself. */
export type RecordWindows = TimeWindows | SlidingWindows | UnlimitedWindows

/** How results of windows are kept, and the operator that makes them. */
export type InWindows<F extends AggregateFunctions> = Pick<Aggregation<F>, 'create'> & {
  readonly shape: NonNullable<Aggregation<F>['shape']>
}

/** @throws MillraceError INVALID_ARGUMENT where plain JavaScript hands over something else, as the size alone */
export function requireWindows(given: unknown): void {
  if (given instanceof TimeWindows || given instanceof SlidingWindows) return
  if (given instanceof SessionWindows || given instanceof UnlimitedWindows) return
  const example = "windows: TimeWindows.of('1m'), SlidingWindows.of('1m') or SessionWindows.of('5m')"
  throw refusal('windowedBy(...)', 'windows', given, `Give ${example}.`)
}

export function inRecordWindows(windows: RecordWindows): InWindows<AggregateFunctions> {
  if (windows instanceof SlidingWindows) {
    return {
      shape: slidingWindowShape(windows),
      create: ({ functions, ...parts }) => slidingAggregate({ ...parts, ...functions, windows }),
    }
  }
  return {
    shape: timeWindowShape(windows),
    create: ({ functions, ...parts }) => windowAggregate({ ...parts, ...functions, windows, skipsNullValues: false }),
  }
}

export function inSessions(windows: SessionWindows): InWindows<SessionAggregateFunctions> {
  return {
    shape: sessionWindowShape(windows),
    create: ({ functions, ...parts }) => sessionAggregate({ ...parts, ...functions, windows, skipsNullValues: false }),
  }
}
