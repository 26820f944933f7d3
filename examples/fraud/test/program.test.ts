import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { helpText, parseArguments } from '../arguments.ts'
import { InputError } from '../input-error.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@millrace/source', main, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let error = ''
  const seen = Promise.withResolvers<void>()
  child.stdout.on('data', (bytes) => {
    out += bytes
    if (/small-then-large/.test(out)) seen.resolve()
  })
  child.stderr.on('data', (bytes) => {
    error += bytes
  })
  const ended = new Promise<{ code: number | null; out: string; error: string }>((resolve) => {
    child.on('close', (code) => {
      seen.resolve()
      resolve({ code, out, error })
    })
  })
  return { child, seen: seen.promise, ended }
}

describe('the program', () => {
  it('shows alarms about made-up payments until it is told to end', async () => {
    const program = start('--rate', '300')
    await program.seen
    program.child.kill('SIGINT')
    const { code, out, error } = await program.ended
    expect([code, error]).toEqual([0, expect.stringMatching(/\nstopped: [\d,]+ payments\n$/)])
    expect(out).toMatch(/^\S+ \S+ {2}4000 0000 0000 \d{4} {2}\S+ .* at [A-Z][\w ]+ \((fraud|honest)\)$/m)
  })

  it('says what cannot be used', async () => {
    const { code, out, error } = await start('--input', '/no/such/file.csv').ended
    expect([code, out]).toEqual([2, ''])
    expect(error).toMatch(/^Cannot read "\/no\/such\/file.csv": /)
  })
})

describe('its words', () => {
  it('are those of the help, with their defaults', () => {
    expect(parseArguments([])).toEqual({ command: 'live', cluster: 'memory:', paymentsPerSecond: 20, seed: 1 })
    expect(parseArguments(['--input', 'f'])).toEqual({ command: 'replay', file: 'f', only: 'alerts', format: 'table' })
    expect(parseArguments(['-h'])).toEqual({ command: 'help' })
    for (const name of ['input', 'rate', 'seed', 'cluster', 'only', 'format']) expect(helpText).toContain(`--${name} `)
  })

  it.each([
    [['--rate', '0'], 'whole number from 1'],
    [['--seed', ''], 'whole number from 0'],
    [['--only', 'calls'], 'need a file'],
    [['--input', 'f', '--rate', '3'], 'made-up payments'],
    [['--input', 'f', '--only', 'some'], 'alerts or calls'],
    [['--what'], 'See --help'],
  ])('refuse %j', (words, reason) => {
    expect(() => parseArguments(words)).toThrow(InputError)
    expect(() => parseArguments(words)).toThrow(reason)
  })
})
