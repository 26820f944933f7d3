import type { Broker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import type { ProducerIdentity } from '../../../src/broker/transaction/transaction-step.ts'
import { MillraceError } from '../../../src/errors.ts'

/** What the process that is killed and the one that kills it agree on. */

export const topic = 't'
export const group = 'g'
export const recordsPerBatch = 20
/** What a broker remembers of a producer: as many batches may be sent again. */
export const maxInFlight = 5

/** Small segments and frequent checkpoints, so that kills meet each of them. */
export const brokerSettings: Partial<BrokerSettings> = {
  segmentBytes: 65_536,
  indexIntervalBytes: 1_000,
  checkpointIntervalMs: 20,
}

/** The transactional load: its topic, its id, which is its group's too, and what the group has committed of, one offset a transaction. */
export const outputTopic = 'x'
export const outputPartitions = 2
export const transactionalId = 'copier'
export const inputTopic = 'input'
export const recordsPerTransaction = 3

/** The records of a transaction in a partition. */
export function valuesOf(transaction: number, partition: number): string[] {
  return Array.from({ length: recordsPerTransaction }, (_, i) => `${partition}:${transaction}.${i}`)
}

/** Starts the producer anew: who had the id before is shut out, and what it left open is aborted. */
export async function startProducer({ transactions }: Broker): Promise<ProducerIdentity> {
  for (;;) {
    await transactions.settled(transactionalId)
    try {
      return await transactions.initProducerId({ transactionalId, timeoutMs: 60_000 })
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'CONCURRENT_TRANSACTIONS') throw error
    }
  }
}

export function valueAt(partition: number, offset: number): string {
  return `${partition}:${offset}`
}
