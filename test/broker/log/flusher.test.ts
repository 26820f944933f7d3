import { describe, expect, it } from 'vitest'
import { DirectoryStatus } from '../../../src/broker/log/directory-status.ts'
import { type Flushable, Flusher } from '../../../src/broker/log/flusher.ts'
import { failureOf } from '../records.ts'

/** A log whose syncs end when the test says so. */
class FakeLog implements Flushable {
  syncs = 0
  completed = 0
  #done = Promise.withResolvers<void>()

  sync(): Promise<void> {
    this.syncs++
    this.#done = Promise.withResolvers<void>()
    return this.#done.promise
  }

  completeSync(): void {
    this.completed++
  }

  succeed(): void {
    this.#done.resolve()
  }

  fail(): void {
    this.#done.reject(Object.assign(new Error('EIO: bad sector'), { code: 'EIO' }))
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await undefined
}

describe('a flusher', () => {
  it('covers what is written in one go, to any log, with one flush', async () => {
    const flusher = new Flusher(new DirectoryStatus('d'))
    const [a, b] = [new FakeLog(), new FakeLog()]
    const flushed = Promise.all([flusher.flush(a), flusher.flush(b), flusher.flush(a)])
    await settle()
    expect([a.syncs, b.syncs]).toEqual([1, 1])
    a.succeed()
    b.succeed()
    await flushed
    expect([a.completed, b.completed]).toEqual([1, 1])
  })

  it('has one flush under way at a time, and answers what came meanwhile with the next', async () => {
    const flusher = new Flusher(new DirectoryStatus('d'))
    const log = new FakeLog()
    const answered: number[] = []
    void flusher.flush(log).then(() => answered.push(1))
    await settle()
    void flusher.flush(log).then(() => answered.push(2))
    void flusher.flush(log).then(() => answered.push(3))
    await settle()
    expect([log.syncs, answered]).toEqual([1, []])
    log.succeed()
    await settle()
    expect([log.syncs, answered]).toEqual([2, [1]])
    log.succeed()
    await settle()
    expect([log.syncs, answered]).toEqual([2, [1, 2, 3]])
  })

  it('takes the directory offline at the first failure, tells every waiter, and never tries again', async () => {
    const status = new DirectoryStatus('d')
    const flusher = new Flusher(status)
    const [bad, good] = [new FakeLog(), new FakeLog()]
    const first = failureOf(() => flusher.flush(bad))
    await settle()
    const queued = failureOf(() => flusher.flush(good))
    bad.fail()
    expect((await first).code).toBe('STORAGE_FAILED')
    expect((await first).message).toContain('EIO: bad sector')
    expect(await queued).toBe(await first)
    expect(await failureOf(() => flusher.flush(good))).toBe(await first)
    expect([bad.syncs, bad.completed, good.syncs]).toEqual([1, 0, 0])
    expect(await failureOf(() => status.requireOnline())).toBe(await first)
  })
})
