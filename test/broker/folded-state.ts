import type { Broker } from '../../src/broker/broker.ts'
import { readGroupMetadataKey, readGroupMetadataValue } from '../../src/broker/group/group-metadata-record.ts'
import { GroupOffsets } from '../../src/broker/group/group-offsets.ts'
import { LogFold } from '../../src/broker/log-fold.ts'
import { offsetsTopic, transactionsTopic } from '../../src/broker/topics.ts'
import { readTransactionKey, readTransactionValue } from '../../src/broker/transaction/transaction-record.ts'

/** The state of the broker's coordinators, live or folded anew from what their logs hold. */
export interface CoordinatedState {
  /** By transactional id. */
  readonly transactions: ReadonlyMap<string, unknown>
  /** By group, sorted. */
  readonly offsets: ReadonlyMap<string, readonly unknown[]>
  /** As they were last kept, by group. */
  readonly groups: ReadonlyMap<string, unknown>
}

/** What the coordinators hold in memory. */
export function liveState(broker: Broker): CoordinatedState {
  return {
    transactions: sorted(broker.transactions.entries()),
    offsets: sorted(broker.offsets.groups().map((group) => [group, inOrder(broker.offsets.offsetsOf(group))])),
    groups: sorted(broker.offsets.keptGroups),
  }
}

/** What a fold of `__transaction_state` and `__consumer_offsets` from their starts gives, with code of its own for the keys. */
export function foldedState(broker: Broker): CoordinatedState {
  const transactions = new Map<string, unknown>()
  fold(broker, transactionsTopic, (record) => {
    const id = readTransactionKey(record.bytes, record.keyStart, record.keyEnd) as string
    if (record.valueStart < 0) transactions.delete(id)
    else transactions.set(id, readTransactionValue(record.bytes, record.valueStart, record.valueEnd))
  })
  const offsets = new GroupOffsets()
  const groups = new Map<string, unknown>()
  fold(broker, offsetsTopic, (record) => {
    if (offsets.apply(record)) return
    const group = readGroupMetadataKey(record.bytes, record.keyStart, record.keyEnd)
    if (group === undefined) return
    if (record.valueStart < 0) groups.delete(group)
    else groups.set(group, readGroupMetadataValue(record.bytes, record.valueStart, record.valueEnd))
  })
  return {
    transactions: sorted(transactions),
    offsets: sorted(offsets.groups().map((group) => [group, inOrder(offsets.offsetsOf(group))])),
    groups: sorted(groups),
  }
}

function fold(broker: Broker, topic: string, apply: ConstructorParameters<typeof LogFold>[1]): void {
  for (let partition = 0; partition < (broker.topics.get(topic)?.partitions ?? 0); partition++) {
    new LogFold(broker.log(topic, partition), apply).catchUp()
  }
}

function inOrder(offsets: readonly { readonly topic: string; readonly partition: number }[]): readonly unknown[] {
  return [...offsets].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
}

function sorted<V>(entries: Iterable<readonly [string, V]>): Map<string, V> {
  return new Map([...entries].sort(([a], [b]) => a.localeCompare(b)))
}
