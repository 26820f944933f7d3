/**
 * A process to be killed: an idempotent producer for each partition of a topic, and a group that commits how far one of them
 * has come. It is given how many records of each partition were acknowledged, sends what follows, as a producer does that got
 * no answer, and prints a line for each acknowledgement: `<partition> <end offset>`, `group <offset>`, `topic <name>`.
 */
import { openBroker } from '../../../src/broker/broker.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { batchOfRecords } from '../records.ts'
import { brokerSettings, group, maxInFlight, recordsPerBatch, topic, valueAt } from './kill-load.ts'

const [directory, flush, acknowledged, newTopic] = process.argv.slice(2) as [
  string,
  'fsync' | 'page-cache',
  string,
  string,
]
const environment = nodeEnvironment()
const broker = await openBroker({ directory, environment, flush, settings: brokerSettings })
const starts = JSON.parse(acknowledged) as number[]
await broker.createTopics([{ name: topic, partitions: starts.length }])
process.stdout.write('open\n')
if (newTopic !== '') {
  await broker.createTopics([{ name: newTopic, partitions: 1 }])
  process.stdout.write(`topic ${newTopic}\n`)
}
await Promise.all(starts.map((start, partition) => append(partition, start)))

async function append(partition: number, start: number): Promise<void> {
  const log = broker.log(topic, partition)
  for (let next = start; ; ) {
    for (let i = 0; i < maxInFlight; i++, next += recordsPerBatch) {
      const records = Array.from({ length: recordsPerBatch }, (_, k) => ({ value: valueAt(partition, next + k) }))
      log.append(batchOfRecords(records, {}, { producerId: partition, producerEpoch: 0, baseSequence: next }))
    }
    await log.acknowledged()
    process.stdout.write(`${partition} ${next}\n`)
    if (partition === 0 && next % 1_000 === 0) {
      await broker.offsets.commit(group, [{ topic, partition, offset: next, metadata: '' }])
      process.stdout.write(`group ${next}\n`)
    }
    await environment.timers.nextTurn()
  }
}
