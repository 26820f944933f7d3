import { createInterface } from 'node:readline'
import { openBroker } from '../../../src/broker/broker.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import { listenForClients } from '../../../src/broker/server/broker-server.ts'
import type { ServerLimits } from '../../../src/broker/server/server-limits.ts'
import { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import type { BrokerReport } from './broker-report.ts'

/** A broker as a process of its own, with limits given as JSON: it says its port, and at each line it is told how it is. */
const limits = JSON.parse(process.argv[2] ?? '{}') as Partial<ServerLimits>
const environment = { ...nodeEnvironment(), disk: new MemoryDisk() }
const broker = await openBroker({ directory: 'data', environment, flush: 'page-cache' })
await broker.createTopics([{ name: 'orders', partitions: 1 }])
let bugs = 0
const sasl = { mechanisms: ['PLAIN'], plain: { alice: 'flour' } } as const
const server = await listenForClients({
  environment,
  listeners: [
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 0, protocol: 'SASL_PLAINTEXT', sasl },
  ],
  handlers: handlersOf(broker),
  limits,
  onConnectionError: (error) => {
    const isOurs = (error as { code?: string }).code !== undefined || String(error).includes('does not read')
    if (!isOurs) bugs += 1
  },
})
say({ ports: server.listeners.map(({ address }) => address.port) })
for await (const _ of createInterface({ input: process.stdin })) {
  const { rss, heapUsed, external } = process.memoryUsage()
  const report: BrokerReport = {
    ...{ rss, memory: heapUsed + external, connections: server.connectionCount, heldBytes: server.heldBytes, bugs },
  }
  say(report)
}
process.exit(0)

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}
