import { mkdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { apacheKafkaProblem, interopDirectory } from '../../test/interop/apache-jars.ts'
import { median } from '../rounds.ts'
import { type Contender, type Durability, startContenders } from './contender.ts'
import { fillPageCache } from './page-cache.ts'
import { processorSeconds } from './processor-time.ts'
import { type Workload, workloads } from './workloads.ts'

/** Our broker and Apache Kafka's beside each other on this machine: the same clients, one after the other, round by round. */

const usage = `npm run bench:kafka -- [options]

  --rounds N   how often each side runs each workload (default 3)
  --scale X    how many records: 1 is a million of 100 bytes (default 1)
  --only TEXT  only workloads that have the text in their names
  --warm       fills the page cache before, and keeps all topics until the end (some 40 GB at scale 1 and 3 rounds), as on a
               machine that has run for a while
  --list       names the workloads, and runs none
`

interface Measured {
  readonly value: number
  readonly recordBytes: number
  /** Of the broker, for each million records; undefined where the system does not tell. */
  readonly processorSeconds: number | undefined
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    warm: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
let topics = 0

if (values.help) process.stdout.write(usage)
else process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = workloads(Number(values.scale)).filter(({ name }) => name.includes(values.only))
  if (values.list || chosen.length === 0) {
    for (const { name } of workloads(1)) process.stdout.write(`${name}\n`)
    return values.list ? 0 : 2
  }
  const problem = apacheKafkaProblem()
  if (problem !== undefined) {
    process.stdout.write(`skipped: ${problem}\n`)
    return 0
  }
  process.stdout.write(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}\n`)
  process.stdout.write(
    "ratio: ours to Apache Kafka, above 1 is better for ours; then both, and the broker's processor seconds for each million records\n\n",
  )
  const empty = values.warm ? warmUp() : undefined
  try {
    for (const durability of ['page-cache', 'fsync'] as const) await runAll(durability, chosen)
  } finally {
    empty?.()
  }
  return 0
}

function warmUp(): (() => void) | undefined {
  process.stderr.write('filling the page cache\n')
  mkdirSync(interopDirectory, { recursive: true })
  const empty = fillPageCache(interopDirectory)
  process.stdout.write(empty === undefined ? 'not warmed up: no Linux, or no room\n\n' : 'with a full page cache\n\n')
  return empty
}

async function runAll(durability: Durability, all: readonly Workload[]): Promise<void> {
  const chosen = all.filter((workload) => workload.durability === durability)
  if (chosen.length === 0) return
  const contenders = await startContenders(durability)
  try {
    for (const workload of chosen) process.stdout.write(`${await race(workload, contenders)}\n`)
  } finally {
    for (const contender of contenders) await contender.stop()
  }
}

/** One round more than is counted: what runs first is not compiled yet. */
async function race(workload: Workload, [ours, theirs]: readonly [Contender, Contender]): Promise<string> {
  const rounds: (readonly [Measured, Measured])[] = []
  for (let round = 0; round <= Number(values.rounds); round++) {
    const isOursFirst = round % 2 === 0
    const first = await measure(workload, isOursFirst ? ours : theirs)
    const second = await measure(workload, isOursFirst ? theirs : ours)
    if (round > 0) rounds.push(isOursFirst ? [first, second] : [second, first])
  }
  return row(workload, rounds)
}

async function measure(workload: Workload, contender: Contender): Promise<Measured> {
  const topic = `race-${topics++}`
  await workload.prepare(contender, topic)
  const before = processorSeconds(contender.processId)
  const { value, records, recordBytes } = await workload.run(contender, topic)
  const after = processorSeconds(contender.processId)
  // What is removed leaves free pages, which a hypervisor takes back.
  if (!values.warm) await workload.end(contender, topic)
  const used = before === undefined || after === undefined ? undefined : ((after - before) / records) * 1e6
  return { value, recordBytes, processorSeconds: used }
}

function row({ name, unit }: Workload, rounds: readonly (readonly [Measured, Measured])[]): string {
  const ratios = rounds.map(([ours, theirs]) => (unit === 'ms' ? theirs.value / ours.value : ours.value / theirs.value))
  const [ours, theirs] = [0, 1].map((side) =>
    sideText(
      unit,
      rounds.map((round) => round[side] as Measured),
    ),
  )
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`
  return `${name.padEnd(58)} ${median(ratios).toFixed(2).padStart(6)} [${range}]  ${ours}  ${theirs}`
}

/** Medians: `204,082/s, 20.4 MB/s (0.68 s)`, or `0.09 ms`. */
function sideText(unit: Workload['unit'], measured: readonly Measured[]): string {
  const value = median(measured.map((one) => one.value))
  if (unit === 'ms') return `${value.toFixed(2)} ms`
  const megabytes = (value * (measured[0] as Measured).recordBytes) / 1e6
  const used = median(measured.map((one) => one.processorSeconds ?? Number.NaN))
  return `${Math.round(value).toLocaleString('en')}/s, ${megabytes.toFixed(1)} MB/s (${used.toFixed(2)} s)`
}
