import type { OwnBroker, OwnBrokerOptions } from '../own-broker.ts'

export interface PeerOptions {
  /** How many records the tests that take a number go through. */
  readonly records: number
  /** How often in a row the tests that find things by chance are run. */
  readonly runs: number
}

/** One thing that a peer does with our broker. */
export interface Check {
  readonly what: string
  /** Resolves with a few words about what was seen, or rejects with what was wrong. */
  readonly run: (broker: OwnBroker) => Promise<string | undefined>
}

/** A client, tool or test that we did not write. It has a broker of its own. */
export interface Peer {
  readonly name: string
  /** Default: those of a broker that is started without any, but that groups begin at once. */
  readonly broker?: OwnBrokerOptions
  /** Installs what it needs where that is not done yet. Resolves with why it cannot be run here, if so. */
  readonly prepare: () => Promise<string | undefined>
  readonly checks: (options: PeerOptions) => readonly Check[]
}

let topics = 0

/** A name that no other check has. */
export function freshName(what: string): string {
  topics += 1
  return `${what}-${topics}`
}

/** @throws Error that says both, where they are not the same text */
export function requireSame(what: string, found: unknown, expected: unknown): void {
  const [ours, theirs] = [JSON.stringify(found) ?? 'nothing', JSON.stringify(expected) ?? 'nothing']
  if (ours !== theirs) throw new Error(`${what}: ${shorten(ours)} where ${shorten(theirs)} was expected`)
}

export function requireMatch(what: string, text: string, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(text)
  if (match === null) throw new Error(`${what}: no ${pattern} in\n${shorten(text)}`)
  return match
}

function shorten(text: string): string {
  return text.length <= 2_000 ? text : `${text.slice(0, 1_000)} ... ${text.slice(-1_000)}`
}

/** The lines of a text, without the last one where it is empty. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
