import { describe, expect, it } from 'vitest'
import { type RunOptions, run, StreamsBuilder, serde, type Topology, topic } from '../src/index.ts'
import { TopologyTestDriver } from '../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const nothing = undefined as never
const builder = new StreamsBuilder() as unknown as Topology

/** What types refuse and plain JavaScript does not is said in the engine's own words. */
describe('without types', () => {
  it.each([
    ['stream', () => new StreamsBuilder().stream(nothing), 'stream(undefined) is given no topic'],
    ['table', () => new StreamsBuilder().table('words' as never), "table('words') is given a name"],
    ['globalTable', () => new StreamsBuilder().globalTable(nothing), 'globalTable(undefined) is given no topic'],
    ['to', () => new StreamsBuilder().stream(words).to('other' as never), "to('other') is given a name"],
    ['driver', () => new TopologyTestDriver(builder), 'This is a builder, not a topology'],
    ['driver', () => new TopologyTestDriver(nothing), 'This is no topology'],
  ])('%s says what it is given in place of what it needs', (_, call, what) => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) }))
  })

  it('run says what it is given in place of a topology or options', async () => {
    const options: RunOptions = { applicationId: 'a', cluster: 'memory:' }
    const refused = (message: string) => ({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) })
    await expect(run(builder, options)).rejects.toMatchObject(refused('This is a builder, not a topology'))
    const input = new StreamsBuilder()
    input.stream(words).foreach(() => {})
    await expect(run(input.build(), nothing)).rejects.toMatchObject(refused('is given no options'))
  })
})
