import type { Serde } from 'millrace'

/**
 * Count, least, greatest and sum of some readings. The sum is carried in two parts (Neumaier's form of compensated
 * summation), so that a mean over millions of readings is as exact as one over ten.
 */
export interface Stats {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly sum: number
  readonly compensation: number
}

export function emptyStats(): Stats {
  return { count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, compensation: 0 }
}

export function addValue(stats: Stats, value: number): Stats {
  const sum = stats.sum + value
  return {
    count: stats.count + 1,
    min: Math.min(stats.min, value),
    max: Math.max(stats.max, value),
    sum,
    compensation: stats.compensation + lost(stats.sum, value, sum),
  }
}

export function mergeStats(a: Stats, b: Stats): Stats {
  const sum = a.sum + b.sum
  return {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum,
    compensation: a.compensation + b.compensation + lost(a.sum, b.sum, sum),
  }
}

export function meanOf(stats: Stats): number {
  return (stats.sum + stats.compensation) / stats.count
}

/** What rounding took from `a + b`. */
function lost(a: number, b: number, sum: number): number {
  return Math.abs(a) >= Math.abs(b) ? a - sum + b : b - sum + a
}

const statsBytes = 40

/** Five 64-bit floats. */
export const statsSerde: Serde<Stats> = {
  name: 'stats',
  write(stats, out) {
    out.writeFloat64(stats.count)
    out.writeFloat64(stats.min)
    out.writeFloat64(stats.max)
    out.writeFloat64(stats.sum)
    out.writeFloat64(stats.compensation)
  },
  read(bytes, start, end) {
    if (end - start !== statsBytes) throw new Error(`stats have ${statsBytes} bytes, not ${end - start}`)
    return {
      count: bytes.readDoubleBE(start),
      min: bytes.readDoubleBE(start + 8),
      max: bytes.readDoubleBE(start + 16),
      sum: bytes.readDoubleBE(start + 24),
      compensation: bytes.readDoubleBE(start + 32),
    }
  },
}
