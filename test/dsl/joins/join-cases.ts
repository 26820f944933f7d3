import { readFileSync } from 'node:fs'
import { JoinWindows } from '../../../src/dsl/join-windows.ts'
import { SlidingWindows } from '../../../src/dsl/sliding-windows.ts'
import type { KTable } from '../../../src/dsl/streams.ts'
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { SessionWindows, TimeWindows } from '../../../src/dsl/windows.ts'
import { serde } from '../../../src/serde/serdes.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { type Topic, topic } from '../../../src/topic.ts'
import type { Topology } from '../../../src/topology/topology.ts'

export type JoinKind = 'inner' | 'left' | 'outer'
/** Topic, key, value, timestamp. */
export type JoinEvent = readonly [topic: string, key: string | null, value: string | null, timestamp: number]
/** Key, value, timestamp. */
export type JoinOutput = readonly [key: string | null, value: string | null, timestamp: number]

/** A topology with a join, in words that this file and the Java program that recorded Kafka Streams both understand. */
export interface JoinCase {
  readonly op:
    | 'stream-stream'
    | 'foreign-key'
    | 'table-table'
    | 'windowed-tables'
    | 'windowed-sessions'
    | 'windowed-sliding'
  readonly kind: JoinKind
  /** Keep the joined rows in a store. */
  readonly kept?: boolean
  /** Leave rows out of the left table whose values begin with x. */
  readonly filterLeft?: boolean
  /** Write the right table's values in capitals, and delete those that begin with x. */
  readonly mapRight?: boolean
  /** Leave joined rows out that have a y. */
  readonly filterAfter?: boolean
  /** Join the joined table with a third one. */
  readonly then?: JoinKind
  /** Aggregate all joined rows into one, which needs the values before. */
  readonly group?: boolean
  /** Join a stream with the joined table as well. */
  readonly lookup?: boolean
  readonly size?: number
  readonly advance?: number
  readonly grace?: number
  readonly before?: number
  readonly after?: number
  /** Join the left stream with itself. */
  readonly self?: boolean
  readonly events: readonly JoinEvent[]
}

export interface RecordedJoin extends JoinCase {
  /** What came out for each event. */
  readonly steps: readonly (readonly JoinOutput[])[]
}

export const text = (name: string): Topic<string, string> => topic(name, { key: serde.string, value: serde.string })
const joiner = (left: string | null, right: string | null): string => `${left}+${right}`

/** What Kafka Streams 4.1.1 gave for cases of one kind of join. */
export function recordedJoins(op: JoinCase['op']): RecordedJoin[] {
  const file = new URL(`../../vectors/joins-${op}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: RecordedJoin[] }).cases
}

export function topologyOf(join: JoinCase): Topology {
  const builder = new StreamsBuilder()
  if (join.op === 'stream-stream') writeStreams(builder, join)
  else if (join.op === 'foreign-key') writeForeignKeys(builder, join)
  else if (join.op === 'table-table') writeTables(builder, join)
  else writeWindowedTables(builder, join)
  return builder.build()
}

/** What comes out for each event, with the application started again after those for which `restartsAfter` holds. */
export function run(join: JoinCase, restartsAfter: (step: number) => boolean = () => false): JoinOutput[][] {
  using driver = new TopologyTestDriver(topologyOf(join))
  return join.events.map(([name, key, value, timestamp], step) => {
    driver.input(text(name)).pipe({ key, value, timestamp })
    if (restartsAfter(step)) driver.restart()
    return driver
      .output(text('out'))
      .readAll()
      .map((out) => [out.key, out.value, out.timestamp] as const)
  })
}

function joined<K>(
  left: KTable<K, string>,
  right: KTable<K, string>,
  kind: JoinKind,
  isKept: boolean,
): KTable<K, string> {
  const options = isKept ? { store: 'kept', value: serde.string } : {}
  if (kind === 'inner') return left.join(right, joiner, options)
  return kind === 'left' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options)
}

export function joinWindows({ before = 0, after = 0, grace = 0 }: JoinCase): JoinWindows {
  const wide = JoinWindows.of(Math.max(Math.abs(before), Math.abs(after)))
  return wide.before(before).after(after).grace(grace)
}

function writeStreams(builder: StreamsBuilder, join: JoinCase): void {
  const left = builder.stream(text('L'))
  const right = join.self ? left : builder.stream(text('R'))
  const options = { within: joinWindows(join) }
  if (join.kind === 'inner') left.join(right, joiner, options).to(text('out'))
  else if (join.kind === 'left') left.leftJoin(right, joiner, options).to(text('out'))
  else left.outerJoin(right, joiner, options).to(text('out'))
}

function writeTables(builder: StreamsBuilder, join: JoinCase): void {
  let left = builder.table(text('L'))
  let right = builder.table(text('R'))
  if (join.filterLeft) left = left.filter((value) => !value.startsWith('x'))
  if (join.mapRight) right = right.mapValues((value) => (value.startsWith('x') ? null : value.toUpperCase()))
  let table = joined(left, right, join.kind, join.kept ?? false)
  if (join.then !== undefined) table = joined(table, builder.table(text('R2')), join.then, false)
  if (join.filterAfter) table = table.filter((value) => !value.includes('y'))
  if (join.group) writeGroup(table)
  else table.toStream().to(text('out'))
  if (join.lookup) builder.stream(text('S')).leftJoin(table, joiner).to(text('out'))
}

/** Values of the left table begin with the key of a right row and a colon, or with `-` where there is none. */
function writeForeignKeys(builder: StreamsBuilder, join: JoinCase): void {
  const left = builder.table(text('L'))
  const right = builder.table(text('R'))
  const foreignKey = (value: string): string | null =>
    value.startsWith('-') ? null : value.slice(0, value.indexOf(':'))
  const options = { foreignKey, name: 'fk', ...(join.kept ? { store: 'kept' } : {}), value: serde.string }
  let table = join.kind === 'inner' ? left.join(right, joiner, options) : left.leftJoin(right, joiner, options)
  if (join.then !== undefined) table = joined(table, builder.table(text('R2')), join.then, false)
  if (join.group) writeGroup(table)
  else table.toStream().to(text('out'))
}

function writeGroup(table: KTable<string, string>): void {
  table
    .groupBy((value, key) => ['all', `${key}:${value}`], { key: serde.string, value: serde.string })
    .aggregate(
      () => '',
      (all, value) => `${all}{${value}}`,
      (all, value) => all.replaceAll(`{${value}}`, ''),
      { value: serde.string },
    )
    .toStream()
    .to(text('out'))
}

function writeWindowedTables(
  builder: StreamsBuilder,
  { op, kind, size = 10, advance = size, grace = 0 }: JoinCase,
): void {
  const appended = (all: string, value: string): string => all + value
  const grouped = ['L', 'R'].map((name) => builder.stream(text(name)).groupByKey())
  const [left, right] = grouped.map((group) => {
    if (op === 'windowed-sessions') return group.windowedBy(SessionWindows.withGap(size).grace(grace)).reduce(appended)
    if (op === 'windowed-sliding') return group.windowedBy(SlidingWindows.of(size).grace(grace)).reduce(appended)
    return group.windowedBy(TimeWindows.of(size).advanceBy(advance).grace(grace)).reduce(appended)
  })
  joined(left, right, kind, false)
    .toStream()
    .selectKey((_, { key, window }) =>
      op === 'windowed-sessions' ? `${key}@${window.start}-${window.end}` : `${key}@${window.start}`,
    )
    .to(text('out'))
}
