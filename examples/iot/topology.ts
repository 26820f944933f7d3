/** What is computed: the statistics of each sensor in windows of event time. */
import {
  SessionWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topic,
  type Topology,
  topic,
  untilWindowCloses,
  type Windowed,
} from 'millrace'
import type { Windows } from './arguments.ts'
import { type Reading, readingSerde } from './reading.ts'
import { addValue, emptyStats, mergeStats, type Stats, statsSerde } from './stats.ts'

export type WindowedStats = Topic<Windowed<string>, Stats>

/** One partition: stream time, by which lateness is judged, belongs to a partition, and the order of all readings is one. */
export const readings = topic('readings', { key: serde.string, value: readingSerde })

export const lateReadings = topic('late-readings', { key: serde.string, value: readingSerde })

export interface Replay {
  readonly topology: Topology
  /** Every update of every window; the last one of a window is its final value. */
  readonly results: WindowedStats
}

export function replayTopology(windows: Windows, graceMs: number): Replay {
  const builder = new StreamsBuilder()
  const bySensor = builder.stream(readings).groupByKey()
  const store = { store: 'stats', value: statsSerde }
  const late = { late: lateReadings }
  if (windows.kind === 'session') {
    const results = topic('sessions', { key: serde.sessionWindowed(serde.string), value: statsSerde })
    bySensor
      .windowedBy(SessionWindows.withGap(windows.gapMs).grace(graceMs), late)
      .aggregate(emptyStats, addReading, mergeSessions, store)
      .toStream()
      .to(results)
    return { topology: builder.build(), results }
  }
  const key = serde.windowed(serde.string, { size: windows.sizeMs })
  const results = topic('windows', { key, value: statsSerde })
  bySensor
    .windowedBy(TimeWindows.of(windows.sizeMs).advanceBy(windows.hopMs).grace(graceMs), late)
    .aggregate(emptyStats, addReading, store)
    .toStream()
    .to(results)
  return { topology: builder.build(), results }
}

/** The windows of one length in live mode. */
export interface LiveWindows {
  readonly sizeMs: number
  /** Every update, for a table that changes in place. */
  readonly updates: WindowedStats
  /** One record a window, when it closes. */
  readonly closed: WindowedStats
  readonly late: Topic<string, Reading>
}

/** Readings of this machine come in order and at once; this is for a clock that is set back a little. */
const liveGraceMs = 200

export const liveWindows: readonly LiveWindows[] = [liveWindowsOf('1s', 1_000), liveWindowsOf('10s', 10_000)]

export function liveTopology(): Topology {
  const builder = new StreamsBuilder()
  const bySensor = builder.stream(readings).groupByKey()
  for (const { sizeMs, updates, closed, late } of liveWindows) {
    const stats = bySensor
      .windowedBy(TimeWindows.of(sizeMs).grace(liveGraceMs), { late })
      .aggregate(emptyStats, addReading, { store: `stats-${sizeMs}ms`, value: statsSerde })
    stats.toStream().to(updates)
    stats.suppress(untilWindowCloses()).toStream().to(closed)
  }
  return builder.build()
}

function liveWindowsOf(name: string, sizeMs: number): LiveWindows {
  const types = { key: serde.windowed(serde.string, { size: sizeMs }), value: statsSerde }
  return {
    sizeMs,
    updates: topic(`windows-${name}`, types),
    closed: topic(`closed-windows-${name}`, types),
    late: topic(`late-readings-${name}`, { key: serde.string, value: readingSerde }),
  }
}

function addReading(stats: Stats, reading: Reading): Stats {
  return addValue(stats, reading.value)
}

function mergeSessions(a: Stats, b: Stats): Stats {
  return mergeStats(a, b)
}
