import type { Timers } from '../../env/environment.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerStates } from './producer-states.ts'
import { completeWindows } from './producer-windows.ts'
import type { Segment } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

/** What a log's producers are recovered from and into. */
export interface ProducerRecovery {
  readonly segments: readonly Segment[]
  readonly producers: ProducerStates
  readonly snapshots: ProducerSnapshots
  /** Where chunks of the files are read into. */
  readonly buffer: Buffer
}

/** The scan gives way to sockets and timers after this much. */
const sliceBytes = 8_388_608

/**
 * Brings the states of a log's producers to its end: from the last snapshot that is not above `trustedOffset`, and the
 * batches behind it. The indexes of aborted transactions are made again from there on: those of whole segments where the
 * last process was not closed in order, because of an entry that was torn nobody can tell whether it is right.
 */
export async function recoverProducers(
  recovery: ProducerRecovery,
  trustedOffset: number,
  timers: Timers,
): Promise<void> {
  const replay = startReplay(recovery, trustedOffset)
  let sliceEnd = sliceBytes
  while (replay.next()) {
    if (replay.bytes < sliceEnd) continue
    sliceEnd = replay.bytes + sliceBytes
    await timers.nextTurn()
  }
}

/** The same after a truncation, at once. */
export function rewindProducers(recovery: ProducerRecovery, trustedOffset: number): void {
  const replay = startReplay(recovery, trustedOffset)
  while (replay.next());
}

function startReplay(recovery: ProducerRecovery, trustedOffset: number): Replay {
  const { segments, producers, snapshots } = recovery
  const startOffset = (segments[0] as Segment).baseOffset
  snapshots.removeBelow(startOffset)
  let snapshot = snapshots.latestUpTo(trustedOffset)
  // The index that the replay goes on with: where it cannot be right, it is made again from its start.
  const { offset } = snapshot
  const open = segments.find(({ baseOffset, nextOffset }) => baseOffset < offset && offset <= nextOffset)
  if (open !== undefined && !open.transactions.isOf(open.baseOffset, open.nextOffset)) {
    snapshot = snapshots.latestUpTo(open.baseOffset)
  }
  snapshots.removeStray(new Set(segments.map((segment) => segment.baseOffset)))
  const from = Math.max(snapshot.offset, startOffset)
  completeWindows(snapshot.entries, from, segments, recovery.buffer)
  producers.load(snapshot.entries, from)
  for (const { baseOffset, nextOffset, transactions } of segments) {
    if (baseOffset >= from) transactions.clear()
    else if (nextOffset >= from) transactions.truncate(from)
  }
  return new Replay(recovery, from)
}

/** Reads the batches of a log from an offset to its end and takes account of each. */
class Replay {
  bytes = 0
  readonly #recovery: ProducerRecovery
  readonly #from: number
  #segment = -1
  #scanner: SegmentScanner | undefined

  constructor(recovery: ProducerRecovery, from: number) {
    this.#recovery = recovery
    this.#from = from
  }

  next(): boolean {
    const { segments, producers } = this.#recovery
    while (this.#scanner === undefined || !this.#scanner.next()) if (!this.#nextSegment()) return false
    const { lastOffset, size } = this.#scanner
    this.bytes += size
    if (lastOffset < this.#from) return true
    const ended = producers.apply(this.#scanner.batch(), 0)
    if (ended?.isAborted === true) (segments[this.#segment] as Segment).transactions.append(ended)
    return true
  }

  #nextSegment(): boolean {
    const { segments, buffer } = this.#recovery
    for (this.#segment++; this.#segment < segments.length; this.#segment++) {
      const segment = segments[this.#segment] as Segment
      if (segment.nextOffset <= this.#from) continue
      const position = segment.positionOf(this.#from)
      this.#scanner = new SegmentScanner(segment.file, {
        position,
        baseOffset: undefined,
        checksums: false,
        damaged: segment.damaged,
        allowsGaps: segment.allowsGaps,
        buffer,
      })
      return true
    }
    return false
  }
}
