import type { RecordCallback } from './stateless.ts'

/** Kafka Streams' line for a record: `[label]: key, value`, where objects are JSON. */
export function printedLine(label: string, mapper: RecordCallback<string> | undefined): RecordCallback<string> {
  const text: RecordCallback<string> = mapper ?? ((value, key) => `${shown(key)}, ${shown(value)}`)
  return (value, key) => `[${label}]: ${text(value, key)}`
}

function shown(part: unknown): string {
  return typeof part === 'object' && part !== null ? JSON.stringify(part) : String(part)
}
