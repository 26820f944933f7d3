import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../source-files.ts'
import { differenceOf } from './comparison.ts'
import { type RecordedCase, readCorpus } from './corpus.ts'
import { runMillrace } from './millrace-side.ts'

const directory = join(root, 'test/vectors/semantics')

/** What Kafka Streams answered was recorded, so that no Java is needed: `npm run interop:semantics` asks it itself. */
describe('what Kafka Streams made of random topologies and events', () => {
  const corpus = readCorpus(join(directory, 'corpus.ndjson'))

  it('has cases', () => {
    expect(corpus.length).toBeGreaterThan(50)
  })

  it.each(corpus.map((recorded) => [recorded.case.id, recorded] as const))('case %i', (_id, recorded) => {
    expect(differenceOf(recorded.kafka, runMillrace(recorded.case))?.text).toBeUndefined()
  })
})

describe('what Kafka Streams made of cases in which Millrace once differed', () => {
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'))

  it.each(names)('%s', (name) => {
    const recorded: RecordedCase = JSON.parse(readFileSync(join(directory, name), 'utf8'))
    expect(differenceOf(recorded.kafka, runMillrace(recorded.case))?.text).toBeUndefined()
  })
})
