import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

/** Builds the package into dist with plain tsc, then checks it as npm and TypeScript will see it. */

rmSync('dist', { recursive: true, force: true })
// Not by its name: the TypeScript 6 that types are also checked with has a command of that name too.
run('node', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
run('publint', '--strict')
run('attw', '--pack', '.', '--profile', 'esm-only')

function run(command: string, ...args: string[]): void {
  process.stdout.write(`> ${command} ${args.join(' ')}\n`)
  execFileSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
}
