import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../source-files.ts'
import type { Answer, Case } from './case.ts'
import { neighbours } from './coverage.ts'

/** A case and what Kafka Streams answered. */
export interface RecordedCase {
  readonly case: Case
  readonly kafka: Answer
}

/** Where cases are kept that run in `npm test`. */
export const recordedDirectory: string = join(root, 'test/vectors/semantics')

const maxBytes = 800_000

/** Chooses cases to be kept: each has operators next to each other that none before it had, and something comes out of it. */
export class Corpus {
  readonly #lines: string[] = []
  readonly #seen = new Set<string>()
  #bytes = 0

  consider(given: Case, kafka: Answer): void {
    const fresh = neighbours(given.nodes).filter((pair) => !this.#seen.has(pair))
    if (fresh.length === 0 || !kafka.steps?.some((lines) => lines.length > 0)) return
    const line = JSON.stringify({ case: given, kafka } satisfies RecordedCase)
    if (this.#bytes + line.length > maxBytes) return
    for (const pair of fresh) this.#seen.add(pair)
    this.#bytes += line.length
    this.#lines.push(line)
  }

  write(path: string): void {
    writeFileSync(path, this.#lines.map((line) => `${line}\n`).join(''))
  }
}

export function readCorpus(path: string): RecordedCase[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}
