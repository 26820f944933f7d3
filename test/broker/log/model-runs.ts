import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

/** `npm run test:model -- [--runs N]`: the models of the log, its producers, transactions and groups with many more runs; a failure prints its seed. */

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' } } })
const models = [
  'test/broker/log/log-model.test.ts',
  'test/broker/log/producer-model.test.ts',
  'test/broker/log/log-cleaner.test.ts',
  'test/broker/transaction/transaction-coordinator.test.ts',
  'test/broker/group/transactional-offsets.test.ts',
  'test/broker/faults/stage-model.test.ts',
]
const { status } = spawnSync('npx', ['vitest', 'run', '--testTimeout=0', ...models], {
  stdio: 'inherit',
  env: { ...process.env, MODEL_RUNS: values.runs },
})
process.exitCode = status ?? 1
