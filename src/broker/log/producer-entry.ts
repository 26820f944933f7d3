import { baseSequenceOf, lastOffsetDeltaAt, lastOffsetOf, unset } from '../../record/batch-format.ts'

/** How many batches of a producer are remembered: as many as a producer may have on their way (KIP-98, KAFKA-5494). */
const batchesRemembered = 5

const maxSequence = 2_147_483_647

/** Where a batch of a producer is: sequence numbers count records and start again at 0 after 2^31 - 1. */
export interface SequencedBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  /** Records in it, less one. */
  readonly offsetDelta: number
}

/** What a partition knows of one producer (org.apache.kafka.storage.internals.log.ProducerStateEntry). */
export class ProducerEntry {
  readonly producerId: number
  producerEpoch: number = unset
  /** The coordinator that wrote the last marker. */
  coordinatorEpoch: number = unset
  /** The greatest timestamp of its last batch, or the time of its last marker. */
  lastTimestamp: number = unset
  /** Where its open transaction began; -1 where there is none. */
  transactionStart: number = unset
  /** When it was last heard of, by this process's clock: for its expiry. */
  seenMs = 0
  /** The last batches of its epoch, oldest first. */
  readonly batches: SequencedBatch[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get hasOpenTransaction(): boolean {
    return this.transactionStart >= 0
  }

  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? unset
  }

  get lastDataOffset(): number {
    return this.batches.at(-1)?.lastOffset ?? unset
  }

  get lastOffsetDelta(): number {
    return this.batches.at(-1)?.offsetDelta ?? 0
  }

  /** The first offset of the batch with exactly these sequence numbers, where it is remembered. */
  offsetOf(producerEpoch: number, firstSequence: number, lastSequence: number): number | undefined {
    if (producerEpoch !== this.producerEpoch) return undefined
    const same = this.batches.find((batch) => {
      return batch.lastSequence === lastSequence && firstSequenceOf(batch) === firstSequence
    })
    return same === undefined ? undefined : same.lastOffset - same.offsetDelta
  }

  addBatch(producerEpoch: number, batch: SequencedBatch, timestamp: number): void {
    this.#enterEpoch(producerEpoch)
    if (this.batches.length === batchesRemembered) this.batches.shift()
    this.batches.push(batch)
    this.lastTimestamp = timestamp
  }

  /** Remembers batches in front of those that are known, as far as there is room. */
  precede(batches: readonly SequencedBatch[]): void {
    const [first] = this.batches
    if (first === undefined) return
    const earlier = batches.filter((batch) => batch.lastOffset < first.lastOffset)
    const room = batchesRemembered - this.batches.length
    if (room > 0) this.batches.unshift(...earlier.slice(-room))
  }

  endTransaction(producerEpoch: number, coordinatorEpoch: number, timestamp: number): void {
    this.#enterEpoch(producerEpoch)
    this.coordinatorEpoch = coordinatorEpoch
    this.lastTimestamp = timestamp
    this.transactionStart = unset
  }

  #enterEpoch(producerEpoch: number): void {
    if (producerEpoch === this.producerEpoch) return
    this.batches.length = 0
    this.producerEpoch = producerEpoch
  }
}

/** The sequence number `count` records after another. */
export function sequenceAfter(sequence: number, count: number): number {
  return sequence > maxSequence - count ? count - (maxSequence - sequence) - 1 : sequence + count
}

/** Whether records with the one number come right after those with the other. */
export function follows(sequence: number, last: number): boolean {
  return sequence === sequenceAfter(last, 1)
}

function firstSequenceOf({ lastSequence, offsetDelta }: SequencedBatch): number {
  return lastSequence < offsetDelta ? maxSequence - (offsetDelta - lastSequence) + 1 : lastSequence - offsetDelta
}

/** The sequence numbers of the batch at `start`, which has a producer id and is at its offset. */
export function sequencedBatch(bytes: Buffer, start: number): SequencedBatch {
  const sequence = baseSequenceOf(bytes, start)
  const offsetDelta = bytes.readInt32BE(start + lastOffsetDeltaAt)
  const lastSequence = sequence < 0 ? unset : sequenceAfter(sequence, offsetDelta)
  return { lastSequence, lastOffset: lastOffsetOf(bytes, start), offsetDelta }
}
