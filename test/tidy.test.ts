import { describe, expect, it } from 'vitest'
import { codeOf, importsOf, type SourceFile, sourceFiles } from './source-files.ts'

/** docs/STYLE.md as a test: each rule names the files that break it and what to write instead. */

const src = sourceFiles('src')
const everything = ['src', 'test', 'examples', 'bench', 'scripts'].flatMap(sourceFiles)

/** The files that may touch the world outside; everything else is handed an Environment. */
const ambientFiles = ['src/env/node.ts', 'src/env/node-network.ts']

const ambient: [call: RegExp, instead: string][] = [
  [/\bDate\.now\b|\bnew Date\(\)/, 'environment.clock.wallMs()'],
  [/\bperformance\.now\b|\bprocess\.hrtime\b/, 'environment.clock.monotonicMs()'],
  [/\b(?:setTimeout|setInterval)\(/, 'environment.timers.after()'],
  [/\bsetImmediate\(|\bprocess\.nextTick\b/, 'environment.timers.nextTurn()'],
  [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b/, 'environment.random'],
  [/\bprocess\.(?:on|once|exit|env|kill|cwd|stdout|stderr)\b/, 'environment.host'],
  [/\bconsole\./, 'an error, a metric, or an option that takes a logger'],
]
const ambientModules: [module: RegExp, instead: string][] = [
  [/from 'node:(?:fs|fs\/promises)'/, 'environment.disk'],
  [/from 'node:(?:net|tls|http|https|dgram)'/, 'environment.network'],
  // Hashes and reading a key are functions, and may be imported; making keys and random bytes are not.
  [
    /^import (?!\{(?: (?:createHash|createHmac|createPrivateKey|pbkdf2Sync|timingSafeEqual),?)+ \}).* from 'node:crypto'/,
    'the environment',
  ],
  [/from 'node:(?:os|child_process|worker_threads|timers|timers\/promises|perf_hooks)'/, 'the environment'],
  [/from 'fs-native-extensions'/, 'environment.disk.lock()'],
]

/** Which folders of src a folder may import; shared nouns lie in those that import nothing but each other. */
const nouns = ['.', 'env', 'bytes', 'record', 'serde']
const allowed: Record<string, readonly string[]> = {
  '.': nouns,
  env: nouns,
  bytes: nouns,
  record: nouns,
  serde: nouns,
  state: nouns,
  stores: [...nouns, 'state'],
  topology: [...nouns, 'state', 'stores'],
  processor: [...nouns, 'state', 'stores', 'topology'],
  dsl: [...nouns, 'state', 'stores', 'topology', 'processor'],
  broker: nouns,
  cluster: nouns,
  runtime: [...nouns, 'state', 'stores', 'topology', 'cluster'],
  cli: [...nouns, 'cluster', 'broker'],
  testing: [...nouns, 'state', 'stores', 'topology', 'cluster', 'runtime', 'processor'],
}
const bannedWords = ['util', 'utils', 'helper', 'helpers', 'manager', 'common', 'base', 'abstract', 'impl', 'internal']

const maxFileLines = 600
const maxFunctionLines = 60

describe('the style guide', () => {
  it('reaches for time, chance, disk, network and the process only through the environment', () => {
    const broken = src
      .filter((file) => !ambientFiles.includes(file.path))
      .flatMap((file) => [...violations(file, codeOf(file), ambient), ...violations(file, file.text, ambientModules)])
    expect(broken).toEqual([])
  })

  it('makes no code of text', () => {
    const makers: [RegExp, string][] = [
      [/\beval\(|\bnew Function\b|from 'node:vm'/, 'data, and a function that reads it'],
    ]
    expect(src.flatMap((file) => violations(file, file.text, makers))).toEqual([])
  })

  it('imports only in the directions of the house', () => {
    const broken = src.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport(file.path, target.path))
        .map(
          (target) =>
            `${file.path} imports ${target.path}: ${folderOf(file.path)} may import ${allowed[folderOf(file.path)]}`,
        ),
    )
    expect(broken).toEqual([])
  })

  it('has no circle of imports', () => {
    expect(circles(src)).toEqual([])
  })

  it('has no barrels below src/index.ts and no `export *`', () => {
    const broken = src.filter(
      (file) => (file.path !== 'src/index.ts' && file.path.endsWith('/index.ts')) || /^export \*/m.test(file.text),
    )
    expect(broken.map((file) => file.path)).toEqual([])
  })

  it(`keeps files to ${maxFileLines} lines`, () => {
    const broken = everything.filter((file) => file.lines.length > maxFileLines)
    expect(broken.map((file) => `${file.path}: ${file.lines.length}`)).toEqual([])
  })

  it(`keeps functions to ${maxFunctionLines} lines`, () => {
    const broken = [...src, ...sourceFiles('examples')]
      .filter((file) => !file.path.endsWith('.test.ts'))
      .flatMap((file) => functionsOf(file).filter((f) => f.lineCount > maxFunctionLines))
    expect(broken.map((f) => `${f.where}: ${f.lineCount}`)).toEqual([])
  })

  it('names files in kebab-case and without words that say nothing', () => {
    const broken = everything.filter((file) => {
      const name = file.path.split('/').pop() as string
      const words = name.replace(/(\.test|\.test-d|\.d)?\.ts$/, '').split('-')
      return !/^[a-z0-9-]+(\.test|\.test-d|\.d)?\.ts$/.test(name) || words.some((word) => bannedWords.includes(word))
    })
    expect(broken.map((file) => file.path)).toEqual([])
  })

  it('names classes, functions and types without words that say nothing', () => {
    const declared = /\b(?:class|function|interface|type|const)\s+([A-Za-z0-9_]+)/g
    const broken = src.flatMap((file) =>
      [...codeOf(file).matchAll(declared)]
        .map((match) => match[1])
        .filter((name) =>
          wordsOf(name).some((word) => ['util', 'helper', 'manager', 'impl', 'abstract'].includes(word)),
        )
        .map((name) => `${file.path}: ${name}`),
    )
    expect(broken).toEqual([])
  })

  it('uses no `any` and leaves nothing open in the code', () => {
    const broken = src.flatMap((file) => [
      ...violations(file, file.text, [[/\b(?:TODO|FIXME|XXX)\b|@ts-ignore/, 'finished code, or a limit in the docs']]),
      ...violations(file, codeOf(file), [[/:\s*any\b|\bas any\b/, 'unknown, or the type that it is']]),
    ])
    expect(broken).toEqual([])
  })
})

function violations(file: SourceFile, text: string, rules: readonly [RegExp, string][]): string[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      rules
        .filter(([call]) => call.test(line))
        .map(([, instead]) => `${file.path}:${i + 1}: use ${instead}: ${line.trim()}`),
    )
}

function folderOf(path: string): string {
  const [, folder, ...rest] = path.split('/')
  return rest.length === 0 ? '.' : folder
}

function mayImport(from: string, to: string): boolean {
  if (folderOf(from) === folderOf(to)) return true
  if (to === 'src/index.ts' || folderOf(to) === 'testing' || folderOf(to) === 'cli') return false
  if (from === 'src/index.ts') return true
  if (folderOf(to) === 'broker')
    return from.startsWith('src/cluster/embedded') || from === 'src/cluster/connect.ts' || from.startsWith('src/cli/')
  return (allowed[folderOf(from)] ?? []).includes(folderOf(to))
}

/** Each circle as the files on it; imports of types alone count too, because the reader has to follow them as well. */
function circles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => [file.path, importsOf(file).map((target) => target.path)]))
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '))
    if (at >= 0 || done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

/** The functions of a formatted file: from a line that opens a body to the closing brace at its indentation. */
function functionsOf(file: SourceFile): { where: string; lineCount: number }[] {
  const opens =
    /^(\s*)(?:export )?(?:default )?(?:async )?(?:static |override |readonly |get |set )*(?:function\b.*|(?:[#*]?[\w]+|\[[\w.]+\])(?:<[^>]*>)?\(.*\).*|constructor\(.*|const \w+ = .*=>.*)\{$/
  const keyword = /^\s*(?:if|for|while|switch|return|else|catch|do|try|throw|await|describe|it|expect)\b/
  return file.lines.flatMap((line, start) => {
    const match = opens.exec(line)
    if (match === null || keyword.test(line)) return []
    const end = file.lines.findIndex((later, i) => i > start && later.startsWith(`${match[1]}}`))
    return end < 0 ? [] : [{ where: `${file.path}:${start + 1}`, lineCount: end - start + 1 }]
  })
}

function wordsOf(name: string): string[] {
  return name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase())
}
