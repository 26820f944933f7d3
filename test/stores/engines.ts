import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { lmdbEngine } from '../../src/state/lmdb-engine.ts'
import type { StoreEngine } from '../../src/state/store-engine.ts'
import { newEngine } from '../state/store-fixtures.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const lmdb = lmdbEngine()
let stores = 0

/** Engines that properties of stores are tried on, and how often: each opens a new, empty one. */
export const engines: readonly (readonly [name: string, open: () => StoreEngine, numRuns: number])[] = [
  ['memory', newEngine, 300],
  // LMDB has a database for each store of a directory, and at most 256.
  ['lmdb', () => lmdb.open({ directory: join(root, `${stores++ >> 7}`), store: `s${stores}` }), 25],
]
