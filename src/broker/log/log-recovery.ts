import type { Timers } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { fileUnusable } from '../disk-error.ts'
import { type Damage, type DamageSurroundings, rangeOf } from './damage-search.ts'
import { deletedSuffix, Segment, type SegmentContext } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'
import { recoverSwaps } from './segment-swap.ts'

export interface LogRecoveryOptions {
  readonly context: SegmentContext
  readonly timers: Timers
  readonly topic: string
  readonly partition: number
  readonly directory: string
  /** Where the log began when the checkpoint was written. */
  readonly logStartOffset: number
  /** Everything below it was on the device when the checkpoint was written. */
  readonly recoveryPoint: number
  /** Whether everything was flushed and closed in order, so that nothing has to be scanned. */
  readonly wasCleanlyShutDown: boolean
  /** Where chunks of the files are read into, one log after the other. */
  readonly buffer: Buffer
}

export interface RecoveredLog {
  /** What of them is damaged is in quarantine. */
  readonly segments: Segment[]
  readonly logStartOffset: number
  /** Files of deleted segments, to be removed once the checkpoint says where the log begins. */
  readonly leftovers: readonly string[]
  /** What was found torn beyond the recovery point, and removed; undefined where nothing was. */
  readonly cut: TornTail | undefined
}

export interface TornTail {
  readonly topic: string
  readonly partition: number
  /** Where the log ends now. */
  readonly offset: number
  readonly path: string
  readonly position: number
  readonly fault: string
}

/** The scan gives way to sockets and timers after this much. */
const sliceBytes = 8_388_608

/**
 * Opens the segments of a log as the last process left them.
 *
 * After a clean shutdown, and below the recovery point, the files are taken as they are. From the segment on that the recovery
 * point is in, or at the end of, every batch is checked. The first that is not whole and right ends the log where it lies beyond the recovery
 * point: it was never acknowledged. Below it the damage is put into quarantine and nothing is touched, because what was
 * acknowledged is not ours to cut; the log goes on behind it where that is certain.
 * @throws MillraceError DIRECTORY_UNUSABLE, STORAGE_FAILED
 */
export async function recoverLog(options: LogRecoveryOptions): Promise<RecoveredLog> {
  const { offsets, logStartOffset, leftovers } = findSegments(options)
  const segments = offsets.map((offset) => new Segment(options.context, options.directory, offset))
  try {
    const cut = await checkSegments(segments, options)
    quarantineMissing(segments.at(-1) as Segment, options)
    if ((segments.at(-1) as Segment).nextOffset < logStartOffset) restartAt(logStartOffset, segments, options)
    return { segments, logStartOffset, leftovers, cut }
  } catch (error) {
    for (const segment of segments) segment.close()
    throw options.context.status.unusable(error, 'recovering a log', options.directory)
  }
}

interface FoundSegments {
  readonly offsets: readonly number[]
  readonly logStartOffset: number
  readonly leftovers: readonly string[]
}

/** Which segments there are, without those that were deleted: renamed, or still there under their own names below the log's start. */
function findSegments(options: LogRecoveryOptions): FoundSegments {
  const { context, directory } = options
  let names: string[]
  try {
    names = recoverSwaps(context.disk, directory)
  } catch (error) {
    throw fileUnusable(error, 'listing the segments of a log', directory)
  }
  const found = names.filter((name) => /^\d{20}\.log$/.test(name)).map((name) => Number(name.slice(0, 20)))
  const deleted = names.filter((name) => name.endsWith(deletedSuffix))
  const [first] = found
  // Apache Kafka gives such names also to what a compaction has replaced, or a truncation removed: these are no longer the start.
  const isStartDeleted = first !== undefined && deleted.some((name) => Number(name.slice(0, 20)) < first)
  const logStartOffset = isStartDeleted ? Math.max(options.logStartOffset, first) : options.logStartOffset
  if (first === undefined || first > logStartOffset) throw missingStart(options, first)
  const offsets = found.filter((_, i) => (found[i + 1] ?? Number.POSITIVE_INFINITY) > logStartOffset)
  const below = names.filter((name) => /^\d{20}\./.test(name) && Number(name.slice(0, 20)) < (offsets[0] as number))
  const leftovers = [...new Set([...deleted, ...below])].map((name) => `${directory}/${name}`)
  return { offsets, logStartOffset, leftovers }
}

/** What was deleted is known, what followed it was lost with the power before it was flushed: the log goes on at its start. */
function restartAt(offset: number, segments: Segment[], options: LogRecoveryOptions): void {
  for (const segment of segments.splice(0)) segment.remove()
  segments.push(new Segment(options.context, options.directory, offset, { create: true }))
}

async function checkSegments(segments: Segment[], options: LogRecoveryOptions): Promise<TornTail | undefined> {
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as Segment
    const next = segments[i + 1]
    // Where the recovery point is at its very end, it may have got there before the segment was closed and its indexes saved.
    const isTrusted = options.wasCleanlyShutDown || (next !== undefined && next.baseOffset < options.recoveryPoint)
    const checksums = !isTrusted
    let damage = (await loadSegment(segment, isTrusted, options)) ?? gapAfter(segment, next, options)
    while (damage !== undefined && isAcknowledged(damage, options)) {
      segment.quarantine(rangeOf(damage, segment, surroundingsOf(next, options)))
      damage =
        (await scanOn(segment, { baseOffset: segment.nextOffset, checksums }, options)) ??
        gapAfter(segment, next, options)
    }
    // They may know batches that were lost or are cut now. Of a log with damage they tell where it goes on.
    if (!isTrusted && segment.damaged.length === 0) segment.cutIndexFiles()
    if (damage === undefined) {
      if (next !== undefined) await (isTrusted ? segment.sealTrusted() : segment.seal())
      else if (segment.index.file.hasFullRunUnsaved) segment.saveIndexes()
      continue
    }
    for (const later of segments.splice(i + 1)) later.remove()
    segment.truncateToSize()
    const { topic, partition } = options
    return { topic, partition, path: segment.path, ...damage }
  }
  return undefined
}

function isAcknowledged({ offset }: Damage, { wasCleanlyShutDown, recoveryPoint }: LogRecoveryOptions): boolean {
  return wasCleanlyShutDown || offset < recoveryPoint
}

function surroundingsOf(next: Segment | undefined, options: LogRecoveryOptions): DamageSurroundings {
  const { context, recoveryPoint, wasCleanlyShutDown } = options
  return { disk: context.disk, followedBy: next?.baseOffset, recoveryPoint, endsAtRecoveryPoint: wasCleanlyShutDown }
}

/** Compaction only takes from what is on the device: beyond the recovery point a gap is what was not written. */
function mayHaveGaps(segment: Segment, offset: number, options: LogRecoveryOptions): boolean {
  return segment.allowsGaps && (options.wasCleanlyShutDown || offset <= options.recoveryPoint)
}

/** A segment begins where the one before it ends, or records are missing, unless compaction took them. */
function gapAfter(segment: Segment, next: Segment | undefined, options: LogRecoveryOptions): Damage | undefined {
  if (next === undefined || next.baseOffset === segment.nextOffset) return undefined
  if (next.baseOffset > segment.nextOffset && mayHaveGaps(segment, next.baseOffset, options)) return undefined
  const fault = `the log goes on with offset ${next.baseOffset}`
  return { position: segment.size, offset: segment.nextOffset, fault }
}

async function loadSegment(
  segment: Segment,
  isTrusted: boolean,
  options: LogRecoveryOptions,
): Promise<Damage | undefined> {
  if (!isTrusted) {
    const damage = await scan(segment, true, options)
    if (segment.nextOffset > options.recoveryPoint) rewriteFrom(options.recoveryPoint, segment, options)
    return damage
  }
  segment.index.load(segment.file.size())
  // Where the offset index has no entry everything is counted, so that the time index needs none.
  const hasTimes = segment.timeIndex.load() && (segment.timeIndex.length > 0 || segment.index.length === 0)
  if (!hasTimes) segment.clearIndexes()
  const damage = await scan(segment, false, options)
  const isTimeIndexBeyond = segment.timeIndex.lastOffset >= segment.nextOffset
  if (segment.index.length === 0 && segment.timeIndex.length === 0) return damage
  if (damage === undefined && !isTimeIndexBeyond) return undefined
  // The indexes may be what is wrong: the batches alone decide.
  segment.clearIndexes()
  return scan(segment, false, options)
}

/** Counts the batches of the file, from the last one that the index knows. */
async function scan(segment: Segment, checksums: boolean, options: LogRecoveryOptions): Promise<Damage | undefined> {
  const { length, lastOffset: indexedOffset } = segment.index
  segment.restart()
  if (length === 0) return scanOn(segment, { baseOffset: segment.baseOffset, checksums }, options)
  return scanOn(segment, { baseOffset: undefined, checksums, indexedOffset }, options)
}

interface Scan {
  /** The offset that is due; undefined where it is not known. */
  readonly baseOffset: number | undefined
  readonly checksums: boolean
  /** The last offset of the first batch, as the index has it. */
  readonly indexedOffset?: number
}

/** Counts the batches from where the segment's count has come to. */
async function scanOn(
  segment: Segment,
  { baseOffset, checksums, indexedOffset }: Scan,
  options: LogRecoveryOptions,
): Promise<Damage | undefined> {
  const position = segment.size
  const { damaged } = segment
  const allowsGaps = mayHaveGaps(segment, segment.baseOffset, options)
  const { buffer } = options
  const scanner = new SegmentScanner(segment.file, { position, baseOffset, checksums, damaged, allowsGaps, buffer })
  let sliceEnd = position + sliceBytes
  while (scanner.next()) {
    if (scanner.position === position && indexedOffset !== undefined && scanner.lastOffset !== indexedOffset) {
      return { position, offset: segment.nextOffset, fault: `the index says that it ends with offset ${indexedOffset}` }
    }
    segment.addBatch(scanner.lastOffset, scanner.size, scanner.maxTimestamp)
    if (scanner.position < sliceEnd) continue
    sliceEnd = scanner.position + sliceBytes
    await options.timers.nextTurn()
  }
  if (scanner.fault === undefined) return undefined
  return { position: scanner.position, offset: segment.nextOffset, fault: scanner.fault }
}

/**
 * Writes what lies beyond the recovery point once more. After a failed fsync the pages may be in memory only and yet count
 * as clean, so that the fsync at the end of the recovery would pass over them.
 */
function rewriteFrom(recoveryPoint: number, segment: Segment, options: LogRecoveryOptions): void {
  const { context, buffer } = options
  const from = recoveryPoint <= segment.baseOffset ? 0 : segment.index.lookup(recoveryPoint)
  try {
    for (let position = from; position < segment.size; position += buffer.length) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, segment.size - position))
      segment.file.read(chunk, position)
      segment.file.write(chunk, position)
    }
  } catch (error) {
    throw context.status.goOffline('writing the end of a log again', segment.path, error)
  }
}

function missingStart(options: LogRecoveryOptions, firstOffset: number | undefined): Error {
  const { topic, partition, directory: path } = options
  const found = firstOffset === undefined ? 'there is no segment at all' : `the first begins with offset ${firstOffset}`
  return new MillraceError('DIRECTORY_UNUSABLE', `The start of the log is missing: ${found}`, {
    at: { topic, partition, path },
    remedy: 'Put back the files that were removed.',
  })
}

/** Records that the checkpoint knows and the file does not hold any more. */
function quarantineMissing(last: Segment, options: LogRecoveryOptions): void {
  const { recoveryPoint, wasCleanlyShutDown, logStartOffset } = options
  const { path, size, nextOffset: offset } = last
  if (offset >= recoveryPoint || logStartOffset >= recoveryPoint) return
  const fault = `the file ends with offset ${offset - 1}, but it was on the device up to ${recoveryPoint - 1}`
  const range = { path, position: size, endPosition: size, offset, nextOffset: recoveryPoint, fault }
  last.quarantine({ ...range, isEndKnown: wasCleanlyShutDown })
}
