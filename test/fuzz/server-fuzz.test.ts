import { expect, it } from 'vitest'
import { nodeEnvironment } from '../../src/env/node.ts'
import { fuzzServer } from './server-fuzz.ts'

const seed = nodeEnvironment().random.uint32()

/** A little of what `npm run fuzz` does for as long as it is told: half of the seeds have logins and rules. */
it.each([seed, seed + 1, seed + 2, seed + 3])(
  'a broker answers changed requests or ends the connection, and serves others all the while (seed %i)',
  async (one) => {
    expect(await fuzzServer(150, one)).toBeUndefined()
  },
)
