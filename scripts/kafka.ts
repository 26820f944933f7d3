import { parseArgs } from 'node:util'
import { apacheKafkaProblem } from '../test/interop/apache-jars.ts'
import { startApacheKafka } from '../test/interop/apache-kafka.ts'

/** Starts Apache Kafka on this machine, from Maven Central's jars, until Ctrl-C or SIGTERM. */

const usage = `npm run kafka -- [options]

  --nodes N           brokers, 1 to 9; the first is the controller too (default 1)
  --port PORT         of the first broker, the others have the next ones; 0 takes free ones (default 9092)
  --data DIR          keeps the data; without it they go when it stops
  --set NAME=VALUE    a broker setting by Kafka's name; may be given again
`

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    port: { type: 'string', default: '9092' },
    data: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const nodes = wholeNumber('--nodes', values.nodes, 1, 9)
const port = wholeNumber('--port', values.port, 0, 65_535 - nodes)
const settings = Object.fromEntries(values.set.map(toSetting))
const problem = apacheKafkaProblem()
if (problem !== undefined) end(1, `Apache Kafka cannot be started: ${problem}`)

const directory = values.data === undefined ? {} : { directory: values.data }
const kafka = await startApacheKafka({ nodes, port, settings, ...directory }).catch((error) => end(1, error.message))
let isStopping = false
const stop = () => {
  if (isStopping) void kafka.kill().then(() => end(130, 'killed'))
  else void kafka.stop().then(() => end(0, 'stopped'))
  isStopping = true
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
// A signal to npm ends the shell between it and this process, and goes no further.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent && !isStopping) stop()
}, 500)
void kafka.failed.then(async (what) => {
  await kafka.stop()
  end(1, what)
})
process.stdout.write(`Apache Kafka is ready: ${kafka.bootstrapServers}\n`)
for (const path of kafka.logDirectories) process.stdout.write(`  data: ${path}\n`)
process.stdout.write('Ctrl-C stops it.\n')

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  return end(2, `${option} takes a whole number from ${least} to ${most}, not '${text}'\n\n${usage}`)
}

function toSetting(text: string): [string, string] {
  const at = text.indexOf('=')
  return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : end(2, `--set takes NAME=VALUE, not '${text}'\n\n${usage}`)
}

function end(code: number, message: string): never {
  process[code === 0 ? 'stdout' : 'stderr'].write(`${message}\n`)
  process.exit(code)
}
