import { expect, it } from 'vitest'
import { EntryTable } from '../../src/state/entry-table.ts'

it('finds every entry that was added, and no other', () => {
  const table = new EntryTable<{ keyId: number }>()
  const entries = Array.from({ length: 5_000 }, (_, i) => ({ keyId: i * 3 + (i % 2) * 100_000 }))
  for (const entry of entries) table.add(entry)
  expect(table.size).toBe(entries.length)
  for (const entry of entries) expect(table.get(entry.keyId)).toBe(entry)
  for (let i = 0; i < 5_000; i++) expect(table.get(i * 3 + 1)).toBeUndefined()
})
