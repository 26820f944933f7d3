import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../src/broker/broker.ts'
import { guards, openApis } from '../src/broker/guards/guarded-broker.ts'
import { handlersOf } from '../src/broker/handlers/handlers.ts'
import { virtualEnvironment } from '../src/env/virtual-environment.ts'
import { root } from './source-files.ts'

/** The folder table of docs/ARCHITECTURE.md is the house as it stands. */
describe('docs/ARCHITECTURE.md', () => {
  it('lists exactly the folders that exist', () => {
    const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')
    const listed = [...text.matchAll(/^\| `([a-z-]+(?:\/[a-z-]+)*)\/` \|/gm)].map((match) => match[1])
    expect(listed.toSorted()).toEqual(foldersOfTheHouse().toSorted())
  })
})

/** An API without a guard is refused to everybody where there is an authorizer: a new one says in src/broker/guards what it needs. */
describe('the APIs of the broker', () => {
  it('have a guard each, but for those by which a client finds out what it may', async () => {
    const broker = await openBroker({ directory: 'd', environment: virtualEnvironment({ seed: 1 }), flush: 'fsync' })
    const guarded = new Set(guards.map(({ api }) => api.key))
    const bare = handlersOf(broker).filter(({ api }) => !guarded.has(api.key) && !openApis.has(api.key))
    expect(bare.map(({ api }) => api.name)).toEqual([])
    expect(guarded.size).toBe(guards.length)
    await broker.close()
  })

  it('are in docs/SECURITY.md, each with what it may need', () => {
    const text = readFileSync(join(root, 'docs/SECURITY.md'), 'utf8')
    const rows = guards.map(({ api, needs }) => `| ${api.name} | ${needs.map((need) => `\`${need}\``).join(', ')} |`)
    expect(rows.filter((row) => !text.includes(row))).toEqual([])
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
