import type {
  ConsumerGroupRecord,
  KeptConsumerGroup,
} from '../../../../src/broker/group/consumer/consumer-group-event.ts'
import {
  writeConsumerGroupKey,
  writeConsumerGroupValue,
} from '../../../../src/broker/group/consumer/consumer-group-log-record.ts'
import { KeptConsumerGroups } from '../../../../src/broker/group/consumer/kept-consumer-groups.ts'
import { BatchBuilder } from '../../../../src/record/batch-builder.ts'
import { BatchReader } from '../../../../src/record/batch-reader.ts'

/** A log in memory that keeps one group, by way of the bytes of its records. */
export class KeptGroup {
  readonly #groups = new KeptConsumerGroups()
  readonly #reader = new BatchReader()

  get kept(): KeptConsumerGroup | undefined {
    return this.#groups.get('g')
  }

  keep(records: readonly ConsumerGroupRecord[]): void {
    if (records.length === 0) return
    const builder = new BatchBuilder()
    for (const record of records) {
      const key = writeConsumerGroupKey('g', record)
      const value = writeConsumerGroupValue(record)
      builder.append(0, key, 0, key.length, value, 0, value?.length ?? -1)
    }
    this.#reader.reset(builder.finish())
    while (this.#reader.nextBatch()) while (this.#reader.next()) this.#groups.apply(this.#reader)
  }
}
