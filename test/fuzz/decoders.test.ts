import { describe, expect, it } from 'vitest'
import { nodeEnvironment } from '../../src/env/node.ts'
import { fuzz, tryOne } from './fuzz-run.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { fuzzTargets } from './targets.ts'

const seed = nodeEnvironment().random.uint32()

/** A little of what `npm run fuzz` does for as long as it is told. */
describe('bytes that were changed', () => {
  it.each(fuzzTargets)('are decoded or refused with an error of ours, within bounds: $name', (target) => {
    expect(fuzz(target, 400, seed)).toBeUndefined()
  })

  it.each(fuzzTargets)('are those of a decoder that takes what it wrote: $name', (target) => {
    for (const bytes of target.corpus) expect(tryOne(target, bytes)).toBeUndefined()
  })
})

describe('the fuzzer', () => {
  const target = (run: FuzzTarget['run']): FuzzTarget => ({ name: 'bad', corpus: [Buffer.from('abc')], run })

  it('notices an error that is not ours, and memory that is taken for nothing', () => {
    const throws = fuzz(
      target((bytes) => void bytes.readInt32BE(bytes.length)),
      10,
      1,
    )
    expect(throws?.what).toContain('not ours')
    const kept: Buffer[] = []
    const takes = fuzz(
      target(() => void kept.push(Buffer.alloc(1_000_000))),
      10,
      1,
    )
    expect(takes?.what).toContain('it took')
  })
})
