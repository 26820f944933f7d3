import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'

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

export function valueAt(partition: number, offset: number): string {
  return `${partition}:${offset}`
}
