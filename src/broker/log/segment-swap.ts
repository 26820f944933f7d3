import type { Disk } from '../../env/environment.ts'
import { batchHeaderBytes, batchSize, lastOffsetOf } from '../../record/batch-format.ts'
import { type SegmentExtension, segmentFileName } from './segment.ts'

/** What the names of a segment's files end with that is being made, and that is whole and takes the place of others. */
export const cleanedSuffix = '.cleaned'
export const swapSuffix = '.swap'

/** The log's own file is last: it decides what the others beside it mean. */
const indexExtensions: readonly SegmentExtension[] = ['.txnindex', '.timeindex', '.index']
const extensions: readonly SegmentExtension[] = [...indexExtensions, '.log']

/**
 * How a compacted segment takes the place of those that it was made of, so that a crash at any step leaves either these or
 * it (Kafka: LocalLog.replaceSegments and LogLoader):
 *
 * 1. its files are written as `.cleaned` and put on the device;
 * 2. the indexes are renamed to `.swap`, then the log: from then on it counts;
 * 3. the files of the old segments are removed;
 * 4. the log gets its final name, then the indexes.
 *
 * Changes of a directory are taken to become durable in their order; between 1, 2 and 3 the directory is synced.
 */
export async function publishSwap(disk: Disk, directory: string, baseOffset: number): Promise<void> {
  await disk.syncDirectory(directory)
  for (const extension of extensions) renameFile(disk, directory, baseOffset, extension, cleanedSuffix, swapSuffix)
  await disk.syncDirectory(directory)
}

/** Steps 3 and 4, at once: nobody sees a state between them. */
export function completeSwap(disk: Disk, directory: string, baseOffset: number, replaced: readonly number[]): void {
  for (const offset of replaced) removeFiles(disk, directory, offset, '')
  renameFile(disk, directory, baseOffset, '.log', swapSuffix, '')
  for (const extension of indexExtensions) renameFile(disk, directory, baseOffset, extension, swapSuffix, '')
}

/** Takes back what was not finished. */
export function removeCleaned(disk: Disk, directory: string, baseOffset: number): void {
  for (const extension of indexExtensions) {
    disk.remove(pathOf(directory, baseOffset, extension, swapSuffix))
    disk.remove(pathOf(directory, baseOffset, extension, cleanedSuffix))
  }
  disk.remove(pathOf(directory, baseOffset, '.log', cleanedSuffix))
}

/** Finishes or takes back what a crash has left half done; returns the names of the files that the directory then holds. */
export function recoverSwaps(disk: Disk, directory: string): string[] {
  const names = disk.list(directory)
  if (!names.some((name) => name.endsWith(cleanedSuffix) || name.endsWith(swapSuffix))) return names
  for (const offset of basesOf(names, `.log${cleanedSuffix}`)) removeCleaned(disk, directory, offset)
  for (const offset of basesOf(names, `.log${swapSuffix}`)) {
    const end = endOf(disk, pathOf(directory, offset, '.log', swapSuffix), offset)
    const replaced = basesOf(names, '.log').filter((other) => other >= offset && other < end)
    completeSwap(disk, directory, offset, replaced)
  }
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (name.endsWith(cleanedSuffix)) disk.remove(path)
    else if (name.endsWith(swapSuffix)) settleIndex(disk, path)
  }
  return disk.list(directory)
}

/** An index whose log has its final name already belongs to it. */
function settleIndex(disk: Disk, path: string): void {
  const finalPath = path.slice(0, -swapSuffix.length)
  const logPath = `${finalPath.slice(0, finalPath.lastIndexOf('.'))}.log`
  if (disk.exists(logPath)) disk.rename(path, finalPath)
  else disk.remove(path)
}

function removeFiles(disk: Disk, directory: string, offset: number, suffix: string): void {
  for (const extension of extensions) disk.remove(pathOf(directory, offset, extension, suffix))
}

function renameFile(
  disk: Disk,
  directory: string,
  offset: number,
  extension: SegmentExtension,
  from: string,
  to: string,
): void {
  const path = pathOf(directory, offset, extension, from)
  if (disk.exists(path)) disk.rename(path, pathOf(directory, offset, extension, to))
}

function pathOf(directory: string, offset: number, extension: SegmentExtension, suffix: string): string {
  return `${directory}/${segmentFileName(offset, extension)}${suffix}`
}

function basesOf(names: readonly string[], ending: string): number[] {
  return names
    .filter((name) => /^\d{20}$/.test(name.slice(0, 20)) && name.slice(20) === ending)
    .map((name) => Number(name.slice(0, 20)))
}

/** The offset after the last batch of a file that was written whole; the base where it is empty. */
function endOf(disk: Disk, path: string, baseOffset: number): number {
  const file = disk.open(path)
  try {
    const header = Buffer.allocUnsafe(batchHeaderBytes)
    let end = baseOffset
    for (let at = 0; at < file.size(); at += batchSize(header, 0)) {
      file.read(header, at)
      end = lastOffsetOf(header, 0) + 1
    }
    return end
  } finally {
    file.close()
  }
}
