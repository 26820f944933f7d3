import type { Disk } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import { readText, replaceFile } from './durable-file.ts'

/** An offset for each partition of a directory. */
export interface CheckpointEntry {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * Reads a checkpoint in Kafka's text format (OffsetCheckpointFile): the version 0, the number of entries, then a line of
 * topic, partition and offset for each. Empty where there is no file.
 * @throws MillraceError DIRECTORY_UNUSABLE where the file is no checkpoint.
 */
export function readOffsetCheckpoint(disk: Disk, path: string): CheckpointEntry[] {
  if (!disk.exists(path)) return []
  const lines = readText(disk, path).split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines[0] !== '0') throw malformed(path, 1)
  if (lines[1] !== String(lines.length - 2)) throw malformed(path, 2)
  return lines.slice(2).map((line, i) => {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    const offset = Number(match?.[3])
    if (match === null || !Number.isSafeInteger(offset)) throw malformed(path, i + 3)
    return { topic: match[1] as string, partition: Number(match[2]), offset }
  })
}

export function writeOffsetCheckpoint(
  disk: Disk,
  directory: string,
  name: string,
  entries: readonly CheckpointEntry[],
): Promise<void> {
  const lines = entries.map((entry) => `${entry.topic} ${entry.partition} ${entry.offset}\n`)
  return replaceFile(disk, directory, name, `0\n${entries.length}\n${lines.join('')}`)
}

function malformed(path: string, line: number): MillraceError {
  return new MillraceError('DIRECTORY_UNUSABLE', 'The offset checkpoint cannot be read', {
    at: { path, line },
    remedy: 'Put back a copy of the file. Without it every log is checked from its start, and damage ends a log.',
  })
}
