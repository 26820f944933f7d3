import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from '../../source-files.ts'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
const started: ChildProcess[] = []
beforeEach(async () => {
  commands = await CalledCommands.open()
})
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  await commands.close()
})

function start(name: string, ...words: string[]) {
  const main = join(root, 'src/cli/main.ts')
  const child = spawn(process.execPath, ['--conditions=@millrace/source', main, name, ...commands.bootstrap, ...words])
  started.push(child)
  let error = ''
  child.stderr.on('data', (bytes) => {
    error += bytes
  })
  const ended = new Promise<{ code: number | null; error: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, error }))
  })
  return { child, ended }
}

/** As a shell calls them: real streams, real signals. */
describe('processes', () => {
  it('produce from a pipe, and consume into one that is closed before the end, without a word', async () => {
    const producing = start('produce', '--topic', 't')
    const values = Array.from({ length: 20_000 }, (_, i) => `value ${i}`)
    producing.child.stdin.end(values.join('\n'))
    expect(await producing.ended).toEqual({ code: 0, error: '' })
    const consuming = start('consume', '--topic', 't', '--from-beginning')
    const first = await new Promise<string>((resolve) =>
      consuming.child.stdout.once('data', (bytes) => resolve(String(bytes))),
    )
    expect(first.startsWith('value 0\nvalue 1\n')).toBe(true)
    consuming.child.stdout.destroy()
    await commands.done(['produce', '--topic', 't'], ['one more, for it to see that nobody reads\n'])
    const { code, error } = await consuming.ended
    expect(code).toBe(0)
    expect(error).toMatch(/^Processed a total of \d+ messages\n$/)
  })

  it('end at SIGINT: a consumer with 0, a producer with 130', async () => {
    await commands.done(['produce', '--topic', 't'], ['a\n'])
    const consuming = start('consume', '--topic', 't', '--from-beginning')
    await new Promise((resolve) => consuming.child.stdout.once('data', resolve))
    consuming.child.kill('SIGINT')
    expect(await consuming.ended).toEqual({ code: 0, error: 'Processed a total of 1 messages\n' })
    const producing = start('produce', '--topic', 't')
    producing.child.stdin.write('b\n')
    expect(await commands.done(['consume', '--topic', 't', '--from-beginning', '--max-messages', '2'])).toBe('a\nb\n')
    producing.child.kill('SIGINT')
    expect(await producing.ended).toEqual({ code: 130, error: '' })
  })
})
