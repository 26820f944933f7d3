import { describe, expect, it } from 'vitest'
import { hasTerminals, Program, runProgram } from './program.ts'
import { scratchDirectory, scratchFile } from './scratch.ts'

function heldReadings(stderr: string): number {
  return Number(/^continuing: ([\d,]+) readings so far$/m.exec(stderr)?.[1]?.replaceAll(',', ''))
}

function stoppedAfter(stderr: string): number {
  return Number(/^stopped: ([\d,]+) readings /m.exec(stderr)?.[1]?.replaceAll(',', ''))
}

describe('live', () => {
  it('prints windows as they close, ends cleanly at Ctrl-C, and goes on when it is started again', async () => {
    const cluster = `embedded:${scratchDirectory()}/iot`
    const first = new Program(['--cluster', cluster])
    await first.until(({ stdout }) => /^\S+ \S+ +1 s +cpu\/0 +count \d+ +min .* mean \S+$/m.test(stdout))
    first.child.kill('SIGINT')
    const ended = await first.ended
    expect([ended.code, ended.signal]).toEqual([0, null])
    expect(stoppedAfter(ended.stderr)).toBeGreaterThan(0)
    expect(ended.stderr).toMatch(/[1-9]\d* windows closed, 0 late\n$/)

    const second = new Program(['--cluster', cluster, '--format', 'json'])
    await second.until(({ stdout }) => stdout.includes('"memory/used"') && stdout.endsWith('}\n'))
    expect(heldReadings(second.stderr)).toBe(stoppedAfter(ended.stderr))
    second.child.kill('SIGTERM')
    const again = await second.ended
    expect([again.code, again.signal]).toEqual([0, null])
    for (const line of again.stdout.trimEnd().split('\n')) {
      const { window_start_ms, window_end_ms, count, min, max, mean } = JSON.parse(line)
      expect([1_000, 10_000]).toContain(window_end_ms - window_start_ms)
      expect(count).toBeGreaterThan(0)
      expect(min <= mean && mean <= max).toBe(true)
    }
    expect(again.stderr).toContain('with earlier runs')
  })

  const onTerminal = hasTerminals ? '' : ' (skipped: there is no `script` of util-linux)'
  it.skipIf(!hasTerminals)(`draws a table over itself on a terminal${onTerminal}`, async () => {
    const program = new Program(['--cluster', 'memory:'], { onTerminal: true })
    // The second drawing goes back over the first.
    await program.until(({ stdout }) => /cpu\/0[\s\S]*Ctrl-C ends[\s\S]*cpu\/0 +\d+ /.test(stdout))
    program.type('\u0003')
    const { code, stdout } = await program.ended
    expect([code, stdout]).toEqual([0, expect.stringMatching(/stopped: \d+ readings [\s\S]*\r\n$/)])
    // The terminal shows the key that was typed wherever the program is just then.
    const drawings = stdout.replace('^C', '').split('\u001b[J')
    const heights = drawings.map((drawing) => drawing.split('\n').length - 1)
    expect(heights[1]).toBeGreaterThan(4)
    // A sensor that was not there at first makes the table higher, so each drawing is held against the one before it.
    for (let at = 2; at < drawings.length - 1; at++) {
      expect(drawings[at]?.split('\r')[0]).toBe(`\u001b[${heights[at - 1]}A`)
    }
  })

  it('ends at once at a second signal', async () => {
    const program = new Program(['--cluster', `embedded:${scratchDirectory()}/iot`, '--format', 'csv'])
    await program.until(({ stdout }) => stdout.includes('\n'))
    // Stopped, it finds both signals when it goes on, before it can have finished what the first one asks for.
    program.child.kill('SIGSTOP')
    program.child.kill('SIGINT')
    program.child.kill('SIGTERM')
    program.child.kill('SIGCONT')
    const { code, stderr } = await program.ended
    expect([130, 143]).toContain(code)
    expect(stderr).not.toContain('stopped:')
  })

  it('says which directory another process holds', async () => {
    const cluster = `embedded:${scratchDirectory()}/iot`
    const holder = new Program(['--cluster', cluster, '--format', 'csv'])
    await holder.until(({ stdout }) => stdout !== '')
    const { code, stdout, stderr } = await runProgram('--cluster', cluster)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^DIRECTORY_LOCKED: [^\n]*\n$/)
  })

  it('does not mix with data files in one directory', async () => {
    const cluster = `embedded:${scratchDirectory()}/iot`
    const file = scratchFile('timestamp,value\n2020-01-01 00:00:00,1\n')
    expect((await runProgram('--input', file, '--cluster', cluster)).code).toBe(0)
    const { code, stderr } = await runProgram('--cluster', cluster)
    expect([code, stderr]).toEqual([2, expect.stringContaining('it holds the readings of data files, not live ones')])
  })
})
