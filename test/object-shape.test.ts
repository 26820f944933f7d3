import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '../src/record/batch-builder.ts'
import { BatchReader } from '../src/record/batch-reader.ts'
import { serde } from '../src/serde/serdes.ts'
import { FlowRecord } from '../src/topology/flow-record.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
setFlagsFromString('--allow-natives-syntax')
const hasFastFields = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean

/** Makes objects one after the other, of which none is alive any more when the next one is made; what is told of each. */
function oneByOne(make: () => object): boolean[] {
  return Array.from({ length: 12 }, () => {
    const isFast = hasFastFields(make())
    collectGarbage()
    collectGarbage()
    return isFast
  })
}

const batch = (() => {
  const builder = new BatchBuilder()
  const value = Buffer.from('value')
  builder.append(1_700_000_000_000, null, -1, -1, value, 0, value.length)
  return Buffer.from(builder.finish())
})()

describe('objects of many fields that live for a short while', () => {
  it('keep their fields in themselves, and do not become hash tables: readers of batches and travelling records', () => {
    const readOne = () => {
      const reader = new BatchReader()
      reader.reset(batch)
      reader.nextBatch()
      reader.next()
      return reader
    }
    const travelOnce = () => {
      const record = new FlowRecord()
      record.timestamp = 1_700_000_000_000
      record.topic = 'readings'
      record.loadKey(batch, 0, 3, serde.string)
      return record
    }
    expect(oneByOne(readOne)).not.toContain(false)
    expect(oneByOne(travelOnce)).not.toContain(false)
  })
})
