import type { Timers } from '../../env/environment.ts'
import { MillraceError, type Place } from '../../errors.ts'
import { fileUnusable } from '../disk-error.ts'
import { damagedBatch } from './log-cursor.ts'
import { deletedSuffix, Segment, type SegmentContext } from './segment.ts'
import { SegmentScanner } from './segment-scanner.ts'

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

/** A batch that is not right, where it is and which offset was due there. */
interface Damage {
  readonly position: number
  readonly offset: number
  readonly fault: string
}

/**
 * Opens the segments of a log as the last process left them.
 *
 * After a clean shutdown, and below the recovery point, the files are taken as they are. From the segment with the recovery
 * point on, every batch is checked. The first that is not whole and right ends the log where it lies beyond the recovery
 * point: it was never acknowledged. Below it the damage is reported and nothing is touched, because what was acknowledged
 * is not ours to cut.
 * @throws MillraceError CORRUPT_BATCH, DIRECTORY_UNUSABLE, STORAGE_FAILED
 */
export async function recoverLog(options: LogRecoveryOptions): Promise<RecoveredLog> {
  const { offsets, logStartOffset, leftovers } = findSegments(options)
  const segments = offsets.map((offset) => new Segment(options.context, options.directory, offset))
  try {
    const cut = await checkSegments(segments, options)
    requireAcknowledged(segments.at(-1) as Segment, options)
    if ((segments.at(-1) as Segment).nextOffset < logStartOffset) restartAt(logStartOffset, segments, options)
    return { segments, logStartOffset, leftovers, cut }
  } catch (error) {
    for (const segment of segments) segment.close()
    throw error
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
    names = context.disk.list(directory)
  } catch (error) {
    throw fileUnusable(error, 'listing the segments of a log', directory)
  }
  const found = names.filter((name) => /^\d{20}\.log$/.test(name)).map((name) => Number(name.slice(0, 20)))
  const deleted = names.filter((name) => name.endsWith(deletedSuffix))
  const lastDeleted = Math.max(-1, ...deleted.map((name) => Number(name.slice(0, 20))))
  const firstKept = found.find((offset) => offset > lastDeleted) ?? 0
  const logStartOffset = lastDeleted < 0 ? options.logStartOffset : Math.max(options.logStartOffset, firstKept)
  const first = found[0]
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
    const isTrusted = options.wasCleanlyShutDown || (next !== undefined && next.baseOffset <= options.recoveryPoint)
    const damage = (await loadSegment(segment, isTrusted, options)) ?? gapAfter(segment, next)
    if (damage === undefined) {
      if (next !== undefined) segment.seal()
      continue
    }
    if (options.wasCleanlyShutDown || damage.offset < options.recoveryPoint) throw damaged(segment, damage, options)
    for (const later of segments.splice(i + 1)) later.remove()
    segment.truncateToSize()
    const { topic, partition } = options
    return { topic, partition, path: segment.path, ...damage }
  }
  return undefined
}

/** A segment begins where the one before it ends, or records are missing. */
function gapAfter(segment: Segment, next: Segment | undefined): Damage | undefined {
  if (next === undefined || next.baseOffset === segment.nextOffset) return undefined
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
  segment.index.load(options.context.disk, segment.file.size())
  const hasTimes = segment.timeIndex.load(options.context.disk) && segment.timeIndex.length > 0
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
  const position = segment.index.lastPosition
  const indexedOffset = segment.index.lastOffset
  const baseOffset = position === 0 ? segment.baseOffset : undefined
  segment.restart()
  const scanner = new SegmentScanner(segment.file, { position, baseOffset, checksums, buffer: options.buffer })
  let sliceEnd = position + sliceBytes
  while (scanner.next()) {
    if (scanner.position === position && baseOffset === undefined && scanner.lastOffset !== indexedOffset) {
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

function requireAcknowledged(last: Segment, options: LogRecoveryOptions): void {
  if (last.nextOffset >= options.recoveryPoint) return
  const fault = `the log ends with offset ${last.nextOffset - 1}, but it was on the device up to ${options.recoveryPoint - 1}`
  throw damaged(last, { position: last.size, offset: last.nextOffset, fault }, options)
}

function damaged(segment: Segment, damage: Damage, options: LogRecoveryOptions): Error {
  const at: Place = { topic: options.topic, partition: options.partition, offset: damage.offset, path: segment.path }
  return damagedBatch(damage.fault, damage.position, at)
}
