import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Ended, Program, runProgram } from './program.ts'
import { scratchDirectory } from './scratch.ts'

/** A multiple of 97 seconds: a late reading falls into the place that another one left, and joins what was apart there. */
const lateSeconds = 7_760

/** Two sensors, a reading a second, every 97th of the first one more than two hours late. */
function dataFiles(readingsPerFile: number): string[] {
  const directory = join(scratchDirectory(), 'made')
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

/** Bytes of a topic's log. */
function logSize(directory: string, topic: string): number {
  return sizeOf(join(directory, `${topic}-0`))
}

/** Starts the program and kills it when a topic's log has grown by so many bytes; returns whether it came to that. */
async function killAfter(bytes: number, topic: string, directory: string, args: readonly string[]): Promise<boolean> {
  const before = logSize(directory, topic)
  const program = new Program(args)
  let isOver = false
  void program.ended.then(() => {
    isOver = true
  })
  while (!isOver && logSize(directory, topic) - before < bytes) await wait(2)
  program.child.kill('SIGKILL')
  const { signal } = await program.ended
  return signal === 'SIGKILL'
}

function results({ code, stdout, stderr }: Ended): unknown[] {
  return [code, stdout, /\d[\d,]* readings came too late/.exec(stderr)?.[0]]
}

describe('a replay into a directory', () => {
  it('gives the same results however often it is killed in the middle', async () => {
    const files = dataFiles(30_000)
    const options = ['--input', ...files, '--window', '10m', '--hop', '5m', '--grace', '30m', '--format', 'csv']
    const whole = await runProgram(...options)
    expect(results(whole)).toEqual([0, expect.stringContaining('made/a,'), '229 readings came too late'])

    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    // Early in the log; while results are written, with commits between; and while a run reads what the last one left.
    let kills = 0
    for (const [bytes, topic] of [
      [200_000, 'readings'],
      [1_000_000, 'windows'],
      [1, '__consumer_offsets'],
      [1_000_000, 'windows'],
      [600, '__consumer_offsets'],
    ] as const) {
      if (await killAfter(bytes, topic, directory, clustered)) kills++
    }
    expect(kills).toBeGreaterThanOrEqual(3)
    const last = await runProgram(...clustered)
    expect(last.stderr).toMatch(/holds [\d,]+ readings already; going on after them/)
    expect(results(last)).toEqual(results(whole))
    expect(results(await runProgram(...clustered))).toEqual(results(whole))
  }, 120_000)

  it('joins the same sessions after it was killed', async () => {
    const files = dataFiles(30_000)
    const options = ['--input', ...files, '--session', '1500ms', '--grace', '3h', '--format', 'csv']
    const whole = await runProgram(...options)
    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    expect(await killAfter(500_000, 'sessions', directory, clustered)).toBe(true)
    await killAfter(2_000_000, 'sessions', directory, clustered)
    expect(results(await runProgram(...clustered))).toEqual(results(whole))
  }, 120_000)

  it('drains and ends with 0 at a signal, says that results are missing, and goes on later', async () => {
    const files = dataFiles(30_000)
    const options = ['--input', ...files, '--window', '10m', '--format', 'csv']
    const directory = join(scratchDirectory(), 'cluster')
    mkdirSync(directory)
    const clustered = [...options, '--cluster', `embedded:${directory}`]
    const program = new Program(clustered)
    while (logSize(directory, 'windows') < 100_000) await wait(2)
    program.child.kill('SIGTERM')
    const stopped = await program.ended
    expect([stopped.code, stopped.signal, stopped.stdout]).toEqual([0, null, ''])
    expect(stopped.stderr).toContain('before the end of the files; no results.\nStart again with the same arguments')
    const [last, whole] = [await runProgram(...clustered), await runProgram(...options)]
    expect(results(last)).toEqual(results(whole))
  }, 120_000)

  it('refuses a directory that was made from other files or with other options', async () => {
    const [a, b] = dataFiles(10) as [string, string]
    const cluster = ['--cluster', `embedded:${join(scratchDirectory(), 'cluster')}`]
    expect((await runProgram('--input', a, '--window', '1h', ...cluster)).code).toBe(0)
    for (const [args, reason] of [
      [['--input', a, b, '--window', '1h'], 'from other files (made/a, '],
      [['--input', a, '--window', '2h'], 'with other windows (--window 3600000ms --hop 3600000ms)'],
      [['--input', a, '--session', '1h'], 'with other windows'],
      [['--input', a, '--window', '1h', '--grace', '1h'], 'with another grace (--grace 86400000ms)'],
    ] as const) {
      const { code, stdout, stderr } = await runProgram(...args, ...cluster)
      expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(reason)])
    }
  }, 60_000)
})
