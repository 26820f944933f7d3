import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory of its own for the running test, removed when the test is over. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'iot-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

export function scratchFile(text: string | Uint8Array, name = 'file.csv', directory = scratchDirectory()): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
