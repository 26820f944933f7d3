/**
 * Compares our codecs with Apache Kafka's own classes: every API in every version, requests and responses, random messages.
 * `npm run interop:protocol -- [--each N] [--seed S] [--record]`; `--record` writes what Kafka answered as test vectors.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { apis } from '../../../src/broker/protocol/apis.ts'
import { root } from '../../source-files.ts'
import { apacheClassPath, apacheKafkaProblem } from '../apache-jars.ts'
import { type MessageSample, sampleMessages } from './message-sample.ts'

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    record: { type: 'boolean', default: false },
  },
})

const problem = apacheKafkaProblem()
if (problem === undefined) compare(Number(values.each), Number(values.seed), values.record)
else console.log(`skipped: ${problem}`)

function compare(each: number, seed: number, record: boolean): void {
  const samples = sampleMessages(each, seed)
  const answers = askKafka(samples)
  const differences = samples.filter(({ hex }, i) => answers[i]?.hex !== hex)
  for (const { name, version, hex } of differences.slice(0, 20)) {
    console.log(
      `${name} version ${version}\n  ours:   ${hex}\n  Kafka's: ${answers[samples.findIndex((s) => s.hex === hex)]?.line}`,
    )
  }
  const kinds = new Set(samples.map(({ name, version }) => `${name} ${version}`))
  console.log(
    `seed ${seed}: ${samples.length} messages, ${kinds.size} names and versions, ${differences.length} differences`,
  )
  if (differences.length > 0) process.exitCode = 1
  else if (record) recordVectors(samples, answers)
}

interface Answer {
  readonly line: string
  readonly hex: string
  readonly json: string
}

function askKafka(samples: readonly MessageSample[]): Answer[] {
  const lines = answersOf(samples.map(({ name, version, hex }) => `${name} ${version} ${hex}`))
  return lines.map((line) => {
    const space = line.indexOf(' ')
    return { line: line.slice(0, 400), hex: line.slice(0, space), json: line.slice(space + 1) }
  })
}

function answersOf(questions: readonly string[]): string[] {
  const program = join(root, 'test/interop/protocol/KafkaMessages.java')
  const input = questions.map((line) => `${line}\n`).join('')
  const java = spawnSync('java', ['-cp', apacheClassPath(), program], { input, encoding: 'utf8', maxBuffer: 1 << 30 })
  if (java.status !== 0) throw new Error(`Kafka's classes could not be run: ${java.error?.message ?? java.stderr}`)
  return java.stdout.trimEnd().split('\n')
}

function recordVectors(samples: readonly MessageSample[], answers: readonly Answer[]): void {
  const file = join(root, 'test/vectors/kafka-messages.txt')
  writeFileSync(
    file,
    samples.map(({ name, version, hex }, i) => `${name} ${version} ${hex} ${answers[i]?.json}\n`).join(''),
  )
  const names = apis.flatMap(({ name }) => [`${name}Request`, `${name}Response`])
  const definitions = answersOf(names).map((line) => JSON.stringify(withoutProse(JSON.parse(line))))
  writeFileSync(join(root, 'test/vectors/kafka-message-definitions.json'), `[\n${definitions.join(',\n')}\n]\n`)
  console.log(`${samples.length} vectors and ${names.length} definitions written`)
}

/** What definitions say to people is Kafka's own text, and left there. */
function withoutProse(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutProse)
  if (typeof node !== 'object' || node === null) return node
  const unread = ['about', 'entityType', 'mapKey', 'ignorable', 'listeners', 'latestVersionUnstable']
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => !unread.includes(name))
      .map(([name, value]) => [name, withoutProse(value)]),
  )
}
