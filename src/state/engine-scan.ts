import { justAfter } from './key-bounds.ts'
import type { EngineEntry, StoreEngine } from './store-engine.ts'

const firstEntries = 8
const mostEntries = 1_024

/**
 * The entries of a range, read ahead in pieces that grow: whoever takes them may stop for any time or for good, and write
 * the engine in between, because no range of the engine is left open.
 */
export function* scanEngine(
  engine: StoreEngine,
  from: Buffer | undefined,
  to: Buffer | undefined,
  isReverse: boolean,
): Generator<EngineEntry> {
  let low = from
  let high = to
  for (let wanted = firstEntries; ; wanted = Math.min(mostEntries, wanted * 2)) {
    const piece: EngineEntry[] = []
    for (const entry of engine.range(low, high, { reverse: isReverse })) {
      piece.push(entry)
      if (piece.length === wanted) break
    }
    yield* piece
    if (piece.length < wanted) return
    const last = (piece[piece.length - 1] as EngineEntry).key
    if (isReverse) high = last
    else low = justAfter(last)
  }
}
