import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { type OwnBroker, startOwnBroker } from '../own-broker.ts'
import type { WatchedProgram } from '../watched-program.ts'
import { smokeTopics } from './smoke-topology.ts'
import { freePort, type Guarantee, inDirectory, startApplication, startStreams } from './streams-programs.ts'

/**
 * Kafka Streams' own smoke test. Its driver sends 20,000 numbers, in a minute and a half, and requires what an application must
 * have made of them: of sums and counts under exactly once the numbers themselves, of final results one for each window.
 */

/**
 * How applications are ended: at least once a final result may come twice after a kill, in Kafka Streams as in Millrace, and the driver
 * takes none that does.
 */
const signals = { 'at-least-once': 'SIGTERM', 'exactly-once': 'SIGKILL' } as const
/** When something is ended and started again: after so many numbers were sent. */
const disturbances = [5_000, 10_000]
const startMs = 60_000
const sendingMs = 180_000
const verifyingMs = 400_000

/** Apache's application on our broker; one of them is ended twice. Resolves with what the driver says of the results. */
export function apacheOnOurBroker(guarantee: Guarantee, ended: 'application' | 'broker'): Promise<string> {
  return inDirectory(async (directory) => {
    const broker = await startOwnBroker()
    let application: WatchedProgram | undefined
    try {
      await makeTopics(broker)
      const start = () =>
        startStreams('StreamsSmokeTest', 'process', directory, {
          guarantee,
          'bootstrap.servers': broker.bootstrapServers,
          'num.stream.threads': '2',
          'replication.factor': '1',
          'acceptable.recovery.lag': '9223372036854775807',
          'session.timeout.ms': '6000',
          'heartbeat.interval.ms': '1000',
          'state.dir': join(directory, 'state'),
        })
      application = start()
      await application.until(/SMOKE-TEST-CLIENT-STARTED/, startMs)
      return await drive(directory, broker.bootstrapServers, guarantee, async () => {
        if (ended === 'broker') return broker.crash()
        await application?.end(signals[guarantee])
        application = start()
      })
    } finally {
      await application?.end('SIGKILL')
      await broker.stop()
    }
  })
}

/** Our application, with the broker within it, ended twice. */
export function ourApplication(guarantee: Guarantee): Promise<string> {
  return inDirectory(async (directory) => {
    const port = await freePort()
    const start = () => startApplication('SmokeTest', join(directory, 'log'), port, guarantee)
    let application = await start()
    try {
      return await drive(directory, `127.0.0.1:${port}`, guarantee, async () => {
        await application.end(signals[guarantee])
        application = await start()
      })
    } finally {
      await application.end('SIGTERM')
    }
  })
}

/** Runs the driver to its end, with the disturbances at their times. */
async function drive(
  directory: string,
  bootstrapServers: string,
  guarantee: Guarantee,
  disturb: () => Promise<void>,
): Promise<string> {
  const settings = { guarantee, 'bootstrap.servers': bootstrapServers }
  const driver = startStreams('StreamsSmokeTest', 'run', directory, settings)
  try {
    for (const sent of disturbances) {
      await driver.until(new RegExp(`^\\S+ ${sent} records produced$`, 'm'), sendingMs)
      await disturb()
    }
    await driver.until(/^(SUCCESS|FAILURE)$/m, sendingMs + verifyingMs)
    if (/^ALL-RECORDS-DELIVERED$/m.test(driver.out) && /^SUCCESS$/m.test(driver.out)) return summaryOf(driver.out)
    const [, said = driver.out] = driver.out.split(/^Result Verification$/m)
    // Lines that are indented are records, thousands of them.
    throw new Error(said.replaceAll(/^\t.*\n/gm, ''))
  } finally {
    await driver.end('SIGKILL')
  }
}

/** How many records the driver saw in each topic in the end. */
function summaryOf(out: string): string {
  const counts = [...out.matchAll(/^\{(.*\bdata=.*)\}$/gm)].at(-1)?.[1] ?? ''
  return `20000 numbers: ${counts}`
}

async function makeTopics({ bootstrapServers }: OwnBroker): Promise<void> {
  const admin = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const topics = smokeTopics.map(({ name, partitions }) => ({ topic: name, numPartitions: partitions }))
  await admin.createTopics({ topics })
  await admin.disconnect()
}
