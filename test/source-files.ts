import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root folder. */
export const root: string = dirname(dirname(fileURLToPath(import.meta.url)))

export interface SourceFile {
  /** From the root, with `/` between folders. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

/** All TypeScript files below a folder of the project, sorted by path. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, lines: text.split('\n') }
    })
}

/** The project's files that a file imports, as paths from the root; `typeOnly` where nothing of it remains at run time. */
export function importsOf(file: SourceFile): { path: string; typeOnly: boolean }[] {
  const pattern = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|^import\s+()'(\.[^']+)'/gm
  return [...file.text.matchAll(pattern)].map((match) => ({
    path: posix.normalize(posix.join(posix.dirname(file.path), match[2] ?? match[4])),
    typeOnly: match[1] !== undefined,
  }))
}

/** The text without comments and string contents, so that words in prose are not taken for code. Lines stay where they are. */
export function codeOf(file: SourceFile): string {
  return file.text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
}
