import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect } from 'millrace'
import { jsonEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { decodeBatches } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const recordCount = 1_000_000
const batchRecords = 100
const rounds = 5

/**
 * Opening a log as a process leaves it that was killed, of which all is read and checked, or as one that was closed leaves it;
 * against a loop that reads the files and verifies the checksums.
 */
export async function logRecovery(partitions: number, end: 'killed' | 'closed'): Promise<Comparison> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const left = join(directory, 'left')
  let bytes = 0
  let opened: Connection | undefined
  try {
    bytes = await leaveLog(left, partitions, end)
    let number = 0
    let path = ''
    const before = async () => {
      await opened?.close()
      opened = undefined
      if (path !== '') rmSync(path, { recursive: true })
      path = join(directory, `round-${number++}`)
      cpSync(left, path, { recursive: true })
    }
    const ours = async () => {
      opened = await connect(`embedded:${path}`, { flush: 'page-cache' })
      return recordCount
    }
    const hand = () => readLogs(left)
    const what = partitions === 1 ? 'one partition' : `${partitions} partitions`
    const result = await compare('log recovery', hand, ours, { rounds, before, note: '' })
    const ms = (result.oursNs * recordCount) / 1e6
    const note = `${what}, ${(bytes / 1e6).toFixed(0)} MB: ${ms.toFixed(0)} ms, ${((ms * 1e6) / bytes).toFixed(2)} s/GB; hand: reads and checks the files`
    return { ...result, note }
  } finally {
    await opened?.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What is copied of the directory of a log while it is open is what a process leaves there that is killed. */
async function leaveLog(path: string, partitions: number, end: 'killed' | 'closed'): Promise<number> {
  const connection = await connect(`embedded:${path}-open`, { flush: 'page-cache' })
  const bytes = await fillTopic(connection, 'in', jsonEvents(recordCount, 1_000), { batchRecords, partitions })
  if (end === 'killed') cpSync(`${path}-open`, path, { recursive: true })
  await connection.close()
  if (end === 'closed') cpSync(`${path}-open`, path, { recursive: true })
  rmSync(`${path}-open`, { recursive: true })
  return bytes.length
}

function readLogs(path: string): number {
  let count = 0
  for (const partition of readdirSync(path).filter((name) => name.startsWith('in-'))) {
    for (const name of readdirSync(join(path, partition)).filter((name) => name.endsWith('.log'))) {
      const bytes = readFileSync(join(path, partition, name))
      count += decodeBatches(bytes, 0, bytes.length, () => {})
    }
  }
  return count
}
