/**
 * A process to be killed: a transactional producer that does one transaction for each offset of an input that is not there, and
 * commits the offset in it, as an application does that runs exactly once. It begins where its group stands, aborts each
 * third transaction before it does it again, and prints `transaction <next>` when one is committed.
 */
import { openBroker } from '../../../src/broker/broker.ts'
import { offsetsTopic } from '../../../src/broker/topics.ts'
import type { ProducerIdentity } from '../../../src/broker/transaction/transaction-step.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { batchOfRecords } from '../records.ts'
import {
  brokerSettings,
  inputTopic,
  outputPartitions,
  outputTopic,
  startProducer,
  transactionalId,
  valuesOf,
} from './kill-load.ts'

const [directory, flush] = process.argv.slice(2) as [string, 'fsync' | 'page-cache']
const environment = nodeEnvironment()
const broker = await openBroker({ directory, environment, flush, settings: brokerSettings })
await broker.createTopics([{ name: outputTopic, partitions: outputPartitions }])
process.stdout.write('open\n')
let producer = await startProducer(broker)
// Stable: the transaction that the last process has committed may still be getting its markers.
await broker.transactions.settled(transactionalId)
let next = broker.offsets.committed(transactionalId, inputTopic, 0)?.offset ?? 0
for (; ; next++) {
  if (next % 3 === 0) await transact(next, 'abort', producer)
  await transact(next, 'commit', producer)
  process.stdout.write(`transaction ${next + 1}\n`)
  await environment.timers.nextTurn()
}

async function transact(transaction: number, outcome: 'commit' | 'abort', identity: ProducerIdentity): Promise<void> {
  const request = { transactionalId, ...identity }
  const outputs = Array.from({ length: outputPartitions }, (_, partition) => ({ topic: outputTopic, partition }))
  const offsetsPartition = await broker.offsets.partitionFor(transactionalId)
  await broker.transactions.addPartitions(request, [...outputs, { topic: offsetsTopic, partition: offsetsPartition }])
  for (const { partition } of outputs) {
    for (const [i, value] of valuesOf(transaction, partition).entries()) {
      const text = outcome === 'commit' ? value : `aborted ${value}`
      const header = { ...identity, baseSequence: i, isTransactional: true }
      broker.append(broker.log(outputTopic, partition), batchOfRecords([{ value: text }], {}, header))
    }
  }
  const offset = { topic: inputTopic, partition: 0, offset: transaction + 1, metadata: '' }
  await broker.offsets.commit(transactionalId, [offset], identity)
  await Promise.all(outputs.map(({ partition }) => broker.log(outputTopic, partition).acknowledged()))
  producer = await broker.transactions.end(request, outcome)
  await broker.transactions.settled(transactionalId)
}
