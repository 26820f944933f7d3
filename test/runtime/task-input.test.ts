import { describe, expect, it } from 'vitest'
import type { KeyLookup } from '../../src/record/keys-ahead.ts'
import { TaskInput } from '../../src/runtime/task-input.ts'
import { serde } from '../../src/serde/serdes.ts'
import { writeBatch } from '../record/plain-record.ts'

const partition = { topic: 'in', partition: 0 }

/** An input whose records go to nobody but a look-up, which notes the keys that it is told of. */
function inputOf(lookup: KeyLookup | undefined): TaskInput {
  return new TaskInput({
    partition,
    position: 0,
    highWatermark: 0,
    partitionTimeMs: -1,
    source: {
      kind: 'source',
      name: 'source',
      topics: [{ name: 'in', internal: false }],
      key: serde.string,
      value: serde.string,
      pattern: undefined,
      timestamp: undefined,
      invalidTimestamp: undefined,
      offsetReset: 'earliest',
      isGlobal: false,
      fills: undefined,
      children: [],
    },
    output: { process() {}, keyLookup: lookup },
    badRecords: 'fail',
    drop() {},
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
  })
}

function batch(from: number, count: number): Buffer {
  const records = Array.from({ length: count }, (_, i) => {
    const hasKey = (from + i) % 50 !== 49
    return { timestamp: from + i, key: hasKey ? Buffer.from(`k${from + i}`) : null, value: null, headers: [] }
  })
  return writeBatch(records, { baseOffset: from })
}

describe('TaskInput', () => {
  it('tells a look-up that gains by it of keys before their records come, all but a few, and of no others', () => {
    const told: string[] = []
    const lookup: KeyLookup = {
      expectsKeys: true,
      expectKeys: ({ bytes, starts, ends, count }) => {
        for (let i = 0; i < count; i++) told.push(bytes.toString('latin1', starts[i], ends[i]))
      },
    }
    const input = inputOf(lookup)
    const bytes = Buffer.concat([batch(0, 200), batch(200, 1), batch(201, 150)])
    input.load({ ...partition, bytes, fromOffset: 0, nextOffset: 351, highWatermark: 351 })
    let unexpected = 0
    let count = 0
    const keys = new Set<string>()
    for (; input.hasHead; input.advance()) {
      count++
      if (!input.record.hasKey) continue
      const key = input.record.key() as string
      keys.add(key)
      if (!told.includes(key)) unexpected++
    }
    expect(count).toBe(351)
    expect(unexpected).toBeLessThan(351 / 2)
    expect(new Set(told).size).toBe(told.length)
    for (const key of told) expect(keys).toContain(key)
  })

  it('tells of none where nobody gains by it', () => {
    const expectKeys = () => expect.unreachable()
    for (const lookup of [undefined, { expectsKeys: false, expectKeys }]) {
      const input = inputOf(lookup)
      input.load({ ...partition, bytes: batch(0, 100), fromOffset: 0, nextOffset: 100, highWatermark: 100 })
      let count = 0
      for (; input.hasHead; input.advance()) count++
      expect(count).toBe(100)
    }
  })
})
