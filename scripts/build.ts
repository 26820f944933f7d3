import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

/** Builds the package into dist with plain tsc, then checks it as npm and TypeScript will see it. */

rmSync('dist', { recursive: true, force: true })
run('tsc', '-p', 'tsconfig.build.json')
run('publint', '--strict')
run('attw', '--pack', '.', '--profile', 'esm-only')

function run(command: string, ...args: string[]): void {
  process.stdout.write(`> ${command} ${args.join(' ')}\n`)
  execFileSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' })
}
