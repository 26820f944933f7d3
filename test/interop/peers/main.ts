import { parseArgs } from 'node:util'
import { startOwnBroker } from '../own-broker.ts'
import { apacheKafka, oldApacheKafka } from './apache-kafka.ts'
import { confluentKafka } from './confluent-kafka.ts'
import { franzGo } from './franz-go.ts'
import { kafkaStreams } from './kafka-streams.ts'
import { kafkajs } from './kafkajs.ts'
import { kcat } from './kcat.ts'
import type { Check, Peer, PeerOptions } from './peer.ts'
import { sarama } from './sarama.ts'
import { security } from './security.ts'

/** Clients, tools and tests that we did not write, against our broker: a table says what each did, and how it ended. */

const peers: readonly Peer[] = [
  kafkajs,
  kcat,
  confluentKafka,
  sarama,
  apacheKafka,
  oldApacheKafka,
  security,
  franzGo,
  kafkaStreams,
]

const usage = `npm run interop -- [options] [PEER ...]

  PEER ...         ${peers.map(({ name }) => name).join(', ')} (default: all)
  --records N      for the tests that take a number (default 20000)
  --runs N         how often in a row the tests are run that find things by chance (default 1)
  --only TEXT      only what has the text in its name
  --list           names everything, and runs nothing
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

interface Row {
  readonly peer: string
  readonly what: string
  readonly result: 'ok' | 'FAILED' | 'skipped'
  readonly seconds: number
  readonly note: string
}

const unknown = positionals.find((name) => !peers.some((peer) => peer.name === name))
if (values.help || unknown !== undefined) {
  process.stdout.write(unknown === undefined ? usage : `there is no peer '${unknown}'\n\n${usage}`)
  process.exit(unknown === undefined ? 0 : 2)
}
const options: PeerOptions = { records: wholeNumber('records'), runs: wholeNumber('runs') }
const chosen = peers.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (values.list) for (const peer of chosen) for (const { what } of checksOf(peer)) say(`${peer.name}: ${what}`)
else process.exitCode = await runAll()

async function runAll(): Promise<number> {
  const rows: Row[] = []
  for (const peer of chosen) rows.push(...(await runPeer(peer)))
  say('')
  for (const line of table(rows)) say(line)
  const failed = rows.filter(({ result }) => result === 'FAILED').length
  const passed = rows.filter(({ result }) => result === 'ok').length
  say(`\n${passed} passed, ${failed} failed, ${rows.length - passed - failed} skipped`)
  return failed === 0 ? 0 : 1
}

function checksOf(peer: Peer): readonly Check[] {
  return peer.checks(options).filter(({ what }) => what.includes(values.only))
}

async function runPeer(peer: Peer): Promise<Row[]> {
  const checks = checksOf(peer)
  if (checks.length === 0) return []
  const problem = await peer.prepare().catch((error: Error) => error)
  if (problem instanceof Error) return [row(peer, 'is installed', 'FAILED', 0, problem.message)]
  if (problem !== undefined) return [row(peer, `${checks.length} checks`, 'skipped', 0, problem)]
  const broker = await startOwnBroker(peer.broker)
  const rows: Row[] = []
  for (const { what, run } of checks) {
    const start = performance.now()
    const [result, note] = await run(broker).then(
      (seen) => ['ok', seen ?? ''] as const,
      (error) => ['FAILED', error instanceof Error ? error.message : String(error)] as const,
    )
    rows.push(row(peer, what, result, (performance.now() - start) / 1_000, note))
  }
  // That a client drops its connection is its own affair.
  const complaints = broker.complaints().replaceAll(/^.*(?:ECONNRESET|EPIPE)\n/gm, '')
  if (complaints !== '') rows.push(row(peer, 'our broker has nothing to complain of', 'FAILED', 0, complaints))
  const end = await broker.stop().catch((error: Error) => error)
  if (end instanceof Error) rows.push(row(peer, 'our broker closes', 'FAILED', 0, end.message))
  return rows
}

/** The row, which is also said at once: some take minutes. */
function row(peer: Peer, what: string, result: Row['result'], seconds: number, note: string): Row {
  say(`${result.padEnd(8)}${peer.name}: ${what}${note === '' ? '' : `: ${note}`}`)
  return { peer: peer.name, what, result, seconds, note }
}

function table(rows: readonly Row[]): string[] {
  const width = (of: (row: Row) => string) => Math.max(...rows.map((row) => of(row).length))
  const [peerWidth, whatWidth] = [width((row) => row.peer), width((row) => row.what)]
  return rows.map(({ peer, what, result, seconds, note }) => {
    const first = note.split('\n')[0] as string
    const shown = first.length > 60 ? `${first.slice(0, 57)}...` : first
    return `${peer.padEnd(peerWidth)}  ${what.padEnd(whatWidth)}  ${result.padEnd(7)} ${seconds.toFixed(1).padStart(7)} s  ${shown}`.trimEnd()
  })
}

function wholeNumber(option: 'records' | 'runs'): number {
  const text = values[option]
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  process.stderr.write(`--${option} takes a whole number from 1 on, not '${text}'\n`)
  process.exit(2)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
