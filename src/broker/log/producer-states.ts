import type { Clock } from '../../env/environment.ts'
import { MillraceError, type Place } from '../../errors.ts'
import {
  attributesOf,
  baseOffsetOf,
  baseSequenceOf,
  batchSize,
  controlBit,
  lastOffsetOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
  transactionalBit,
  unset,
} from '../../record/batch-format.ts'
import { readTransactionMarker, type TransactionMarker } from '../../record/control-record.ts'
import { follows, ProducerEntry, sequenceAfter, sequencedBatch } from './producer-entry.ts'

/**
 * Who appends: a client, whose sequence numbers are checked; a coordinator of the broker's own, whose records have none;
 * or nobody, because the batches were in a log already.
 */
export type AppendOrigin = 'client' | 'coordinator'

/** Throws where the producer has not made the partition part of its open transaction. */
export type TransactionVerifier = (producerId: number, producerEpoch: number) => void

export interface ProducerStatesOptions {
  readonly clock: Clock
  /** A producer that was not heard of for this long is forgotten, unless it has an open transaction. */
  readonly expirationMs: number
  /** At most this many are remembered; then those that were not heard of for longest are forgotten first. */
  readonly maxProducers: number
  readonly place: Place
}

/** A transaction of one partition that its marker has ended. */
export interface EndedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's. */
  readonly lastOffset: number
  readonly isAborted: boolean
  /** Below it every transaction is decided, this one included. */
  readonly lastStableOffset: number
}

/**
 * What a partition knows of its producers: which batches they wrote last, so that none is written twice or out of order, and
 * which transactions are open. It follows from the batches of the log alone (org.apache.kafka.storage.internals.log.
 * ProducerStateManager): `check` looks before an append, `apply` takes account of what was appended, or is read again.
 */
export class ProducerStates {
  /** The offset after the last batch that was taken account of. */
  endOffset = 0
  readonly #options: ProducerStatesOptions
  /** By producer id, those heard of last at the end. */
  readonly #entries = new Map<number, ProducerEntry>()
  /** First offsets of open transactions with their producers; because a log grows at its end they are in order. */
  readonly #open = new Map<number, number>()
  /** First offset and marker of transactions that have ended, where readers may not see the marker yet. */
  #unseen: { readonly firstOffset: number; readonly lastOffset: number }[] = []

  constructor(options: ProducerStatesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  /** Where the first transaction begins that is open, or whose end readers may not see yet; undefined where there is none. */
  get firstUnstableOffset(): number | undefined {
    let first: number | undefined = this.#open.keys().next().value
    for (const { firstOffset } of this.#unseen) if (first === undefined || firstOffset < first) first = firstOffset
    return first
  }

  /** Readers may see what is below the offset. */
  onHighWatermark(offset: number): void {
    if (this.#unseen.length > 0) this.#unseen = this.#unseen.filter((ended) => ended.lastOffset >= offset)
  }

  /**
   * Whether the batches, which were not appended yet, may be. Returns the offset of the first record where they are in the
   * log already, because a producer sends again what it got no answer for.
   * @throws MillraceError INVALID_RECORD, INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE,
   * TRANSACTION_COORDINATOR_FENCED
   */
  check(batches: Buffer, origin: AppendOrigin): number | undefined {
    for (let start = 0; start < batches.length; start += batchSize(batches, start)) {
      const isControl = (attributesOf(batches, start) & controlBit) !== 0
      if (isControl && origin === 'client') throw this.#invalid('Only the log itself writes control records')
      if (producerIdOf(batches, start) < 0) {
        if ((attributesOf(batches, start) & (transactionalBit | controlBit)) === 0) continue
        throw this.#invalid('A batch of a transaction has no producer id')
      }
      if (batchSize(batches, 0) !== batches.length) {
        throw this.#invalid('A batch with a producer id is appended together with others')
      }
      if (isControl) this.#checkMarker(readTransactionMarker(batches, 0, batches.length))
      else return this.#checkBatch(batches, origin)
    }
    return undefined
  }

  /** Asks about a checked batch of a transaction that is not open here with this epoch. */
  verify(batch: Buffer, verify: TransactionVerifier): void {
    if ((attributesOf(batch, 0) & transactionalBit) === 0) return
    const producerId = producerIdOf(batch, 0)
    const producerEpoch = producerEpochOf(batch, 0)
    const entry = this.#entries.get(producerId)
    if (entry?.hasOpenTransaction !== true || entry.producerEpoch !== producerEpoch) verify(producerId, producerEpoch)
  }

  /** Takes account of the batch at `start`, which is in the log at its offset; the transaction that it ended, if it did. */
  apply(bytes: Buffer, start: number): EndedTransaction | undefined {
    const lastOffset = lastOffsetOf(bytes, start)
    this.endOffset = lastOffset + 1
    const producerId = producerIdOf(bytes, start)
    if (producerId < 0) return undefined
    const attributes = attributesOf(bytes, start)
    if ((attributes & controlBit) !== 0) {
      const marker = readTransactionMarker(bytes, start, start + batchSize(bytes, start))
      return marker === undefined ? undefined : this.#end(marker, lastOffset)
    }
    const entry = this.#touch(producerId)
    entry.addBatch(producerEpochOf(bytes, start), sequencedBatch(bytes, start), maxTimestampOf(bytes, start))
    if ((attributes & transactionalBit) === 0 || entry.hasOpenTransaction) return undefined
    entry.transactionStart = baseOffsetOf(bytes, start)
    this.#open.set(entry.transactionStart, producerId)
    return undefined
  }

  /** The transaction that a marker at its offset ends, which is not taken account of yet; undefined for all other batches. */
  endedBy(bytes: Buffer): EndedTransaction | undefined {
    if ((attributesOf(bytes, 0) & controlBit) === 0) return undefined
    const marker = readTransactionMarker(bytes, 0, batchSize(bytes, 0))
    return marker && this.#endedBy(marker, lastOffsetOf(bytes, 0))
  }

  /** Starts over from a snapshot, or from nothing. */
  load(entries: readonly ProducerEntry[], endOffset: number): void {
    this.#entries.clear()
    this.#open.clear()
    this.#unseen = []
    this.endOffset = endOffset
    const nowMs = this.#options.clock.wallMs()
    for (const entry of entries) {
      entry.seenMs = nowMs
      this.#entries.set(entry.producerId, entry)
    }
    const open = entries.filter((entry) => entry.hasOpenTransaction)
    for (const entry of open.sort((a, b) => a.transactionStart - b.transactionStart)) {
      this.#open.set(entry.transactionStart, entry.producerId)
    }
  }

  /** Forgets producers whose time is over. */
  expire(): void {
    const before = this.#options.clock.wallMs() - this.#options.expirationMs
    for (const entry of this.#entries.values()) {
      if (entry.seenMs > before) return
      if (!entry.hasOpenTransaction) this.#entries.delete(entry.producerId)
    }
  }

  #checkBatch(bytes: Buffer, origin: AppendOrigin): number | undefined {
    const entry = this.#entries.get(producerIdOf(bytes, 0))
    const epoch = producerEpochOf(bytes, 0)
    // What can be wrong with it must be found before it is in the log.
    maxTimestampOf(bytes, 0)
    const sequence = baseSequenceOf(bytes, 0)
    if (origin === 'client') {
      if (sequence < 0) throw this.#invalid(`The batch of producer ${producerIdOf(bytes, 0)} has no sequence number`)
      const written = entry?.offsetOf(epoch, sequence, sequencedBatch(bytes, 0).lastSequence)
      if (written !== undefined) return written
    }
    if (entry === undefined) return undefined
    this.#requireEpoch(entry, epoch)
    if (origin === 'client') this.#requireSequence(entry, epoch, sequence)
    if (entry.hasOpenTransaction && (attributesOf(bytes, 0) & transactionalBit) === 0) {
      const what = `Producer ${entry.producerId} has a transaction open here, and wrote a batch that is not part of it`
      throw new MillraceError('INVALID_TXN_STATE', what, { at: this.#options.place })
    }
    return undefined
  }

  #checkMarker(marker: TransactionMarker | undefined): void {
    const entry = marker && this.#entries.get(marker.producerId)
    if (marker === undefined || entry === undefined) return
    this.#requireEpoch(entry, marker.producerEpoch)
    if (marker.coordinatorEpoch >= entry.coordinatorEpoch) return
    const what = `The marker is of coordinator epoch ${marker.coordinatorEpoch}, and ${entry.coordinatorEpoch} wrote one before`
    throw new MillraceError('TRANSACTION_COORDINATOR_FENCED', what, { at: this.#options.place })
  }

  #requireEpoch(entry: ProducerEntry, epoch: number): void {
    if (epoch >= entry.producerEpoch) return
    const what = `Producer ${entry.producerId} writes with epoch ${epoch}, but has had epoch ${entry.producerEpoch} here`
    throw new MillraceError('INVALID_PRODUCER_EPOCH', what, {
      at: this.#options.place,
      remedy: 'Another producer with the same transactional id, or a timeout, has ended this one: start it anew.',
    })
  }

  /** A producer whose batches were all removed, or forgotten, may go on with any number, as in Kafka. */
  #requireSequence(entry: ProducerEntry, epoch: number, sequence: number): void {
    const isNewEpoch = epoch !== entry.producerEpoch
    if (entry.producerEpoch === unset) return
    // Without a batch of this epoch the last sequence number is -1, behind which 0 comes.
    const last = isNewEpoch ? unset : entry.lastSequence
    if (follows(sequence, last)) return
    const due = sequenceAfter(last, 1)
    const what = `Producer ${entry.producerId} writes sequence number ${sequence} where ${due} is due`
    throw new MillraceError('OUT_OF_ORDER_SEQUENCE_NUMBER', what, {
      at: this.#options.place,
      remedy:
        'A batch before it is missing. Do not send what follows: start the producer anew, or its transaction again.',
    })
  }

  #endedBy({ producerId, outcome }: TransactionMarker, lastOffset: number): EndedTransaction | undefined {
    const firstOffset = this.#entries.get(producerId)?.transactionStart ?? unset
    // A marker without data behind it only fences.
    if (firstOffset < 0) return undefined
    let lastStableOffset = lastOffset + 1
    for (const open of this.#open.keys()) {
      if (open === firstOffset) continue
      lastStableOffset = open
      break
    }
    return { producerId, firstOffset, lastOffset, isAborted: outcome === 'abort', lastStableOffset }
  }

  #end(marker: TransactionMarker, markerOffset: number): EndedTransaction | undefined {
    const ended = this.#endedBy(marker, markerOffset)
    const entry = this.#touch(marker.producerId)
    entry.endTransaction(marker.producerEpoch, marker.coordinatorEpoch, marker.timestamp)
    if (ended === undefined) return undefined
    this.#open.delete(ended.firstOffset)
    this.#unseen.push(ended)
    return ended
  }

  /** The entry, made where it is missing, and moved behind all others. */
  #touch(producerId: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      this.expire()
      if (this.#entries.size >= this.#options.maxProducers) this.#dropOldest()
      entry = new ProducerEntry(producerId)
    } else {
      this.#entries.delete(producerId)
    }
    this.#entries.set(producerId, entry)
    entry.seenMs = this.#options.clock.wallMs()
    return entry
  }

  #dropOldest(): void {
    for (const entry of this.#entries.values()) {
      if (entry.hasOpenTransaction) continue
      this.#entries.delete(entry.producerId)
      return
    }
  }

  #invalid(what: string): MillraceError {
    return new MillraceError('INVALID_RECORD', what, { at: this.#options.place })
  }
}
