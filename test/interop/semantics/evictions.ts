import { plentyOfBytes } from './caching.ts'
import type { Case, CaseNode, PipeEvent } from './case.ts'

/**
 * Cases in which record caches have too little room, at bounds from less than one row to more than all. Kafka Streams' cache also
 * holds rows that were only read, which Millrace's does not; so a row that may have been evicted does not come again here.
 */
export function evictionCases(): Case[] {
  const cases: Case[] = []
  for (const table of tables) {
    for (const [records, least] of sequences) {
      for (const cacheBytes of [...bounds.filter((bound) => bound >= least), plentyOfBytes]) {
        const nodes = [...table, ...sinks(table.at(-1) as CaseNode)]
        cases.push({ id: cases.length, optimize: false, cacheBytes, nodes, events: [{ batch: records }] })
      }
    }
  }
  return cases
}

const bounds = [1, 63, 75, 150, 300]

const texts = { key: 'string', value: 'string' } as const
const stream: CaseNode = { id: 'in', op: 'stream', of: [], is: 'stream', ...texts, topics: ['in1'] }
const grouped: CaseNode = { id: 'grouped', op: 'groupByKey', of: ['in'], is: 'grouped', ...texts }
const made = { id: 'made', is: 'table', caching: true } as const
const windows: CaseNode = {
  ...{ id: 'windows', op: 'windowedBy', of: ['grouped'], is: 'windowed', ...texts },
  ...{ windows: 'time', size: 10, grace: 1_000 },
}
const inWindows = { of: ['windows'], key: 'window:10', retention: 1_000_000, store: 'rows' } as const

const tables: readonly (readonly CaseNode[])[] = [
  [{ ...made, op: 'table', of: [], ...texts, topic: 'in1', store: 'rows' }],
  [stream, grouped, { ...made, op: 'count', of: ['grouped'], key: 'string', value: 'long', store: 'rows' }],
  [stream, grouped, { ...made, op: 'reduce', of: ['grouped'], ...texts, fn: 'concat', store: 'rows' }],
  [stream, grouped, windows, { ...made, op: 'windowedCount', value: 'long', ...inWindows }],
  [stream, grouped, windows, { ...made, op: 'windowedAggregate', value: 'string', fn: 'concat', ...inWindows }],
]

function sinks({ key, value }: CaseNode): CaseNode[] {
  return [
    { id: 'updates', op: 'toStream', of: ['made'], is: 'stream', key, value },
    { id: 'out', op: 'to', of: ['updates'], is: 'nothing', key, value, topic: 'out1' },
  ]
}

function recordsOf(keys: readonly string[], ts: (i: number) => number): PipeEvent[] {
  return keys.map((key, i) => ({ topic: 'in1', key, value: `v${i}`, ts: ts(i) }))
}

const numbers = Array.from({ length: 18 }, (_, i) => i)

/** Records, and the least bound at which none of their rows can come again after it was evicted. */
const sequences: readonly (readonly [records: PipeEvent[], leastBytes: number])[] = [
  // Each row once; one after the other, each three times; two in turn, then two others; and a few in window after window.
  // None more often than Millrace measures each time.
  [
    recordsOf(
      numbers.map((i) => `k${i}`),
      (i) => i,
    ),
    0,
  ],
  [
    recordsOf(
      numbers.map((i) => `k${Math.floor(i / 3)}`),
      (i) => i,
    ),
    0,
  ],
  [
    recordsOf(
      numbers.map((i) => `k${2 * Math.floor(i / 6) + (i % 2)}`),
      (i) => 10 * Math.floor(i / 6),
    ),
    300,
  ],
  [
    recordsOf(
      numbers.map((i) => 'abc'[Math.floor(i / 8)]),
      (i) => 4 * i,
    ),
    0,
  ],
]
