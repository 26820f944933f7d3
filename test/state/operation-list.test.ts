import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OperationList } from '../../src/state/operation-list.ts'
import type { EngineOperation } from '../../src/state/store-engine.ts'

const bytesOf = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const operationOf: fc.Arbitrary<EngineOperation> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key: bytesOf, value: bytesOf }),
  fc.record({ kind: fc.constant('delete' as const), key: bytesOf }),
  fc.record({ kind: fc.constant('delete-range' as const), from: bytesOf, to: bytesOf }),
)

describe('OperationList', () => {
  it('has the operations that were added, in their order, and is used again', () => {
    const list = new OperationList()
    fc.assert(
      fc.property(fc.array(operationOf, { maxLength: 40 }), (operations) => {
        list.clear()
        for (const operation of operations) list.add(operation)
        expect(list.length).toBe(operations.length)
        expect(list.putCount).toBe(operations.filter(({ kind }) => kind === 'put').length)
        expect([...list]).toEqual(operations)
      }),
    )
  })

  it('drops an operation that was begun and not completed', () => {
    const list = new OperationList()
    list.begin()
    list.out.writeUtf8('half a k')
    list.begin()
    list.out.writeUtf8('key')
    const keyEnd = list.out.length
    list.out.writeUtf8('value')
    list.complete('put', keyEnd)
    expect([...list]).toEqual([{ kind: 'put', key: Buffer.from('key'), value: Buffer.from('value') }])
  })

  it('gives the memory of a large commit back', () => {
    const list = new OperationList()
    list.add({ kind: 'put', key: Buffer.from('a'), value: Buffer.alloc(20 * 1024 * 1024) })
    list.clear()
    expect(list.out.buffer.length).toBeLessThan(1_024)
  })
})
