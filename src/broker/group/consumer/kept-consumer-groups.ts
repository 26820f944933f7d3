import type { BatchReader } from '../../../record/batch-reader.ts'
import type { ConsumerGroupRecord, KeptConsumerGroup } from './consumer-group-event.ts'
import { type ConsumerGroupKey, readConsumerGroupKey, readConsumerGroupValue } from './consumer-group-log-record.ts'

/** Consumer groups as they were last kept: the fold of their records in the log. */
export class KeptConsumerGroups {
  readonly #groups = new Map<string, KeptConsumerGroup>()

  entries(): IterableIterator<[string, KeptConsumerGroup]> {
    return this.#groups.entries()
  }

  get(group: string): KeptConsumerGroup | undefined {
    return this.#groups.get(group)
  }

  /** False where the record is of something else. */
  apply({ bytes, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): boolean {
    const key = keyStart < 0 ? undefined : readConsumerGroupKey(bytes, keyStart, keyEnd)
    if (key === undefined) return false
    if (valueStart < 0) this.#takeAway(key)
    else put(this.#make(key.group), readConsumerGroupValue(key, bytes, valueStart, valueEnd))
    return true
  }

  #make(group: string): KeptConsumerGroup {
    let kept = this.#groups.get(group)
    if (kept === undefined) {
      kept = {
        epoch: 0,
        metadataHash: 0,
        targetEpoch: 0,
        members: new Map(),
        targets: new Map(),
        assignments: new Map(),
      }
      this.#groups.set(group, kept)
    }
    return kept
  }

  #takeAway({ group, part, memberId }: ConsumerGroupKey): void {
    const kept = this.#groups.get(group)
    if (kept === undefined) return
    if (part === 'group') this.#groups.delete(group)
    else if (part === 'member') kept.members.delete(memberId)
    else if (part === 'target-member') kept.targets.delete(memberId)
    else if (part === 'assignment') kept.assignments.delete(memberId)
  }
}

function put(kept: KeptConsumerGroup, record: ConsumerGroupRecord): void {
  if (record.value === null) return
  if (record.part === 'group') Object.assign(kept, record.value)
  else if (record.part === 'target') kept.targetEpoch = record.value.epoch
  else if (record.part === 'member') kept.members.set(record.memberId, record.value)
  else if (record.part === 'target-member') kept.targets.set(record.memberId, record.value)
  else kept.assignments.set(record.memberId, record.value)
}
