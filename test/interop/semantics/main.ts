import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../source-files.ts'
import { interopDirectory } from '../apache-jars.ts'
import type { Answer, Case } from './case.ts'
import { differenceOf } from './comparison.ts'
import { Corpus, type RecordedCase, readCorpus, recordedDirectory } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { evictionCases } from './evictions.ts'
import { generateCase } from './generator.ts'
import { KafkaSide, kafkaStreamsProblem } from './kafka-side.ts'
import { runMillrace } from './millrace-side.ts'
import { shrink } from './shrinking.ts'

/** Random topologies and events, run by Kafka Streams and by Millrace: what comes out must be the same. */

const usage = `npm run interop:semantics -- [options]

  --cases N      how many cases (default 2000)
  --seed S       a whole number: the same seed gives the same cases (default: by chance)
  --first I      begins with case I of the seed (default 0)
  --differences N  stops after so many differences (default 1)
  --caching      with record caches, and several records between two commits
  --record FILE  writes cases that together have all pairs of neighbours, and what Kafka Streams answered, to the file
  --case FILE    runs the case in the file instead, and prints both answers
  --evictions FILE  writes cases of record caches without room, and what Kafka Streams answered, to the file
  --renew        asks Kafka Streams anew about the recorded cases, and writes what it answers beside them
`

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    first: { type: 'string', default: '0' },
    differences: { type: 'string', default: '1' },
    record: { type: 'string' },
    case: { type: 'string' },
    evictions: { type: 'string' },
    caching: { type: 'boolean', default: false },
    renew: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** How many cases Kafka Streams has at hand while Millrace runs others. */
const ahead = 64

if (values.help) process.stdout.write(usage)
else process.exitCode = await main()

async function main(): Promise<number> {
  const problem = kafkaStreamsProblem()
  if (problem !== undefined) {
    process.stdout.write(`skipped: ${problem}\n`)
    return 0
  }
  using kafka = new KafkaSide()
  if (values.case !== undefined) return await runFile(kafka, values.case)
  if (values.renew) return await renewRecorded(kafka)
  if (values.evictions !== undefined) return await recordEvictions(kafka, values.evictions)
  return await runCases(kafka, Number(values.cases), Number(values.seed), Number(values.first))
}

async function runFile(kafka: KafkaSide, path: string): Promise<number> {
  const read = JSON.parse(readFileSync(path, 'utf8'))
  const given: Case = read.case ?? read
  const [theirs, ours] = [await kafka.run(given), runMillrace(given)]
  const difference = differenceOf(theirs, ours)
  for (const [who, answer] of [['Kafka Streams', theirs] as const, ['Millrace', ours] as const]) {
    process.stdout.write(`--- ${who}\n${answer.describe ?? ''}${answer.error ?? ''}\n`)
    for (const [step, lines] of (answer.steps ?? []).entries()) {
      process.stdout.write(
        `${JSON.stringify(given.events[step])}\n${lines.map((line) => `    ${JSON.stringify(line)}\n`).join('')}`,
      )
    }
  }
  process.stdout.write(`${difference?.text ?? 'no difference'}\n`)
  return difference === undefined ? 0 : 1
}

async function recordEvictions(kafka: KafkaSide, path: string): Promise<number> {
  const lines: string[] = []
  for (const given of evictionCases()) lines.push(JSON.stringify({ case: given, kafka: await kafka.run(given) }))
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return 0
}

async function renewRecorded(kafka: KafkaSide): Promise<number> {
  for (const name of readdirSync(recordedDirectory)) {
    const path = join(recordedDirectory, name)
    const isCorpus = name.endsWith('.ndjson')
    const recorded = isCorpus ? readCorpus(path) : [JSON.parse(readFileSync(path, 'utf8')) as RecordedCase]
    const renewed: RecordedCase[] = []
    for (const { case: given } of recorded) renewed.push({ case: given, kafka: await kafka.run(given) })
    if (isCorpus) writeFileSync(path, renewed.map((each) => `${JSON.stringify(each)}\n`).join(''))
    else writeFileSync(path, `${JSON.stringify(renewed[0], undefined, 1)}\n`)
    process.stdout.write(`${name}: ${renewed.length} cases\n`)
  }
  return 0
}

async function runCases(kafka: KafkaSide, count: number, seed: number, first: number): Promise<number> {
  process.stdout.write(`seed ${seed}, cases ${first} to ${first + count - 1}\n`)
  const coverage = new Coverage()
  const corpus = values.record === undefined ? undefined : new Corpus()
  const pending: { given: Case; theirs: Promise<Answer> }[] = []
  const started = performance.now()
  let [compared, refused, different] = [0, 0, 0]
  for (let id = first; id < first + count || pending.length > 0; ) {
    while (id < first + count && pending.length < ahead) {
      const given = generateCase(id++, seed, coverage, values.caching)
      pending.push({ given, theirs: kafka.run(given) })
    }
    const { given, theirs } = pending.shift() as (typeof pending)[number]
    const ours = runMillrace(given)
    const answer = await theirs
    const difference = differenceOf(answer, ours)
    compared++
    if (answer.error !== undefined) refused++
    if (difference === undefined && answer.error === undefined) corpus?.consider(given, answer)
    if (difference !== undefined) {
      different++
      await report(kafka, given, seed, difference.kind)
      if (different >= Number(values.differences)) break
    }
    if (compared % 5000 === 0) process.stdout.write(`  ${compared} cases, ${perSecond(compared, started)} a second\n`)
  }
  process.stdout.write(
    `${compared} cases, ${different} different, ${refused} refused by both; ${perSecond(compared, started)} a second; seed ${seed}\n` +
      `operators in cases (${coverage.pairCount} pairs of neighbours):\n${coverage}\n`,
  )
  if (values.record !== undefined) corpus?.write(values.record)
  return different === 0 ? 0 : 1
}

function perSecond(count: number, started: number): number {
  return Math.round((count * 1000) / (performance.now() - started))
}

async function report(kafka: KafkaSide, given: Case, seed: number, kind: string): Promise<void> {
  const smallest = await shrink(given, async (candidate) => {
    return differenceOf(await kafka.run(candidate), runMillrace(candidate))?.kind === kind
  })
  const theirs = await kafka.run(smallest)
  const difference = differenceOf(theirs, runMillrace(smallest))
  mkdirSync(join(interopDirectory, 'differences'), { recursive: true })
  const path = join(interopDirectory, 'differences', `seed-${seed}-case-${given.id}.json`)
  writeFileSync(path, `${JSON.stringify({ case: smallest, kafka: theirs }, undefined, 1)}\n`)
  process.stdout.write(`case ${given.id}: ${difference?.text}\n`)
  for (const node of smallest.nodes) process.stdout.write(`  ${JSON.stringify(node)}\n`)
  for (const event of smallest.events) process.stdout.write(`  ${JSON.stringify(event)}\n`)
  process.stdout.write(`again: npm run interop:semantics -- --case ${relative(root, path)}\n`)
}
