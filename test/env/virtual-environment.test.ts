import { describe, expect, it } from 'vitest'
import { virtualEnvironment } from '../../src/env/virtual-environment.ts'
import { describeDisk } from './disk-conformance.ts'
import { describeClock, describeRandom } from './environment-conformance.ts'
import { describeNetwork } from './network-conformance.ts'

describeDisk('virtual', () => ({ disk: virtualEnvironment({ seed: 1 }).disk, root: '' }))

describeClock('virtual', () => {
  const { clock } = virtualEnvironment({ seed: 1 })
  return { clock, timers: clock, pass: (ms) => clock.advanceAsync(ms) }
})

describeRandom('virtual', () => virtualEnvironment({ seed: 1 }).random)

describeNetwork('virtual', () => ({ network: virtualEnvironment({ seed: 1 }).network, host: 'broker-1' }))

describe('a virtual environment', () => {
  it('does the same again from the same seed, and something else from another', () => {
    const draw = (seed: number) => {
      const { random } = virtualEnvironment({ seed })
      return [random.uint32(), random.uuid(), random.uint32()]
    }
    expect(draw(42)).toEqual(draw(42))
    expect(draw(42)).not.toEqual(draw(43))
    expect(draw(42)).not.toEqual(draw(42 + 2 ** 32))
  })

  it('starts at the time that it is given', () => {
    expect(virtualEnvironment({ seed: 1, startMs: 1_000 }).clock.wallMs()).toBe(1_000)
  })

  it('has a disk of the size that it is given', () => {
    const { disk } = virtualEnvironment({ seed: 1, capacityBytes: 10 })
    const file = disk.open('a', { create: true })
    expect(() => file.write(Buffer.alloc(11), 0)).toThrow('ENOSPC')
  })

  it('goes on with the disk that a crash left', async () => {
    const before = virtualEnvironment({ seed: 1 })
    const file = before.disk.open('a', { create: true })
    file.write(Buffer.from('hello'), 0)
    await file.sync()
    await before.disk.syncDirectory('')
    const after = virtualEnvironment({ seed: 2, disk: before.disk.crash({ keepUnsynced: 'none' }) })
    expect(after.disk.open('a').size()).toBe(5)
  })
})

describe('a virtual host', () => {
  it('calls those who listen for a signal', () => {
    const { host } = virtualEnvironment({ seed: 1 })
    const heard: string[] = []
    const cancel = host.onSignal(['SIGTERM', 'SIGINT'], (signal) => heard.push(signal))
    host.raise('SIGTERM')
    host.raise('SIGINT')
    expect(heard).toEqual(['SIGTERM', 'SIGINT'])
    expect(host.exitCode).toBeUndefined()
    cancel()
    host.raise('SIGTERM')
    expect(heard.length).toBe(2)
    expect(host.exitCode).toBe(143)
  })

  it('remembers the first exit', () => {
    const { host } = virtualEnvironment({ seed: 1 })
    host.exit(3)
    host.exit(0)
    expect(host.exitCode).toBe(3)
  })
})
