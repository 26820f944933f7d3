/** Run as a process of its own, and killed: writes batches, each of which says the same in every row, and prints each one's number. */
import { lmdbEngine } from '../../src/state/lmdb-engine.ts'
import type { EngineOperation } from '../../src/state/store-engine.ts'

const engine = lmdbEngine().open({ directory: process.argv[2], store: 'counts' })
for (let position = engine.position() + 1; ; position++) {
  const operations: EngineOperation[] = []
  for (let row = 0; row < 200; row++) {
    operations.push({
      kind: 'put',
      key: Buffer.from(`row-${(row * 7919) % 1000}`),
      value: Buffer.from(String(position)),
    })
  }
  operations.push({ kind: 'delete-range', from: Buffer.from('old-'), to: Buffer.from('old.') })
  operations.push({ kind: 'put', key: Buffer.from(`old-${position}`), value: Buffer.from(String(position)) })
  engine.write({ operations, position })
  process.stdout.write(`${position}\n`)
}
