import type { Admin } from 'kafkajs'
import type { Clock } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { invalid, wholeNumber } from './client-options.ts'

/** How kafka-consumer-groups.sh says where a group goes on. */
export interface ResetOptions {
  readonly toEarliest?: true
  readonly toLatest?: true
  readonly toCurrent?: true
  readonly toOffset?: string
  readonly shiftBy?: string
  readonly byDuration?: string
  readonly toDatetime?: string
}

export interface PartitionRange {
  readonly partition: number
  readonly low: number
  readonly high: number
  /** -1 where the group has committed none. */
  readonly committed: number
}

/** The offset of each partition of one topic, still to be kept between the ends of its log. */
type Target = (admin: Admin, topic: string, ranges: readonly PartitionRange[]) => Promise<number[]>

/** @throws MillraceError INVALID_ARGUMENT where not exactly one place is named, or it cannot be read */
export function resetTarget(options: ResetOptions, clock: Clock): Target {
  const targets: Target[] = []
  const each = (of: (range: PartitionRange, topic: string) => number): void => {
    targets.push(async (_, topic, ranges) => ranges.map((range) => of(range, topic)))
  }
  if (options.toEarliest) each(({ low }) => low)
  if (options.toLatest) each(({ high }) => high)
  if (options.toCurrent) each(({ committed, high }) => (committed < 0 ? high : committed))
  if (options.toOffset !== undefined) {
    const offset = wholeNumber('--to-offset', options.toOffset)
    each(() => offset)
  }
  if (options.shiftBy !== undefined) {
    const by = wholeNumber('--shift-by', options.shiftBy, Number.MIN_SAFE_INTEGER)
    each(({ committed, partition }, topic) => shifted(committed, by, topic, partition))
  }
  if (options.byDuration !== undefined) targets.push(atTime(clock.wallMs() - durationMs(options.byDuration)))
  if (options.toDatetime !== undefined) targets.push(atTime(dateMs(options.toDatetime)))
  if (targets.length !== 1) {
    const all = '--to-earliest, --to-latest, --to-current, --to-offset, --shift-by, --by-duration and --to-datetime'
    throw invalid(`${targets.length === 0 ? 'No place' : 'More than one place'} is named`, `Say one of ${all}.`)
  }
  const [target] = targets as [Target]
  return async (admin, topic, ranges) =>
    (await target(admin, topic, ranges)).map((offset, i) => {
      const { low, high } = ranges[i] as PartitionRange
      return Math.min(Math.max(offset, low), high)
    })
}

function shifted(committed: number, by: number, topic: string, partition: number): number {
  if (committed >= 0) return committed + by
  throw new MillraceError('OFFSET_OUT_OF_RANGE', 'The group has committed no offset to shift', {
    at: { topic, partition },
    remedy: 'Say --to-earliest, --to-latest or --to-offset.',
  })
}

/** The first record from that time on, or the end. */
function atTime(timestamp: number): Target {
  return async (admin, topic, ranges) => {
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp)
    return ranges.map(({ partition, high }) => {
      const offset = Number(found.find((one) => one.partition === partition)?.offset ?? -1)
      return offset < 0 ? high : offset
    })
  }
}

/** `P1DT2H3M4.5S` */
function durationMs(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (parts === null || text.endsWith('P') || text.endsWith('T'))
    throw invalid(`'${text}' is not a duration`, 'Write it as P1DT2H3M4S.')
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
}

/** `2026-01-31T12:00:00.000`, in UTC unless it says a zone. */
function dateMs(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?$/.test(text)
  const time = isDate ? Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`) : Number.NaN
  if (Number.isNaN(time)) throw invalid(`'${text}' is not a time`, 'Write it as 2026-01-31T12:00:00.000.')
  return time
}
