import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../source-files.ts'
import { interopDirectory } from '../apache-jars.ts'
import { answers, runProgram } from '../program.ts'

/** The module whose go.mod says the versions of what is built from the Go module proxy. */
const moduleDirectory = join(root, 'test/interop/go')
const buildTimeoutMs = 15 * 60_000

export interface BuiltProgram {
  readonly path?: string
  readonly problem?: string
}

/** Builds a program with Go, which fetches what it needs the first time. `words` are those of `go`, without `-o`. */
export async function buildGo(name: string, [goal = '', ...rest]: readonly string[]): Promise<BuiltProgram> {
  if (!answers('go', ['version'])) return { problem: 'there is no Go on the path' }
  const directory = join(interopDirectory, 'go')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, name)
  await runProgram('go', [goal, '-o', path, ...rest], { directory: moduleDirectory, timeoutMs: buildTimeoutMs })
  return { path }
}
