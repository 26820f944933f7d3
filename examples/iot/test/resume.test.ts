import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Ended, Program, runProgram } from './program.ts'
import { scratchDirectory } from './scratch.ts'

const readingsPerFile = 40_000

/** A multiple of 97 seconds: a late reading falls into the place that another one left, and joins what was apart there. */
const lateSeconds = 7_760

/** Two sensors, a reading a second, every 97th of the first one more than two hours late. */
function largeFiles(): string[] {
  const directory = join(scratchDirectory(), 'large')
  mkdirSync(directory)
  return ['a', 'b'].map((name, file) => {
    const lines = ['timestamp,value']
    for (let i = 0; i < readingsPerFile; i++) {
      const isLate = file === 0 && i > lateSeconds && i % 97 === 0
      const time = new Date(Date.UTC(2020, 0, 1) + (isLate ? i - lateSeconds : i) * 1_000)
      lines.push(`${time.toISOString().slice(0, 19).replace('T', ' ')},${((i * 7_919) % 1_000) / 8 + file}`)
    }
    const path = join(directory, `${name}.csv`)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  })
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 0
  if (!found.isDirectory()) return found.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

/** Bytes of the readings' log, wherever in the directory it lies. */
function logSize(directory: string): number {
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)readings-0$/.test(path),
  )
  return logs.reduce((sum, path) => sum + sizeOf(join(directory, path)), 0)
}

/** Resolves when the log of readings has grown beyond the size, or the program is over. */
async function logReaches(directory: string, bytes: number, program: Program): Promise<void> {
  let isOver = false
  void program.ended.then(() => {
    isOver = true
  })
  while (!isOver && logSize(directory) < bytes) await wait(2)
}

function results({ code, stdout, stderr }: Ended): unknown[] {
  return [code, stdout, /\d[\d,]* readings came too late/.exec(stderr)?.[0]]
}

describe('a replay into a directory', () => {
  it('gives the same results however often it is killed in the middle', async () => {
    const files = largeFiles()
    const options = ['--input', ...files, '--window', '10m', '--hop', '5m', '--grace', '30m', '--format', 'csv']
    const whole = await runProgram(...options)
    expect(results(whole)).toEqual([0, expect.stringContaining('large/a,'), '332 readings came too late'])

    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    let kills = 0
    for (const share of [0.05, 0.3, 0.6, 0.9]) {
      const program = new Program(clustered)
      await logReaches(directory, share * 2 * readingsPerFile * 30, program)
      program.child.kill('SIGKILL')
      const { signal } = await program.ended
      if (signal === 'SIGKILL') kills++
    }
    expect(kills).toBeGreaterThanOrEqual(2)
    const last = await runProgram(...clustered)
    expect(last.stderr).toMatch(/holds [\d,]+ readings already; going on after them/)
    expect(results(last)).toEqual(results(whole))
    expect(results(await runProgram(...clustered))).toEqual(results(whole))
  }, 120_000)

  it('joins the same sessions after it was killed', async () => {
    const files = largeFiles()
    const options = ['--input', ...files, '--session', '1500ms', '--grace', '3h', '--format', 'csv']
    const whole = await runProgram(...options)
    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    for (const share of [0.2, 0.7]) {
      const program = new Program(clustered)
      await logReaches(directory, share * 2 * readingsPerFile * 30, program)
      program.child.kill('SIGKILL')
      await program.ended
    }
    expect(results(await runProgram(...clustered))).toEqual(results(whole))
  }, 120_000)

  it('drains and ends with 0 at a signal, says that results are missing, and goes on later', async () => {
    const files = largeFiles()
    const options = ['--input', ...files, '--window', '10m', '--format', 'csv']
    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    const program = new Program(clustered)
    await logReaches(directory, readingsPerFile, program)
    program.child.kill('SIGTERM')
    const stopped = await program.ended
    expect([stopped.code, stopped.signal, stopped.stdout]).toEqual([0, null, ''])
    expect(stopped.stderr).toContain('before the end of the files; no results.\nStart again with the same arguments')
    const [last, whole] = [await runProgram(...clustered), await runProgram(...options)]
    expect(results(last)).toEqual(results(whole))
  }, 120_000)

  it('refuses a directory that was made from other files or with other options', async () => {
    const [a, b] = largeFiles() as [string, string]
    const cluster = ['--cluster', `embedded:${join(scratchDirectory(), 'cluster')}`]
    expect((await runProgram('--input', a, '--window', '1h', ...cluster)).code).toBe(0)
    for (const [args, reason] of [
      [['--input', a, b, '--window', '1h'], 'from other files (large/a, '],
      [['--input', a, '--window', '2h'], 'with other windows (--window 3600000ms --hop 3600000ms)'],
      [['--input', a, '--session', '1h'], 'with other windows'],
      [['--input', a, '--window', '1h', '--grace', '1h'], 'with another grace (--grace 86400000ms)'],
    ] as const) {
      const { code, stdout, stderr } = await runProgram(...args, ...cluster)
      expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(reason)])
    }
  }, 60_000)
})
