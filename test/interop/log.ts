import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { openBroker } from '../../src/broker/broker.ts'
import { defaultLogSettings } from '../../src/broker/log/log-settings.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import type { PartitionLogs } from '../../src/broker/log/partition-logs.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import type { BatchView } from '../broker/log/segment-view.ts'
import { openLogsAt, viewOf } from '../broker/log/segment-view.ts'
import { apacheClassPath, apacheKafkaProblem, interopDirectory } from './apache-jars.ts'
import { runJava, startApacheKafka } from './apache-kafka.ts'
import { dumpLog, type LogDump } from './log-dump.ts'
import { fillEveryKind } from './own-segments.ts'

/**
 * The files of a log, read by both sides: Apache's DumpLogSegments reads what our broker wrote, and our reader what a real
 * broker wrote. Every field that Apache prints is compared. `--record` renews the vectors of `npm test` with Apache's files.
 */

const vectors = fileURLToPath(new URL('../vectors/kafka-logs', import.meta.url))
const environment = nodeEnvironment()
const compactionLeavesGaps = [/^Non-consecutive offsets in /, /^ {2}\d+ is followed by \d+$/]
let failures = 0

const problem = apacheKafkaProblem()
if (problem !== undefined) {
  process.stdout.write(`skipped: ${problem}\n`)
  process.exit(0)
}
const classPath = apacheClassPath()
await apacheReadsOurs()
await weReadApaches(process.argv.includes('--record'))
process.stdout.write(failures === 0 ? 'no differences\n' : `${failures} differences\n`)
process.exitCode = failures === 0 ? 0 : 1

async function apacheReadsOurs(): Promise<void> {
  const directory = mkdtempSync(join(interopDirectory, 'ours-'))
  const settings = { segmentBytes: 60_000, indexIntervalBytes: 2_000 }
  const broker = await openBroker({ directory, environment, flush: 'page-cache', settings })
  const topics = await fillEveryKind(broker)
  const views = topics.map((topic) => ({ topic, view: viewOf(broker.log(topic, 0)) }))
  await broker.close()
  for (const { topic, view } of views) {
    report(
      `Apache reads our ${topic}`,
      compare(
        view,
        dumpLog(classPath, join(directory, `${topic}-0`)),
        topic === 'compacted' ? compactionLeavesGaps : [],
      ),
    )
  }
  rmSync(directory, { recursive: true })
}

async function weReadApaches(isRecording: boolean): Promise<void> {
  const settings = { 'log.retention.ms': '-1', 'log.cleaner.backoff.ms': '200', 'log.index.interval.bytes': '1000' }
  const kafka = await startApacheKafka({ settings })
  const [data] = kafka.logDirectories as [string]
  runJava(classPath, fileURLToPath(new URL('TopicWriter.java', import.meta.url)), [kafka.bootstrapServers])
  await untilCleaned(data)
  await kafka.stop({ keepsData: true })
  const partitions = readdirSync(data).filter((name) => /^[a-z].*-0$/.test(name))
  if (isRecording) rmSync(vectors, { recursive: true, force: true })
  // The dumps first: opening the directory changes it.
  const dumps = partitions.map((partition) => dumpLog(classPath, join(data, partition)))
  if (isRecording)
    for (const [i, partition] of partitions.entries()) record(join(data, partition), partition, dumps[i] as LogDump)
  // Segments that compaction has replaced are there for a minute more; Apache's own next start removes them.
  for (const partition of partitions) {
    const replaced = readdirSync(join(data, partition)).filter((name) => name.endsWith('.deleted'))
    for (const name of replaced) rmSync(join(data, partition, name))
  }
  const logs = await openLogsAt(data, environment)
  for (const [i, partition] of partitions.entries()) {
    const expected = partition.startsWith('compacted') ? compactionLeavesGaps : []
    report(
      `we read Apache's ${partition}`,
      await compareOurs(logs, partition.slice(0, -2), dumps[i] as LogDump, expected),
    )
  }
  rmSync(join(data, '../..'), { recursive: true })
}

async function compareOurs(logs: PartitionLogs, topic: string, dump: LogDump, expected: RegExp[]): Promise<string[]> {
  try {
    const cleanupPolicy = topic.startsWith('compacted') ? 'compact' : 'delete'
    await logs.open(topic, 1, { ...defaultLogSettings, cleanupPolicy })
    return compare(viewOf(logs.ofTopic(topic)[0] as PartitionLog), dump, expected)
  } catch (error) {
    return [String(error)]
  }
}

/** What differs, as sentences. */
function compare(ours: ReadonlyMap<string, readonly BatchView[]>, dump: LogDump, expected: RegExp[]): string[] {
  const differences = dump.complaints.filter((line) => !expected.some((pattern) => pattern.test(line)))
  for (const { name, batches } of dump.files.filter((file) => file.name.endsWith('.log'))) {
    const found = ours.get(name) ?? []
    if (found.length !== batches.length)
      differences.push(`${name}: ${found.length} batches, ${batches.length} by Apache`)
    for (const [i, batch] of batches.entries()) {
      if (isDeepStrictEqual(found[i], batch)) continue
      differences.push(`${name}: ours ${JSON.stringify(found[i])}\n  Apache's ${JSON.stringify(batch)}`)
      break
    }
  }
  const seen = dump.files.filter((file) => file.batches.length > 0).length
  if (seen < ours.size) differences.push(`Apache read ${seen} of ${ours.size} segments`)
  return differences
}

function report(what: string, differences: readonly string[]): void {
  failures += differences.length
  process.stdout.write(`${differences.length === 0 ? 'same' : 'NOT THE SAME'}  ${what}\n`)
  for (const difference of differences) process.stdout.write(`  ${difference}\n`)
}

/** The compacted topics are waited for until batches have delete horizons, which the first cleaning gives them. */
async function untilCleaned(data: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    await pause(1_000)
    const dumps = ['compacted-0', 'compacted-transactions-0'].map((name) => dumpLog(classPath, join(data, name)))
    const isClean = dumps.every((dump) => dump.files.some((file) => file.batches.some((it) => it.deleteHorizonMs >= 0)))
    if (isClean) return
  }
  throw new Error('Apache Kafka did not compact its topics')
}

/** Keeps the files, and what Apache says is in them. */
function record(directory: string, partition: string, dump: LogDump): void {
  const target = join(vectors, partition)
  mkdirSync(target, { recursive: true })
  for (const { name } of dump.files) cpSync(join(directory, name), join(target, name))
  const files = dump.files.map(({ name, batches, lines }) => {
    const contents = batches.length > 0 ? batches : lines
    return `{ "name": "${name}", "contents": [\n${contents.map((one) => JSON.stringify(one)).join(',\n')}\n]}`
  })
  const text = `{ "writtenBy": "Apache Kafka 4.1.1, read by its DumpLogSegments", "files": [\n${files.join(',\n')}\n]}`
  writeFileSync(join(target, 'expected.json'), `${text}\n`)
}
