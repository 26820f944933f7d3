import { SeededRandom } from '../../src/env/seeded-random.ts'
import { MillraceError } from '../../src/errors.ts'
import { FixpointError, type FuzzTarget } from './fuzz-target.ts'
import { mutated } from './mutator.ts'

export interface Crasher {
  readonly target: string
  readonly hex: string
  readonly what: string
}

/** Beside what the input makes necessary: the objects of records and errors, with their stacks. */
const freeBytes = 262_144
const bytesPerInputByte = 64

/** Runs mutated inputs through a target; returns the first that it did not take well. */
export function fuzz(target: FuzzTarget, runs: number, seed: number): Crasher | undefined {
  const random = new SeededRandom(seed)
  // What is made once, when a decoder first runs, is not the input's doing.
  for (const bytes of target.corpus) tryOne(target, bytes)
  for (let i = 0; i < runs; i++) {
    const bytes = mutated(target.corpus, random)
    target.repair?.(bytes, random)
    const what = tryOne(target, bytes)
    if (what !== undefined) return { target: target.name, hex: bytes.toString('hex'), what }
  }
  return undefined
}

/** Why the target did not take the bytes well; undefined where it did. */
export function tryOne(target: FuzzTarget, bytes: Buffer): string | undefined {
  const allowed = bytes.length * bytesPerInputByte + freeBytes + (target.extraBytes ?? 0)
  let least = Number.POSITIVE_INFINITY
  // What others took meanwhile, as the compiler, is not taken again.
  for (let attempt = 0; attempt < 4; attempt++) {
    const before = taken()
    const what = faultOf(target, bytes)
    if (what !== undefined) return what
    least = Math.min(least, taken() - before)
    if (least <= allowed) return undefined
  }
  return `it took ${least} bytes for ${bytes.length}`
}

function faultOf(target: FuzzTarget, bytes: Buffer): string | undefined {
  try {
    target.run(Buffer.from(bytes))
    return undefined
  } catch (error) {
    if (error instanceof FixpointError) return `it decodes to something else when it is encoded again: ${error.message}`
    return error instanceof MillraceError ? undefined : `an error that is not ours: ${(error as Error).stack}`
  }
}

/** What is taken now. A collection in between makes the difference smaller, never larger. */
function taken(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
