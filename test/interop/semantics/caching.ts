import type { CaseEvent, CaseNode, PipeEvent } from './case.ts'
import type { Draw } from './draw.ts'

/** Kafka Streams' default, which no drawn case comes near: what happens beyond the bound is in `evictions.ts`. */
export const plentyOfBytes: number = 10 * 1024 * 1024

/**
 * Joins that make a table: Kafka Streams' look up rows whose updates wait, and so lose deletions and say values before that never
 * were handed on; Millrace's see what was handed on.
 */
export const seesWaitingRows: RegExp = /^(tableJoin|foreignKeyJoin)$/

/**
 * The node with a record cache, where it makes a table. What differs is left out: a deletion of an aggregate has another time
 * in Kafka Streams than in Millrace, and windows and sessions expire there only when updates go. A count that is told nothing
 * of its store could not be told of a cache either, and results that are final wait for none.
 */
export function withCache(node: CaseNode, { op, windows }: Partial<CaseNode>): CaseNode {
  if (node.is === 'cogrouped' && node.fn === 'dropSome') return { ...node, fn: 'concat' }
  if (node.is !== 'table' || node.historyMs !== undefined || op === 'emitOnClose') return node
  // It shows a table of versions, for which Kafka Streams does not take it any more where it is told of a cache.
  if (node.op === 'tableMapValues' && node.plain === true) return node
  const { plain: _, ...told } = node
  return {
    ...(told as CaseNode),
    ...(node.fn === 'dropSome' ? { fn: 'concat' } : {}),
    ...(node.op.startsWith('windowed') && windows !== 'unlimited' ? { retention: 1_000_000 } : {}),
    caching: true,
  }
}

/** Some of the records without a commit between them. */
export function drawBatches(draw: Draw, events: readonly CaseEvent[]): CaseEvent[] {
  const drawn: CaseEvent[] = []
  let batch: PipeEvent[] = []
  let size = draw.between(1, 8)
  const end = (): void => {
    if (batch.length > 0) drawn.push({ batch })
    batch = []
    size = draw.between(1, 8)
  }
  for (const event of events) {
    if ('topic' in event) batch.push(event)
    if (!('topic' in event) || batch.length === size) end()
    if (!('topic' in event)) drawn.push(event)
  }
  end()
  return drawn
}
