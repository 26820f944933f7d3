import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differenceOf } from './comparison.ts'
import { type RecordedCase, readCorpus, recordedDirectory } from './corpus.ts'
import { runMillrace } from './millrace-side.ts'

/** What Kafka Streams answered was recorded, so that no Java is needed: `npm run interop:semantics` asks it itself. */
describe('what Kafka Streams made of random topologies and events', () => {
  it.each(['corpus', 'caching', 'evictions'])('%s.ndjson', (name) => {
    const corpus = readCorpus(join(recordedDirectory, `${name}.ndjson`))
    expect(corpus.length).toBeGreaterThan(50)
    for (const { case: given, kafka } of corpus) {
      expect(differenceOf(kafka, runMillrace(given))?.text, `case ${given.id}`).toBeUndefined()
    }
  })
})

describe('what Kafka Streams made of cases in which Millrace once differed', () => {
  const names = readdirSync(recordedDirectory).filter((name) => name.endsWith('.json'))

  it.each(names)('%s', (name) => {
    const recorded: RecordedCase = JSON.parse(readFileSync(join(recordedDirectory, name), 'utf8'))
    expect(differenceOf(recorded.kafka, runMillrace(recorded.case))?.text).toBeUndefined()
  })
})
