/** Readings of this machine, ten a second, through the topology; windows on the screen until Ctrl-C. */
import { performance } from 'node:perf_hooks'
import { type Application, type Connection, connect, type Producer, run } from 'millrace'
import type { Format, LiveOptions } from './arguments.ts'
import { csvHeader, csvLine, jsonLine, shortNumber, timeText, wholeNumber } from './formats.ts'
import { InputError, reasonOf } from './input-error.ts'
import { lateCountOf } from './late.ts'
import { missingSensors, readCounters } from './machine-sensors.ts'
import { tell } from './output.ts'
import type { Reading } from './reading.ts'
import { type ResultRow, resultRow } from './results.ts'
import { claim } from './run-purpose.ts'
import { Sampler } from './sampler.ts'
import { Board, countWithRate, Screen } from './screen.ts'
import type { SensorReading } from './sensor-lines.ts'
import { liveTopology, liveWindows, readings, type WindowedStats } from './topology.ts'

const sampleIntervalMs = 100
const redrawIntervalMs = 100

export async function live(options: LiveOptions): Promise<void> {
  const cluster = await connect(options.cluster)
  try {
    const heldBefore = await claim(cluster, options.cluster, { command: 'live' })
    if (heldBefore > 0) tell(`continuing: ${wholeNumber(heldBefore)} readings so far`)
    const missing = missingSensors(readCounters())
    if (missing !== undefined) tell(missing)
    await cluster.createTopics(liveWindows.flatMap(({ updates, closed }) => [updates, closed]))
    await runSession(cluster, options.format, heldBefore)
  } finally {
    await cluster.close()
  }
}

/** From the first sample to Ctrl-C. */
async function runSession(cluster: Connection, format: Format, heldBefore: number): Promise<void> {
  const startedAt = performance.now()
  const closedBefore = await closedWindowCount(cluster)
  const feed = new ReadingFeed(cluster, heldBefore)
  const stop = new AbortController()
  const app = await run(liveTopology(), { applicationId: 'iot', cluster, commitInterval: '500ms' })
  const title = () => titleOf(feed, app, performance.now() - startedAt)
  const display =
    process.stdout.isTTY && format === 'table'
      ? showTable(cluster, title, stop.signal)
      : printLines(cluster, format, stop.signal)
  const readerGone = outputEnd()
  const sampler = new Sampler(sampleIntervalMs, (samples) => feed.put(samples))
  sampler.start()
  try {
    await Promise.race([app.closed, display, feed.failed, readerGone])
  } finally {
    sampler.stop()
    stop.abort()
    await display.catch(() => {})
    await app.close().catch(() => {})
  }
  await app.closed
  await feed.flush()
  const closedWindows = (await closedWindowCount(cluster)) - closedBefore
  const rate = countWithRate(feed.count, 'readings', performance.now() - startedAt)
  const earlier = heldBefore === 0 ? '' : `, ${wholeNumber(feed.total)} with earlier runs`
  tell(
    `stopped: ${rate}${earlier}, ${wholeNumber(closedWindows)} windows closed, ${wholeNumber(lateCountOf(app))} late`,
  )
  if (feed.lost > 0) tell(`${wholeNumber(feed.lost)} readings were left out because the log did not keep up.`)
}

/** Puts samples into the log; leaves out, and counts, those that come while the log does not keep up. */
class ReadingFeed {
  readonly #producer: Producer<string, Reading>
  readonly #heldBefore: number
  readonly #failed = Promise.withResolvers<never>()
  #isReady = true
  #isFlushing = false
  count = 0
  lost = 0

  constructor(cluster: Connection, heldBefore: number) {
    this.#producer = cluster.producer(readings)
    this.#heldBefore = heldBefore
    // Who does not wait for the failure meets it at the last flush.
    this.#failed.promise.catch(() => {})
  }

  /** Rejects when readings cannot be written; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** With those of earlier runs. */
  get total(): number {
    return this.#heldBefore + this.count
  }

  put(samples: readonly SensorReading[]): void {
    if (!this.#isReady) {
      this.lost += samples.length
      return
    }
    for (const { sensor, timestamp, value } of samples) {
      this.#isReady = this.#producer.send({ key: sensor, value: { value, position: this.total }, timestamp })
      this.count++
    }
    if (!this.#isFlushing) void this.#flushInBackground()
  }

  flush(): Promise<void> {
    return this.#producer.flush()
  }

  /** What comes while a flush is on its way goes out with the next sample. */
  async #flushInBackground(): Promise<void> {
    this.#isFlushing = true
    try {
      await this.#producer.flush()
      this.#isReady = true
    } catch (error) {
      this.#failed.reject(error)
    } finally {
      this.#isFlushing = false
    }
  }
}

async function closedWindowCount(cluster: Connection): Promise<number> {
  const ranges = await cluster.offsets(liveWindows.map(({ closed }) => ({ topic: closed.name, partition: 0 })))
  return ranges.reduce((sum, range) => sum + range.end, 0)
}

function titleOf(feed: ReadingFeed, app: Application, elapsedMs: number): string {
  const earlier = feed.total === feed.count ? '' : `, ${wholeNumber(feed.total)} with earlier runs`
  return `this machine: ${countWithRate(feed.count, 'readings', elapsedMs)}${earlier}, ${lateCountOf(app)} late. Ctrl-C ends.`
}

/** The table that is drawn over itself; ends when the signal aborts. */
async function showTable(cluster: Connection, title: () => string, signal: AbortSignal): Promise<void> {
  const board = new Board(liveWindows.map(({ sizeMs }) => sizeMs))
  const screen = new Screen(process.stdout)
  let isChanged = false
  const draw = () => {
    if (isChanged) screen.draw(board.render(title(), screen.size))
    isChanged = false
  }
  const timer = setInterval(draw, redrawIntervalMs)
  const take = (row: ResultRow) => {
    board.put(row)
    isChanged = true
  }
  try {
    await Promise.all(liveWindows.map(({ updates }) => follow(cluster, updates, signal, take)))
  } finally {
    clearInterval(timer)
    draw()
  }
}

/** Resolves when nobody reads the output any more (`| head`); rejects when it cannot be written. */
function outputEnd(): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') resolve()
      else reject(new InputError(`Cannot write the results: ${reasonOf(error)}.`))
    })
  })
}

/** One line a window and sensor, when the window closes; ends when the signal aborts. */
async function printLines(cluster: Connection, format: Format, signal: AbortSignal): Promise<void> {
  const line = format === 'csv' ? csvLine : format === 'json' ? jsonLine : textLine
  if (format === 'csv') process.stdout.write(`${csvHeader('time')}\n`)
  const print = (row: ResultRow) => process.stdout.write(`${line(row)}\n`)
  await Promise.all(liveWindows.map(({ closed }) => follow(cluster, closed, signal, print)))
}

function textLine(row: ResultRow): string {
  const values = `count ${row.count}  min ${shortNumber(row.min)}  max ${shortNumber(row.max)}  mean ${shortNumber(row.mean)}`
  return `${timeText(row.start)}  ${String((row.end - row.start) / 1_000).padStart(2)} s  ${row.sensor.padEnd(26)}  ${values}`
}

async function follow(
  cluster: Connection,
  topic: WindowedStats,
  signal: AbortSignal,
  take: (row: ResultRow) => void,
): Promise<void> {
  try {
    for await (const records of cluster.consume(topic, { from: 'latest', signal })) {
      for (const { key, value } of records) {
        if (key !== null && value !== null) take(resultRow(key.key, key.window.start, key.window.end, value))
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
