import { isDeepStrictEqual } from 'node:util'
import type { SeededRandom } from '../../src/env/seeded-random.ts'

/** A decoder, valid bytes for it, and what must hold of whatever it makes of others. */
export interface FuzzTarget {
  readonly name: string
  readonly corpus: readonly Buffer[]
  /** Makes lengths and checksums right again where it can, so that what lies behind them is reached. */
  readonly repair?: (bytes: Buffer, random: SeededRandom) => void
  /** What it may take beside a small multiple of the input. */
  readonly extraBytes?: number
  /** Decodes; throws only errors of ours, or a FixpointError where encoding and decoding again gives something else. */
  readonly run: (bytes: Buffer) => void
}

export class FixpointError extends Error {}

export function requireSame(again: unknown, once: unknown): void {
  if (!isDeepStrictEqual(again, once))
    throw new FixpointError(`${JSON.stringify(again)} is not ${JSON.stringify(once)}`)
}
