import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './source-files.ts'

/** The folder table of docs/ARCHITECTURE.md is the house as it stands. */
describe('docs/ARCHITECTURE.md', () => {
  it('lists exactly the folders that exist', () => {
    const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')
    const listed = [...text.matchAll(/^\| `([a-z-]+(?:\/[a-z-]+)*)\/` \|/gm)].map((match) => match[1])
    expect(listed.toSorted()).toEqual(foldersOfTheHouse().toSorted())
  })
})

function foldersOfTheHouse(): string[] {
  return ['src', ...foldersWithin('src'), ...folders('examples'), 'bench', 'docs', 'scripts', 'test']
}

function foldersWithin(parent: string): string[] {
  return folders(parent).flatMap((folder) => [folder, ...foldersWithin(folder)])
}

function folders(parent: string): string[] {
  return readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`)
}
