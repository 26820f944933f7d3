import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openBroker } from '../../../src/broker/broker.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { failureOf } from '../records.ts'
import { runKills } from './kill-run.ts'

const program = fileURLToPath(new URL('appending-process.ts', import.meta.url))
const environment = nodeEnvironment()

describe('a process that is killed while it appends', () => {
  it('has lost nothing that it acknowledged, and repeats nothing when it sends again', async () => {
    const seed = environment.random.uint32()
    const result = await runKills({ cycles: 12, seed }).catch((error: unknown) => {
      throw new Error(`with seed ${seed}`, { cause: error })
    })
    expect(result.records).toBeGreaterThan(0)
    expect(result.transactions).toBeGreaterThan(0)
  })

  it('keeps others out until then', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-'))
    const child = spawn(process.execPath, [program, directory, 'page-cache', '[0]', ''], { stdio: 'pipe' })
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
