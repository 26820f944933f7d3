import { parseArgs } from 'node:util'
import { allCases, allFlips, runCase, runFlip } from './fault-run.ts'

/** `npm run test:faults -- [--seed S] [--protocol NAME]`: every fault at every call of every protocol, or of one, and a changed bit in every byte. */

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, protocol: { type: 'string' } } })
const seed = Number(values.seed)
const isWanted = ({ protocol }: { readonly protocol: string }) => (values.protocol ?? protocol) === protocol
const cases = (await allCases()).filter(isWanted)
const startMs = Date.now()
const failures: string[] = []
for (const one of cases) {
  try {
    await runCase(one, seed)
  } catch (error) {
    failures.push((error as Error).message)
  }
}
const flips = (await allFlips()).filter(isWanted)
for (const flip of flips) {
  try {
    await runFlip(flip)
  } catch (error) {
    failures.push((error as Error).message)
  }
}
const seconds = ((Date.now() - startMs) / 1_000).toFixed(1)
process.stdout.write(
  `${cases.length} faults and ${flips.length} changed bits, seed ${seed}, ${seconds} s: ${failures.length} failures\n`,
)
const kinds = new Map(
  failures.map((failure) => [failure.replace(/\d+/g, 'N').replace(/(none|all|random) kept/, ''), failure]),
)
for (const failure of [...kinds.values()].slice(0, 20)) process.stdout.write(`  ${failure}\n`)
process.exitCode = failures.length === 0 ? 0 : 1
