import { join } from 'node:path'
import ts from '@typescript/typescript6'
import { describe, expect, it } from 'vitest'
import { root } from './source-files.ts'

/** The settings that TypeScript 6 begins with: no types but those that somebody asks for. */
const settings: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ['@millrace/source'],
  allowImportingTsExtensions: true,
  noEmit: true,
  types: [],
}

function errorsOf(source: string): string[] {
  const path = join(root, 'test', 'users-program.ts')
  const host = ts.createCompilerHost(settings)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, target, ...rest) =>
    name === path ? ts.createSourceFile(name, source, target) : getSourceFile.call(host, name, target, ...rest)
  host.fileExists = (name) => name === path || fileExists.call(host, name)
  host.readFile = (name) => (name === path ? source : readFile.call(host, name))
  const program = ts.createProgram([path], settings, host)
  const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(path))
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe('a program whose settings name no types', () => {
  it.each([
    ['millrace', "import { serde } from '../src/index.ts'"],
    ['millrace/testing', "import { TopologyTestDriver } from '../src/testing/topology-test-driver.ts'"],
  ])('has those of Node by %s', (_, line) => {
    expect(errorsOf(`${line}\nexport const size = (bytes: Buffer) => bytes.readInt8()`)).toEqual([])
  })
})
