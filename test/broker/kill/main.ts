import { parseArgs } from 'node:util'
import { runKills } from './kill-run.ts'

/** `npm run test:kill -- [--cycles N] [--seed S]`: kills a process under load, 200 times unless told otherwise. */

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '200' }, seed: { type: 'string' } } })
const cycles = Number(values.cycles)
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
process.stdout.write(`${cycles} kills, seed ${seed}\n`)
const startMs = Date.now()
const { records, transactions, unanswered, killedInRecovery } = await runKills({ cycles, seed })
const seconds = ((Date.now() - startMs) / 1_000).toFixed(1)
process.stdout.write(
  `all of ${records} acknowledged records are there, once and in order, and those of ${transactions} transactions, after ` +
    `${cycles} kills in ${seconds} s: ` +
    `${killedInRecovery} before the log was open; ${unanswered} records more at the checks than were acknowledged\n`,
)
