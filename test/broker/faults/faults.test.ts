import { describe, expect, it } from 'vitest'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { SeededRandom } from '../../../src/env/seeded-random.ts'
import { allCases, allFlips, runCase, runFlip } from './fault-run.ts'
import { faults } from './faulty-disk.ts'
import { protocols } from './protocols.ts'

/** A sample; `npm run test:faults` tries all. A failure names its case and seed. */
const samples = 120

function sampleOf<T>(all: readonly T[], count: number, random: SeededRandom): T[] {
  return Array.from({ length: count }, () => all[random.uint32() % all.length] as T)
}

describe('a disk that fails at any of its calls', () => {
  const seed = nodeEnvironment().random.uint32()

  it('loses nothing that was acknowledged, and has nothing served that was not written', async () => {
    const cases = await allCases()
    expect(new Set(cases.map((one) => one.fault)).size).toBe(faults.length)
    expect(new Set(cases.map((one) => one.protocol)).size).toBe(Object.keys(protocols).length)
    for (const one of sampleOf(cases, samples, new SeededRandom(seed))) await runCase(one, seed)
  })

  it('that changes a bit has what is lost told, and nothing wrong served', async () => {
    const flips = await allFlips()
    for (const flip of sampleOf(flips, samples, new SeededRandom(seed))) await runFlip(flip)
    expect(flips.length).toBeGreaterThan(2_000)
  })
})
