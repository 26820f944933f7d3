import { parseArgs } from 'node:util'
import { fuzz } from './fuzz-run.ts'
import { fuzzServer } from './server-fuzz.ts'
import { fuzzTargets } from './targets.ts'

/** `npm run fuzz -- [--seconds N] [--seed S]`: mutated bytes for every decoder, and mutated requests for a broker; prints what was not taken well, as hex. */

const options = { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } as const
const { values } = parseArgs({ options })
const firstSeed = Number(values.seed ?? Date.now() % 1_000_000_000)
const endMs = Date.now() + Number(values.seconds) * 1_000
const runsAtOnce = 500
const requestsAtOnce = 300
const longestMs = 20_000
let runs = 0
let seed = firstSeed
for (; Date.now() < endMs; seed++) {
  for (const target of fuzzTargets) {
    const startMs = Date.now()
    const crasher = fuzz(target, runsAtOnce, seed)
    runs += runsAtOnce
    if (Date.now() - startMs > longestMs) process.stdout.write(`slow: ${target.name}, seed ${seed}\n`)
    if (crasher === undefined) continue
    process.stdout.write(`${crasher.target}, seed ${seed}: ${crasher.what}\n${crasher.hex}\n`)
    process.exit(1)
  }
  const crasher = await fuzzServer(requestsAtOnce, seed)
  runs += requestsAtOnce
  if (crasher === undefined) continue
  process.stdout.write(`the broker, seed ${seed}: ${crasher.what}\n${crasher.hex}\n`)
  process.exit(1)
}
process.stdout.write(`${runs} inputs, seeds ${firstSeed} to ${seed - 1}\n`)
