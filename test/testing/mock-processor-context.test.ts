import { describe, expect, it } from 'vitest'
import { keyValueStore, type Processor, type ProcessorContext, type ProcessorRecord, serde } from '../../src/index.ts'
import { MockProcessorContext } from '../../src/testing/mock-processor-context.ts'

const counts = keyValueStore('counts', { key: serde.string, value: serde.json<number>() })

class Counting implements Processor<string, string, string, number> {
  #cancel = () => {}

  init(context: ProcessorContext<string, number>): void {
    this.#cancel = context.schedule('10s', 'stream-time', (timestamp) => {
      context.forward({ key: 'tick', value: 0, timestamp }, 'clock')
    })
  }

  process(record: ProcessorRecord<string, string>, context: ProcessorContext<string, number>): void {
    if (record.value === 'stop') {
      this.#cancel()
      context.commit()
      context.drop('late')
      return
    }
    const count = (context.store(counts).get(record.key) ?? 0) + 1
    context.store(counts).put(record.key, count)
    context.forward(record.withValue(count))
  }
}

describe('MockProcessorContext', () => {
  it('notes what a processor does, and gives it stores', () => {
    const context = new MockProcessorContext<string, number>()
    const processor = new Counting()
    processor.init(context)
    for (const value of ['a', 'b']) processor.process(context.record({ key: 'k', value, timestamp: 5 }), context)
    expect(context.forwarded.map(({ record, child }) => [record.key, record.value, child])).toEqual([
      ['k', 1, undefined],
      ['k', 2, undefined],
    ])
    expect(context.readOnlyStore(counts).get('k')).toBe(2)
    expect(context.isCommitRequested).toBe(false)

    processor.process(context.record({ key: 'k', value: 'stop', timestamp: 5 }), context)
    expect(context.isCommitRequested).toBe(true)
    expect(context.drops).toEqual(['late'])
  })

  it('has punctuations called by the test', () => {
    const context = new MockProcessorContext<string, number>()
    const processor = new Counting()
    processor.init(context)
    const [punctuation] = context.punctuations
    expect(punctuation).toMatchObject({ intervalMs: 10_000, type: 'stream-time', isCancelled: false })
    punctuation.punctuate(77)
    expect(context.forwarded).toEqual([{ record: { key: 'tick', value: 0, timestamp: 77 }, child: 'clock' }])
    processor.process(context.record({ key: 'k', value: 'stop', timestamp: 5 }), context)
    expect(punctuation.isCancelled).toBe(true)
  })

  it('serves processors of fixed keys', () => {
    const context = new MockProcessorContext<string, number>()
    const record = context.fixedKeyRecord({ key: 'k', value: 'four', timestamp: 5 })
    context.forward(record.withValue(record.value.length))
    expect(context.forwarded.map((each) => each.record.value)).toEqual([4])
  })
})
