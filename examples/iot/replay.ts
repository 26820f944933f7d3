/** Data files through the topology to their end; then every window's final values. */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Application, type Connection, connect, run } from 'millrace'
import type { ReplayOptions } from './arguments.ts'
import { BadLines } from './bad-lines.ts'
import { csvField, formatRows, wholeNumber } from './formats.ts'
import { InputError, quoted, reasonOf } from './input-error.ts'
import { lateCountOf } from './late.ts'
import { MergedReadings } from './merge.ts'
import { tell, writeLines } from './output.ts'
import { Progress } from './progress.ts'
import { FinalResults, type ResultRow } from './results.ts'
import { claim } from './run-purpose.ts'
import { countWithRate } from './screen.ts'
import { SensorFile } from './sensor-file.ts'
import { lateReadings, readings, replayTopology, type WindowedStats } from './topology.ts'

/** How long reading goes on before sockets, signals and the processing have their turn. */
const sliceMs = 8

interface Outcome {
  readonly rows: ResultRow[]
  readonly late: readonly LateReading[]
  readonly fed: Fed
  readonly heldBefore: number
}

interface Fed {
  readonly readingCount: number
  /** Readings that came too late for at least one of their windows. */
  readonly lateCount: number
}

interface LateReading {
  readonly sensor: string
  readonly timestamp: number
  readonly value: number
}

export async function replay(options: ReplayOptions): Promise<void> {
  const startedAt = performance.now()
  const badLines = new BadLines(options.onBadLine)
  if (options.lateFile !== undefined) requireWritable(options.lateFile)
  const files = openFiles(options.files, badLines)
  const outcome = await runCluster(options, files).finally(() => {
    for (const file of files) file.close()
  })
  for (const line of badLines.report()) tell(line)
  if (outcome === undefined) return
  const { rows, late, fed, heldBefore } = outcome
  const rate = countWithRate(fed.readingCount - heldBefore, 'readings', performance.now() - startedAt)
  tell(`${rate} of ${files.length === 1 ? '1 file' : `${files.length} files`}, ${wholeNumber(rows.length)} windows.`)
  const lateForSome =
    fed.lateCount > late.length ? `, ${wholeNumber(fed.lateCount - late.length)} for some of them` : ''
  tell(`${wholeNumber(late.length)} readings came too late for all of their windows${lateForSome}.`)
  if (options.lateFile !== undefined) writeLate(options.lateFile, late)
  await writeLines(process.stdout, formatRows(rows, options.format, options.windows.kind))
}

/** The files in order of their names, which is the order that decides between equal times. */
function openFiles(paths: readonly string[], badLines: BadLines): SensorFile[] {
  const files: SensorFile[] = []
  try {
    for (const path of paths) files.push(new SensorFile(path, (bad) => badLines.take(bad)))
  } catch (error) {
    for (const file of files) file.close()
    throw error
  }
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return files.sort((a, b) => order(a.name, b.name) || order(a.path, b.path))
}

function requireWritable(path: string): void {
  try {
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new InputError(`Cannot write ${quoted(path)}: ${reasonOf(error)}.`)
  }
}

/** Undefined where a signal ended the run before the files' end. */
async function runCluster(options: ReplayOptions, files: readonly SensorFile[]): Promise<Outcome | undefined> {
  const cluster = await connect(options.cluster)
  try {
    const heldBefore = await claim(cluster, options.cluster, {
      command: 'replay',
      files: files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
      windows: options.windows,
      graceMs: options.graceMs,
    })
    if (heldBefore > 0)
      tell(`${options.cluster} holds ${wholeNumber(heldBefore)} readings already; going on after them.`)
    const { topology, results } = replayTopology(options.windows, options.graceMs)
    const app = await run(topology, { applicationId: 'iot', cluster, commitInterval: '200ms' })
    const fed = await feed(cluster, app, new MergedReadings(files), heldBefore, options.cluster)
    if (fed === undefined) return undefined
    return { ...(await collect(cluster, results)), fed, heldBefore }
  } finally {
    await cluster.close()
  }
}

/** Puts all readings in that are not there yet and closes when they are processed; undefined where a signal came first. */
async function feed(
  cluster: Connection,
  app: Application,
  merged: MergedReadings,
  heldBefore: number,
  address: string,
): Promise<Fed | undefined> {
  const stop = new AbortController()
  const closed = app.closed.then(() => undefined)
  const progress = new Progress(process.stderr)
  try {
    const count = await Promise.race([produce(cluster, app, merged, heldBefore, progress, stop.signal), closed])
    if (count === undefined) {
      const [held] = await cluster.offsets([{ topic: readings.name, partition: 0 }])
      progress.clear()
      tell(`Stopped after ${wholeNumber(held?.end ?? 0)} readings, before the end of the files; no results.`)
      if (address !== 'memory:') tell('Start again with the same arguments to go on.')
      return undefined
    }
    if (count < heldBefore) {
      throw new InputError(
        `${address} holds ${heldBefore} readings, but the files have only ${count}: give another directory.`,
      )
    }
    await app.close()
    return { readingCount: count, lateCount: lateCountOf(app) }
  } catch (error) {
    await app.close().catch(() => {})
    throw error
  } finally {
    stop.abort()
    progress.clear()
  }
}

/** Returns the number of readings that the files have; undefined where it was stopped. */
async function produce(
  cluster: Connection,
  app: Application,
  merged: MergedReadings,
  heldBefore: number,
  progress: Progress,
  stop: AbortSignal,
): Promise<number | undefined> {
  const producer = cluster.producer(readings)
  const startedAt = performance.now()
  const progressLine = () => {
    const { recordsIn } = app.metrics()
    return `${countWithRate(recordsIn, 'readings processed', performance.now() - startedAt)}, ${wholeNumber(position)} read`
  }
  let position = 0
  let sliceEnd = startedAt + sliceMs
  for (let reading = merged.next(); reading !== undefined; reading = merged.next()) {
    if (position >= heldBefore) {
      const { sensor, timestamp, value } = reading
      const isReady = producer.send({ key: sensor, value: { value, position }, timestamp })
      if (!isReady) await producer.ready()
    }
    position++
    if ((position & 255) !== 0 || performance.now() < sliceEnd) continue
    progress.show(progressLine)
    await nextTurn()
    if (stop.aborted) return undefined
    sliceEnd = performance.now() + sliceMs
  }
  await producer.flush()
  const ticker = setInterval(() => progress.show(progressLine), 200)
  try {
    await app.caughtUp()
  } finally {
    clearInterval(ticker)
  }
  return position
}

async function collect(
  cluster: Connection,
  results: WindowedStats,
): Promise<{ rows: ResultRow[]; late: LateReading[] }> {
  const final = new FinalResults()
  for await (const records of cluster.consume(results, { from: 'earliest', until: 'end' })) {
    for (const { key, value } of records) {
      if (key === null) continue
      const { start, end } = key.window
      if (value === null) final.remove(key.key, start, end)
      else final.put(key.key, start, end, value)
    }
  }
  const late: LateReading[] = []
  let lastPosition = -1
  for await (const records of cluster.consume(lateReadings, { from: 'earliest', until: 'end' })) {
    for (const { key, value, timestamp } of records) {
      // Late for several windows, or processed again after a crash: it is one late reading all the same.
      if (key === null || value === null || value.position <= lastPosition) continue
      lastPosition = value.position
      late.push({ sensor: key, timestamp, value: value.value })
    }
  }
  return { rows: final.sorted(), late }
}

function writeLate(path: string, late: readonly LateReading[]): void {
  try {
    writeFileSync(path, lateCsv(late))
  } catch (error) {
    throw new InputError(`Cannot write ${quoted(path)}: ${reasonOf(error)}.`)
  }
}

function lateCsv(late: readonly LateReading[]): string {
  const lines = late.map(({ sensor, timestamp, value }) => `${csvField(sensor)},${timestamp},${value}`)
  return `${['sensor,ts_ms,value', ...lines].join('\n')}\n`
}
