import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { chainLength, costOfStep } from './chain-length.ts'
import { exactlyOnce } from './guarantees.ts'
import {
  logAppend,
  logAppendAgainstFile,
  logAppendCompressed,
  logAppendOver,
  logAppendShaped,
  logAppendSynced,
} from './log-append.ts'
import { logRead, logReadCompressed, logReadOver, logReadShaped } from './log-read.ts'
import { logRecovery } from './log-recovery.ts'
import { operatorFamilies } from './operator-families.ts'
import { recordCache } from './record-cache.ts'
import { type Comparison, measureBy, median } from './rounds.ts'
import { jsonChain, numberChain } from './stateless-chain.ts'
import { storeGetCold, storeGetHot, storePut, storeRange } from './stores.ts'
import { windowedAggregate } from './windowed-aggregate.ts'

const chainLengths = Array.from({ length: 20 }, (_, i) => i + 1)
const chainName = (length: number): string => `chain of ${length}`

/**
 * Each workload against a hand-written loop over the same bytes, interleaved in a process of its own. What counts is the ratio:
 * the share of the hand-written loop's speed that the product keeps. Absolute numbers only say on what machine it ran.
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
  'log append over 10 partitions': () => logAppendOver(10),
  'log append over 100 partitions': () => logAppendOver(100),
  'log append over 1000 partitions': () => logAppendOver(1_000),
  'log read': logRead,
  'log read, 16 B': () => logReadShaped(16, 1_000),
  'log read, 1 KB': () => logReadShaped(1_024, 1_000),
  'log read, batches of 1': () => logReadShaped(100, 1),
  'log read, batches of 100': () => logReadShaped(100, 100),
  'log read over 10 partitions': () => logReadOver(10),
  'log read over 100 partitions': () => logReadOver(100),
  'log read over 1000 partitions': () => logReadOver(1_000),
  'log read, gzip': () => logReadCompressed('gzip'),
  'log read, snappy': () => logReadCompressed('snappy'),
  'log read, lz4': () => logReadCompressed('lz4'),
  'log read, zstd': () => logReadCompressed('zstd'),
  'log recovery, killed': () => logRecovery(1, 'killed'),
  'log recovery, closed': () => logRecovery(1, 'closed'),
  'log recovery of 1000, killed': () => logRecovery(1_000, 'killed'),
  'log recovery of 1000, closed': () => logRecovery(1_000, 'closed'),
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
  ...Object.fromEntries(chainLengths.map((length) => [chainName(length), () => chainLength(length)])),
  'record cache, 1e3 keys': () => recordCache(1_000),
  'record cache, 1e5 keys': () => recordCache(100_000),
  'exactly once, commits each 1s': () => exactlyOnce('1s'),
  'exactly once, commits each 100ms': () => exactlyOnce('100ms'),
}

/** Measures processor time, for a machine that has other work. */
const cpuFlag = '--cpu'
/** Followed by the name of a workload: this process is the one for it. */
const childFlag = '--in-child'

const given = process.argv.slice(2)
const clockArguments = given.includes(cpuFlag) ? [cpuFlag] : []
if (clockArguments.length > 0) measureBy('processor')
if (given[0] === childFlag) process.send?.(await (workloads[given[1]] as () => Promise<Comparison>)())
else await runAll(given.filter((word) => word !== cpuFlag))

async function runAll(wanted: readonly string[]): Promise<void> {
  const chosen = Object.keys(workloads).filter(
    (name) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
  )
  if (chosen.length === 0) {
    process.stderr.write(
      `No workload is called like ${wanted.join(', ')}. There are: ${Object.keys(workloads).join('; ')}\n`,
    )
    process.exit(2)
  }
  process.stdout.write(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}\n\n`)
  const unit = clockArguments.length > 0 ? 'cpu ns/record' : 'ns/record'
  process.stdout.write(row('workload', `ours ${unit}`, `hand ${unit}`, 'records/s', 'ratio', 'min..max', 'best'))
  const chains = new Map<number, Comparison>()
  for (const name of chosen) {
    if (process.stderr.isTTY) process.stderr.write(`\x1b[2K  running: ${name}\r`)
    const result = await inOwnProcess(name)
    const length = chainLengths.find((each) => chainName(each) === name)
    if (length !== undefined) chains.set(length, result)
    const { oursNs, handNs, ratios, bestRatio, note } = result
    const range = `${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)}`
    const perSecond = Math.round(1e9 / oursNs).toLocaleString('en')
    const columns = [
      oursNs.toFixed(0),
      handNs.toFixed(0),
      perSecond,
      median(ratios).toFixed(2),
      range,
      bestRatio.toFixed(2),
    ]
    process.stdout.write(row(name, ...columns, note))
  }
  if (chains.size > 1) {
    process.stdout.write(`\nEach further mapValues adds ${costOfStep(chains).toFixed(1)} ns to its function.\n`)
  }
}

/** So that what the compiler learned of one workload does not slow the next. */
function inOwnProcess(name: string): Promise<Comparison> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [childFlag, name, ...clockArguments])
    let result: Comparison | undefined
    child.once('message', (message) => {
      result = message as Comparison
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (result === undefined) reject(new Error(`the workload '${name}' ended with ${code}`))
      else resolve(result)
    })
  })
}

function row(name: string, ...columns: string[]): string {
  const widths = [20, 20, 13, 8, 14, 6]
  const aligned = columns.map((column, i) => (i < widths.length ? column.padStart(widths[i]) : `  ${column}`))
  return `${name.padEnd(38)}${aligned.join('')}\n`
}
