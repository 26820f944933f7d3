import type { TimeOptions } from './aggregate-fixtures.ts'
import type { Input } from './operator-run.ts'

/** Windowed counts as their definition says, looking at all records and all windows each time: the outputs of each record. */
export function windowedCountOracle(inputs: readonly Input[], { size, advance = size, grace = 0 }: TimeOptions) {
  const late: number[] = []
  const lateForSome: number[] = []
  let observed = -1
  const counted: { key: string; start: number; timestamp: number }[] = []
  const outputs = inputs.map(({ key, timestamp }, index) => {
    observed = Math.max(observed, timestamp)
    const results: string[] = []
    let isLate = false
    for (let start = 0; start <= timestamp; start += advance) {
      if (start + size <= timestamp) continue
      if (start + size <= observed - grace) {
        isLate = true
        continue
      }
      counted.push({ key: key as string, start, timestamp })
      const same = counted.filter((each) => each.key === key && each.start === start)
      const latest = Math.max(...same.map((each) => each.timestamp))
      results.push(`(${key}@[${start},${start + size}], ${same.length}, ts=${latest})`)
    }
    if (isLate) (results.length === 0 ? late : lateForSome).push(index)
    return results
  })
  return { outputs, late, lateForSome }
}

/**
 * The final results of sliding windows that take all records, by their definition: for each record of a key the window that
 * ends with it, or the one from 0 on where that would begin before it, and the one behind it where records fall into it.
 */
export function slidingOracle(inputs: readonly Input[], difference: number): Map<string, string> {
  const results = new Map<string, string>()
  const taken = inputs.filter(({ value }) => value !== null)
  for (const { key, timestamp } of taken) {
    for (const start of [Math.max(0, timestamp - difference), timestamp + 1]) {
      const end = start + difference
      const held = taken.filter((each) => each.key === key && each.timestamp >= start && each.timestamp <= end)
      if (held.length === 0) continue
      const values = held.map(({ value }) => value).toSorted()
      const latest = Math.max(...held.map((each) => each.timestamp))
      results.set(`${key}@[${start},${end}]`, `${values.join('')}, ts=${latest}`)
    }
  }
  return results
}

/**
 * Sessions as a plain list that is searched whole each time: the outputs of each record. One that ends more than gap and
 * grace before the latest end is gone: no record that could join it is in time.
 */
export function sessionCountOracle(inputs: readonly Input[], { gap, grace = 0 }: { gap: number; grace?: number }) {
  let sessions: { key: string; start: number; end: number; count: number }[] = []
  const late: number[] = []
  let observed = -1
  let latestEnd = -1
  const outputs = inputs.map(({ key, timestamp }, index) => {
    observed = Math.max(observed, timestamp)
    const closed = observed - gap - grace
    sessions = sessions.filter((session) => session.end >= latestEnd - gap - grace)
    const joined = sessions
      .filter((each) => each.key === key && each.end >= timestamp - gap && each.start <= timestamp + gap)
      .sort((a, b) => a.end - b.end)
    const start = Math.min(timestamp, ...joined.map((session) => session.start))
    const end = Math.max(timestamp, ...joined.map((session) => session.end))
    if (end < closed) {
      late.push(index)
      return []
    }
    latestEnd = Math.max(latestEnd, end)
    const count = joined.reduce((sum, session) => sum + session.count, 1)
    sessions = sessions.filter((session) => !joined.includes(session))
    sessions.push({ key: key as string, start, end, count })
    const isReplaced = start === end
    const deletions = isReplaced
      ? []
      : joined.map((each) => `(${key}@[${each.start},${each.end}], null, ts=${each.end})`)
    return [...deletions, `(${key}@[${start},${end}], ${count}, ts=${end})`]
  })
  return { outputs, late }
}

/** What is handed on when windows close, made of all updates: after each record the last results of the windows that it closed. */
export function finalResults(
  updates: readonly string[][],
  isClosed: (end: number, step: number) => boolean,
): string[][] {
  const open = new Map<string, Update>()
  return updates.map((outputs, step) => {
    for (const output of outputs) {
      const update = parseUpdate(output)
      if (update.isDeletion) open.delete(update.window)
      else open.set(update.window, update)
    }
    const closed = [...open.values()].filter(({ end }) => isClosed(end, step))
    for (const { window } of closed) open.delete(window)
    closed.sort((a, b) => a.end - b.end || a.start - b.start || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    return closed.map(({ output }) => output)
  })
}

interface Update {
  readonly output: string
  readonly window: string
  readonly key: string
  readonly start: number
  readonly end: number
  readonly isDeletion: boolean
}

function parseUpdate(output: string): Update {
  const [, window = '', key = '', start, end, value] =
    /^\((([^@]*)@\[(\d+),(\d+)\]), (.*), ts=\d+\)$/.exec(output) ?? []
  return { output, window, key, start: Number(start), end: Number(end), isDeletion: value === 'null' }
}

/** A suppression as a plain list that is sorted anew each time: what is handed on after each record. */
export function timeLimitOracle(
  updates: readonly string[][],
  { waitMs, maxRecords }: { readonly waitMs: number; readonly maxRecords: number },
): string[][] {
  let waiting: { readonly key: string; readonly since: number; readonly output: string }[] = []
  let observed = -1
  return updates.map((outputs) => {
    const emitted: string[] = []
    for (const output of outputs) {
      const [, key = '', time] = /^\((.*), .*, ts=(\d+)\)$/.exec(output) ?? []
      const timestamp = Number(time)
      observed = Math.max(observed, timestamp)
      const since = waiting.find((each) => each.key === key)?.since ?? timestamp
      waiting = [...waiting.filter((each) => each.key !== key), { key, since, output }]
      waiting.sort((a, b) => a.since - b.since || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
      while (waiting.length > maxRecords || (waiting[0]?.since ?? Number.POSITIVE_INFINITY) <= observed - waitMs) {
        emitted.push(waiting.shift()?.output as string)
      }
    }
    return emitted
  })
}
