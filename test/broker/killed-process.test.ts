import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/broker.ts'
import { LogCursor } from '../../src/broker/log/log-cursor.ts'
import type { PartitionLog } from '../../src/broker/log/partition-log.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { failureOf, recordsIn } from './records.ts'

const program = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
const environment = nodeEnvironment()

function start(directory: string, flush: string): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, [program, directory, flush], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Kills the process after it has printed so many lines; resolves with the last end that it acknowledged per partition. */
async function killAfter(child: ChildProcessByStdio<null, Readable, null>, lines: number): Promise<number[]> {
  const ends = [0, 0]
  let seen = 0
  let rest = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const complete = (rest + chunk).split('\n')
    rest = complete.pop() as string
    for (const line of complete) {
      seen++
      if (line === 'open') continue
      const [partition, end] = line.split(' ').map(Number) as [number, number]
      ends[partition] = end
    }
    if (seen >= lines) child.kill('SIGKILL')
  }
  return ends
}

function requireWhole(log: PartitionLog, acknowledged: number): void {
  const cursor = new LogCursor(log, 0, 65_536)
  let due = 0
  for (let bytes = cursor.read(); bytes.length > 0; bytes = cursor.read()) {
    for (const { offset, value } of recordsIn(bytes)) {
      if (offset !== due || value !== `${log.partition}:${due}`) throw new Error(`${value} at ${offset}, not ${due}`)
      due++
    }
  }
  expect(due).toBeGreaterThanOrEqual(acknowledged)
  expect(due).toBe(log.logEndOffset)
}

describe('a process that is killed while it appends', () => {
  it.each(['fsync', 'page-cache'] as const)('has lost nothing that it acknowledged (%s)', async (flush) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
    for (const lines of [2, 15, 40]) {
      const acknowledged = await killAfter(start(directory, flush), lines)
      const broker = await openBroker({ directory, environment, flush, settings: { segmentBytes: 65_536 } })
      for (const [partition, end] of acknowledged.entries()) requireWhole(broker.log('t', partition), end)
      await broker.close()
    }
    rmSync(directory, { recursive: true })
  })

  it('keeps others out until then', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
    const child = start(directory, 'page-cache')
    await new Promise((resolve) => child.stdout.on('data', resolve))
    const error = await failureOf(() => openBroker({ directory, environment, flush: 'fsync' }))
    expect(error.code).toBe('DIRECTORY_LOCKED')
    expect(error.message).toContain(`the process ${child.pid}`)
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
    await (await openBroker({ directory, environment, flush: 'fsync' })).close()
    rmSync(directory, { recursive: true })
  })
})
