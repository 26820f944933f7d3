/**
 * What a data directory is for, kept in a topic of its own: a run goes on where the last one stopped only if both do the
 * same with the same files. Otherwise its readings and windows would mix with those of something else.
 */
import { type Connection, serde, topic } from 'millrace'
import type { Windows } from './arguments.ts'
import { InputError } from './input-error.ts'
import { readings } from './topology.ts'

export type Purpose = { readonly command: 'live' } | ReplayPurpose

export interface ReplayPurpose {
  readonly command: 'replay'
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[]
  readonly windows: Windows
  readonly graceMs: number
}

const purposeTopic = topic('run-purpose', { key: serde.string, value: serde.string })

/**
 * Writes down what the directory is for, or makes sure that it is for the same; returns how many readings it holds.
 * @throws InputError where it is for something else
 */
export async function claim(cluster: Connection, address: string, purpose: Purpose): Promise<number> {
  await cluster.createTopics([readings, purposeTopic])
  const [held] = await cluster.offsets([{ topic: readings.name, partition: 0 }])
  const heldReadings = held?.end ?? 0
  const text = JSON.stringify(purpose)
  const before = await lastPurpose(cluster)
  if (before === text) return heldReadings
  const remedy = 'Give another directory, or remove this one.'
  if (before !== undefined) {
    throw new InputError(`${address} cannot be continued: ${difference(JSON.parse(before), purpose)}. ${remedy}`)
  }
  if (heldReadings > 0)
    throw new InputError(`${address} holds readings that were not put there by this program. ${remedy}`)
  const producer = cluster.producer(purposeTopic)
  producer.send({ key: 'run', value: text, timestamp: Date.now() })
  await producer.flush()
  return 0
}

async function lastPurpose(cluster: Connection): Promise<string | undefined> {
  let last: string | undefined
  for await (const records of cluster.consume(purposeTopic, { from: 'earliest', until: 'end' })) {
    for (const { value } of records) if (typeof value === 'string') last = value
  }
  return last
}

/** In what two purposes differ, in words. */
export function difference(before: Purpose, now: Purpose): string {
  if (before.command !== 'replay' || now.command !== 'replay') {
    return before.command === 'live'
      ? 'it holds live readings of a machine, not those of data files'
      : 'it holds the readings of data files, not live ones'
  }
  const differences: string[] = []
  if (JSON.stringify(before.files) !== JSON.stringify(now.files)) {
    differences.push(
      `it was made from other files (${before.files.map((f) => `${f.name}, ${f.sizeBytes} bytes`).join('; ')})`,
    )
  }
  if (JSON.stringify(before.windows) !== JSON.stringify(now.windows)) {
    differences.push(`it was made with other windows (${windowsText(before.windows)})`)
  }
  if (before.graceMs !== now.graceMs) differences.push(`it was made with another grace (--grace ${before.graceMs}ms)`)
  return differences.length === 0 ? 'it was made by another version of this program' : differences.join(', and ')
}

function windowsText(windows: Windows): string {
  if (windows.kind === 'session') return `--session ${windows.gapMs}ms`
  return `--window ${windows.sizeMs}ms --hop ${windows.hopMs}ms`
}
