import { parseArgs } from 'node:util'
import { attacks } from './attacks.ts'
import { attack } from './hostile-run.ts'

/**
 * `npm run test:hostile -- [--clients N] [--appends N] [--seed S]`: a broker process under attack from many connections at a
 * time (slow, silent, half-open, huge, random), and an honest client beside them. Ends with 1 where the honest client, the
 * broker's memory or its errors are not as they should be.
 */
const options = {
  clients: { type: 'string', default: '10000' },
  appends: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
} as const
const { values } = parseArgs({ options })
const clients = Number(values.clients)
const appends = Number(values.appends)
const bytesOfConnection = 65_536
const bytesOfBroker = 400 * 1_048_576

const kinds = {
  'every attack': attacks,
  'silent connections alone': attacks.filter(({ name }) => name === 'says nothing'),
}
let isFine = true
for (const [kind, chosen] of Object.entries(kinds)) {
  const limits = { maxConnections: clients + 100, maxConnectionsPerAddress: clients + 100 }
  const { appended, largest, last, connectionsMade } = await attack({
    ...{ clients, appends, seed: Number(values.seed), attacks: chosen, limits },
  })
  const budget = bytesOfBroker + clients * bytesOfConnection
  const isGood = appended === appends && largest.bugs === 0 && last.heldBytes === 0 && largest.rss < budget
  isFine &&= isGood
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`
  process.stdout.write(
    `${isGood ? 'fine' : 'NOT FINE'}: ${kind}: ${appended} of ${appends} appends, ${connectionsMade} connections made, ` +
      `${largest.connections} at a time, ${megabytes(largest.rss)} resident of ${megabytes(budget)} allowed, ` +
      `${megabytes(largest.heldBytes)} held, ${largest.bugs} bugs\n`,
  )
}
process.exit(isFine ? 0 : 1)
