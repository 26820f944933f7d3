/**
 * A process to be killed: appends numbered records to two partitions of a directory's topic and prints a line
 * `<partition> <end offset>` for each acknowledgement.
 */
import { openBroker } from '../../src/broker/broker.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { batchOf } from './records.ts'

const [directory, flush] = process.argv.slice(2) as [string, 'fsync' | 'page-cache']
const environment = nodeEnvironment()
const broker = await openBroker({ directory, environment, flush, settings: { segmentBytes: 65_536 } })
await broker.createTopics([{ name: 't', partitions: 2 }])
process.stdout.write('open\n')
await Promise.all([append(0), append(1)])

async function append(partition: number): Promise<void> {
  const log = broker.log('t', partition)
  for (;;) {
    for (let i = 0; i < 5; i++) {
      const from = log.logEndOffset
      log.append(batchOf(...Array.from({ length: 20 }, (_, k) => `${partition}:${from + k}`)))
    }
    const end = log.logEndOffset
    await log.acknowledged()
    process.stdout.write(`${partition} ${end}\n`)
    await environment.timers.nextTurn()
  }
}
