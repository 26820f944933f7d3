import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from '@typescript/typescript6'
import { describe, expect, it } from 'vitest'
import { root } from '../source-files.ts'

/**
 * docs/KAFKA-STREAMS.md is held against both sides: the public methods of Kafka Streams 4.1.1 (`test/vectors/kafka-streams-api.txt`,
 * which javap listed), and what this package exports.
 */
const rows = readFileSync(join(root, 'docs/KAFKA-STREAMS.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.slice(2, -1).split(' | '))
const codeOf = (text = ''): string[] => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string)

describe('the table of what Kafka Streams has and what is here', () => {
  it('has every public method of Kafka Streams, once', () => {
    const methods = readFileSync(join(root, 'test/vectors/kafka-streams-api.txt'), 'utf8').trim().split('\n')
    expect(methods.length).toBeGreaterThan(300)
    expect(rows.flatMap(([theirs]) => codeOf(theirs)).toSorted()).toEqual(methods.toSorted())
  })

  it('gives each of them what is here, or says why there is nothing', () => {
    for (const [theirs, ours = '', remark = ''] of rows) {
      if (ours.includes('–')) expect(remark.trim(), theirs).not.toBe('')
      else expect(codeOf(ours), theirs).not.toEqual([])
    }
  })

  it('names only what the package exports', () => {
    const exported = exportsOf(['src/index.ts', 'src/testing/topology-test-driver.ts'])
    const named = rows.flatMap(([, ours, remark]) => [...codeOf(ours), ...codeOf(remark)])
    const checked = named.filter((name) => /^[A-Za-z]+(\.[a-zA-Z]+)?(\(\))?$/.test(name) && !isOutside(name))
    expect(checked.length).toBeGreaterThan(150)
    expect(checked.filter((name) => !exported.has(name.replace('()', '')))).toEqual([])
  })
})

/** Settings of Kafka, and the world's own functions. */
function isOutside(name: string): boolean {
  return ['topology.optimization', 'console.log'].includes(name)
}

/** Names that are exported, and `Name.member` for every member of their types. */
function exportsOf(files: readonly string[]): Set<string> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const paths = files.map((file) => join(root, file))
  const program = ts.createProgram(paths, options)
  const checker = program.getTypeChecker()
  const found = new Set<string>()
  for (const path of paths) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.SourceFile) as ts.Symbol
    for (const { name } of checker.getExportsOfModule(module)) found.add(name)
    for (const symbol of checker.getExportsOfModule(module)) addMembers(checker, symbol, found)
  }
  return found
}

function addMembers(checker: ts.TypeChecker, exported: ts.Symbol, found: Set<string>): void {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const type = checker.getDeclaredTypeOfSymbol(symbol)
  // Of an options type that has alternatives, the members of all of them.
  for (const each of type.isUnion() ? type.types : [type]) {
    for (const { name } of checker.getPropertiesOfType(each)) found.add(`${exported.name}.${name}`)
  }
  if (!(symbol.flags & ts.SymbolFlags.Class)) return
  const statics = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration as ts.Declaration)
  for (const { name } of checker.getPropertiesOfType(statics)) found.add(`${exported.name}.${name}`)
}
