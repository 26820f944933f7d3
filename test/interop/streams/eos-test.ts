import { join } from 'node:path'
import { startOwnBroker } from '../own-broker.ts'
import { freePort, inDirectory, startApplication, startStreams } from './streams-programs.ts'

/** Kafka Streams' own test of exactly once, on our runtime: random numbers for 20,000 keys, while the application is killed. */

/** When the application is killed: after so many numbers were sent. The last is when no more are. */
const kills = [2_000, 4_000, 6_000]
const lastNumber = 8_000
const sendingMs = 180_000
const verifyingMs = 300_000

/**
 * Our application, with the broker within it, killed three times, and once ended in order while numbers still come. The verifier
 * then recomputes from what was committed of the input, record by record, what must be in the six other topics, and wants no
 * transaction to be open.
 */
export function exactlyOnceThroughKills(): Promise<string> {
  return inDirectory(async (directory) => {
    const port = await freePort()
    const log = join(directory, 'log')
    const settings = { guarantee: 'exactly-once', 'bootstrap.servers': `127.0.0.1:${port}` } as const
    const start = () => startApplication('EosTest', log, port, 'exactly-once')
    let application = await start()
    const generator = startStreams('StreamsEosTest', 'run', directory, settings)
    try {
      for (const sent of kills) {
        await generator.until(new RegExp(`^${sent} records produced$`, 'm'), sendingMs)
        await application.end('SIGKILL')
        application = await start()
      }
      await generator.until(new RegExp(`^${lastNumber} records produced$`, 'm'), sendingMs)
      await application.end('SIGTERM')
    } finally {
      await application.end('SIGKILL')
      await generator.end('SIGKILL')
    }
    return verify(directory, log)
  })
}

/** The broker alone is enough for the verifier, which waits until nobody is in the group. */
async function verify(directory: string, log: string): Promise<string> {
  const broker = await startOwnBroker({ directory: log })
  const settings = { guarantee: 'exactly-once', 'bootstrap.servers': broker.bootstrapServers } as const
  const verifier = startStreams('StreamsEosTest', 'verify-complex', directory, settings)
  try {
    await verifier.until(/^(ALL-RECORDS-DELIVERED|FAILED)$/m, verifyingMs)
    if (/^FAILED$/m.test(verifier.out)) throw new Error(verifier.out)
    const [, ends = ''] = /^read end offset: (.*)$/m.exec(verifier.out) ?? []
    return `${kills.length} kills, committed of the input: ${ends}`
  } finally {
    await verifier.end('SIGKILL')
    await broker.stop()
  }
}
