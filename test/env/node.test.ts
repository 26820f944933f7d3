import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nodeEnvironment } from '../../src/env/node.ts'
import { describeDisk, textIn } from './disk-conformance.ts'
import { describeClock, describeRandom } from './environment-conformance.ts'
import { describeNetwork } from './network-conformance.ts'

const environment = nodeEnvironment()

function makeRoot(): { root: string; dispose: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'millrace-env-'))
  return { root, dispose: () => rmSync(root, { recursive: true, force: true }) }
}

describeDisk('node', () => ({ disk: environment.disk, ...makeRoot() }))

describeClock('node', () => ({
  clock: environment.clock,
  timers: environment.timers,
  pass: async (ms) => {
    const untilMs = performance.now() + ms
    while (performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, untilMs - performance.now()))
    await new Promise((resolve) => setImmediate(resolve))
  },
}))

describeRandom('node', () => nodeEnvironment().random)

describeNetwork('node', () => ({ network: environment.network, host: '127.0.0.1' }))

describe('the sockets of node', () => {
  it('read into one buffer, those that were accepted too', async () => {
    const seen = new Set<unknown>()
    const handler = (done: () => void) => ({
      onData: (bytes: Uint8Array) => {
        seen.add(bytes.buffer)
        done()
      },
      onClose: () => {},
    })
    const address = { host: '127.0.0.1', port: 0 }
    const received = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let accepted = 0
    const listener = await environment.network.listen(address, (connection) => {
      connection.write(Buffer.from('welcome'))
      return handler(() => received[accepted++]?.resolve())
    })
    const clients = []
    for (const { promise } of received) {
      const client = await environment.network.connect(
        listener.address,
        handler(() => {}),
      )
      clients.push(client)
      client.write(Buffer.from('hello'))
      await promise
    }
    expect(seen.size).toBe(1)
    for (const client of clients) client.destroy()
    await listener.close()
  })
})

describe('the timers of node', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('let the process end in the background', () => {
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0)), 'unref')
    const cancel = environment.timers.after(1_000, () => {}, { isBackground: true })
    expect(unref).toHaveBeenCalledTimes(1)
    environment.timers.after(1_000, () => {})()
    expect(unref).toHaveBeenCalledTimes(1)
    cancel()
    unref.mockRestore()
  })

  it('run a delay of 60 days after 60 days', () => {
    vi.useFakeTimers()
    const dayMs = 24 * 60 * 60 * 1000
    let runs = 0
    environment.timers.after(60 * dayMs, () => {
      runs += 1
    })
    vi.advanceTimersByTime(60 * dayMs - 1)
    expect(runs).toBe(0)
    vi.advanceTimersByTime(1)
    expect(runs).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('cancel a long delay that has been waited for in part', () => {
    vi.useFakeTimers()
    let runs = 0
    const cancel = environment.timers.after(2 ** 32, () => {
      runs += 1
    })
    vi.advanceTimersByTime(2 ** 31 + 10)
    cancel()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(2 ** 32)
    expect(runs).toBe(0)
  })
})

describe('the directories of node', () => {
  it.runIf(process.platform === 'linux')('are given up where the system allows none', () => {
    expect(() => environment.disk.makeDirectory('/proc/none/here')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})

describe('the lock of node', () => {
  let path: string
  let dispose: () => void
  const children: ChildProcess[] = []

  beforeEach(() => {
    const made = makeRoot()
    path = join(made.root, 'lock')
    dispose = made.dispose
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child)
    dispose()
  })

  /** A process of its own that tries the lock, says whether it got it, and then stays until it is killed. */
  async function otherProcess(): Promise<{ child: ChildProcess; answer: string }> {
    const module = new URL('../../src/env/node.ts', import.meta.url).href
    const script = `
      import { nodeEnvironment } from ${JSON.stringify(module)}
      const lock = nodeEnvironment().disk.lock(${JSON.stringify(path)})
      process.stdout.write(lock === undefined ? 'refused' : 'granted')
      setInterval(() => lock, 60_000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    let complaints = ''
    child.stderr?.on('data', (data) => {
      complaints += String(data)
    })
    const answer = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (data) => resolve(String(data)))
      child.once('exit', () => reject(new Error(`the other process ended: ${complaints}`)))
    })
    return { child, answer }
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  it('excludes another process, and is free again when its holder is killed', async () => {
    const { child, answer } = await otherProcess()
    expect(answer).toBe('granted')
    expect(environment.disk.lock(path)).toBeUndefined()
    expect(textIn(environment.disk.open(path))).toBe(String(child.pid))
    await kill(child)
    const lock = environment.disk.lock(path)
    expect(lock).toBeDefined()
    expect(textIn(environment.disk.open(path))).toBe(String(process.pid))
    expect((await otherProcess()).answer).toBe('refused')
    lock!.release()
    expect((await otherProcess()).answer).toBe('granted')
  })
})

describe('the host of node', () => {
  it('hears the signals that it is asked to, until cancelled', async () => {
    const heard: string[] = []
    const cancel = environment.host.onSignal(['SIGHUP'], (signal) => heard.push(signal))
    const also = environment.host.onSignal(['SIGHUP'], () => heard.push('also'))
    const raised = new Promise((resolve) => process.once('SIGHUP', resolve))
    process.kill(process.pid, 'SIGHUP')
    await raised
    cancel()
    also()
    expect(heard).toEqual(['SIGHUP', 'also'])
    expect(process.listenerCount('SIGHUP')).toBe(0)
  })

  it('exits with the code', async () => {
    const module = new URL('../../src/env/node.ts', import.meta.url).href
    const script = `import { nodeEnvironment } from ${JSON.stringify(module)}; nodeEnvironment().host.exit(7)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' })
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(7)
  })
})
