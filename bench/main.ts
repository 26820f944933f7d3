import { cpus } from 'node:os'
import { chainLength } from './chain-length.ts'
import { exactlyOnce } from './guarantees.ts'
import {
  logAppend,
  logAppendAgainstFile,
  logAppendCompressed,
  logAppendOver,
  logAppendShaped,
  logAppendSynced,
} from './log-append.ts'
import { logRead, logReadCompressed, logReadShaped } from './log-read.ts'
import { operatorFamilies } from './operator-families.ts'
import { type Comparison, median } from './rounds.ts'
import { jsonChain, numberChain } from './stateless-chain.ts'
import { storeGetCold, storeGetHot, storePut, storeRange } from './stores.ts'
import { windowedAggregate } from './windowed-aggregate.ts'

/**
 * Each workload against a hand-written loop over the same bytes, in one process and interleaved. What counts is the ratio: the
 * share of the hand-written loop's speed that the product keeps. Absolute numbers only say on what machine it ran.
 */
const workloads: Record<string, () => Promise<Comparison>> = {
  'log append': logAppend,
  'log append, fsync': logAppendSynced,
  'log append, gzip': () => logAppendCompressed('gzip'),
  'log append, snappy': () => logAppendCompressed('snappy'),
  'log append, lz4': () => logAppendCompressed('lz4'),
  'log append, zstd': () => logAppendCompressed('zstd'),
  'log append against a file': logAppendAgainstFile,
  'log append, 16 B': () => logAppendShaped(16, 1_000),
  'log append, 1 KB': () => logAppendShaped(1_024, 1_000),
  'log append, batches of 1': () => logAppendShaped(100, 1),
  'log append, batches of 100': () => logAppendShaped(100, 100),
  'log append over 100 partitions': () => logAppendOver(100),
  'log append over 1000 partitions': () => logAppendOver(1_000),
  'log read': logRead,
  'log read, 16 B': () => logReadShaped(16, 1_000),
  'log read, 1 KB': () => logReadShaped(1_024, 1_000),
  'log read, batches of 1': () => logReadShaped(100, 1),
  'log read, batches of 100': () => logReadShaped(100, 100),
  'log read, gzip': () => logReadCompressed('gzip'),
  'log read, snappy': () => logReadCompressed('snappy'),
  'log read, lz4': () => logReadCompressed('lz4'),
  'log read, zstd': () => logReadCompressed('zstd'),
  'stateless chain, numbers': numberChain,
  'stateless chain, JSON': jsonChain,
  'store put, memory': () => storePut('memory'),
  'store put, lmdb': () => storePut('lmdb'),
  'store put, leveldb': () => storePut('leveldb'),
  'store get, hot': storeGetHot,
  'store get from memory engine': () => storeGetCold('memory'),
  'store get from lmdb': () => storeGetCold('lmdb'),
  'store get from leveldb': () => storeGetCold('leveldb'),
  'store range, memory': () => storeRange('memory'),
  'store range, lmdb': () => storeRange('lmdb'),
  'windowed aggregate, 1e3 keys': () => windowedAggregate(1_000),
  'windowed aggregate, 1e5 keys': () => windowedAggregate(100_000),
  ...operatorFamilies,
  'chain of 1': () => chainLength(1),
  'chain of 2': () => chainLength(2),
  'chain of 5': () => chainLength(5),
  'chain of 10': () => chainLength(10),
  'chain of 20': () => chainLength(20),
  'exactly once, commits each 1s': () => exactlyOnce('1s'),
  'exactly once, commits each 100ms': () => exactlyOnce('100ms'),
}

const wanted = process.argv.slice(2)
const chosen = Object.entries(workloads).filter(
  ([name]) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
)
if (chosen.length === 0) {
  process.stderr.write(
    `No workload is called like ${wanted.join(', ')}. There are: ${Object.keys(workloads).join('; ')}\n`,
  )
  process.exit(2)
}

process.stdout.write(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}\n\n`)
process.stdout.write(row('workload', 'ours ns/record', 'hand ns/record', 'ratio', 'min..max'))
for (const [name, run] of chosen) {
  if (process.stderr.isTTY) process.stderr.write(`\x1b[2K  running: ${name}\r`)
  const result = await run()
  const range = `${Math.min(...result.ratios).toFixed(2)}..${Math.max(...result.ratios).toFixed(2)}`
  process.stdout.write(
    row(name, result.oursNs.toFixed(0), result.handNs.toFixed(0), median(result.ratios).toFixed(2), range, result.note),
  )
}

function row(name: string, ours: string, hand: string, ratio: string, range: string, note = ''): string {
  return `${name.padEnd(38)}${ours.padStart(16)}${hand.padStart(16)}${ratio.padStart(8)}${range.padStart(14)}  ${note}\n`
}
