import { describe, expect, it } from 'vitest'
import { ByteBudget } from '../../../src/broker/server/byte-budget.ts'
import { type PendingReply, ReplyQueue } from '../../../src/broker/server/reply-queue.ts'
import { BufferLoan } from '../../../src/bytes/buffer-loan.ts'
import { BufferPool } from '../../../src/bytes/buffer-pool.ts'
import { virtualEnvironment } from '../../../src/env/virtual-environment.ts'

/** A queue over a connection that tells what was written to it in one go, and whether it has room. */
function queueOver({ hasRoom = true } = {}) {
  const { timers, clock } = virtualEnvironment({ seed: 1 })
  const pool = new BufferPool(1 << 20)
  const budget = new ByteBudget(1_000)
  const writes: string[] = []
  const sent: (() => void)[] = []
  const events: string[] = []
  const drained = Promise.withResolvers<void>()
  const queue = new ReplyQueue({
    connection: {
      writeAll: (pieces, onSent) => {
        writes.push(Buffer.concat(pieces).toString('latin1'))
        if (onSent !== undefined) sent.push(onSent)
        return hasRoom
      },
      drained: () => drained.promise,
    },
    limits: { maxUnreadMs: 5_000 },
    ...{ budget, timers },
    onReply: (request) => events.push(`replied ${request}`),
    onRoom: () => events.push('room'),
    onStuck: () => events.push('stuck'),
  })
  const begin = (name: string): PendingReply => {
    const pending = { request: Buffer.from(name), buffers: new BufferLoan(pool), reply: undefined }
    queue.add(pending)
    return pending
  }
  return { queue, begin, writes, sent, events, pool, budget, clock, drained }
}

const reply = (text: string) => ({ pieces: [Buffer.from(text)], muteMs: 0 })

describe('ReplyQueue', () => {
  it('sends replies in the order of their requests, those of one turn together', async () => {
    const { queue, begin, writes, events } = queueOver()
    const [a, b, c] = [begin('a'), begin('b'), begin('c')]
    queue.settle(b, reply('B'))
    queue.settle(a, reply('A'))
    expect(writes).toEqual([])
    await Promise.resolve()
    expect(writes).toEqual(['AB'])
    expect(events).toEqual(['replied a', 'replied b'])
    expect(queue.pendingCount).toBe(1)
    queue.settle(c, { pieces: undefined, muteMs: 0 })
    await Promise.resolve()
    expect(writes).toEqual(['AB'])
    expect(queue.pendingCount).toBe(0)
  })

  it('holds back no more than a bound', () => {
    const { queue, begin, writes } = queueOver()
    const large = 'x'.repeat(40_000)
    queue.settle(begin('a'), reply(large))
    expect(writes).toEqual([])
    queue.settle(begin('b'), reply(large))
    expect(writes).toEqual([large + large])
  })

  it('gives buffers back when they were sent, and not where the connection was lost before', async () => {
    const { queue, begin, sent, pool } = queueOver()
    const a = begin('a')
    const bytes = a.buffers.take(20_000)
    queue.settle(a, { pieces: [bytes], muteMs: 0 })
    await Promise.resolve()
    expect(pool.freeBytes).toBe(0)
    sent[0]?.()
    expect(pool.freeBytes).toBe(bytes.length)
    const b = begin('b')
    b.buffers.take(20_000)
    queue.settle(b, reply('B'))
    queue.clear()
    await Promise.resolve()
    expect(sent).toHaveLength(1)
    expect(pool.freeBytes).toBe(0)
  })

  it('counts what is not read, and says when it is, or is not for too long', async () => {
    const { queue, begin, events, budget, clock, drained } = queueOver({ hasRoom: false })
    queue.settle(begin('a'), reply('answer'))
    await Promise.resolve()
    expect(queue.isFull).toBe(true)
    expect(budget.used).toBe(6)
    await clock.advanceAsync(5_000)
    expect(events).toEqual(['replied a', 'stuck'])
    drained.resolve()
    await clock.advanceAsync(1)
    expect(events).toEqual(['replied a', 'stuck', 'room'])
    expect(queue.isFull).toBe(false)
    expect(budget.used).toBe(0)
  })

  it('forgets everything when the connection is over', async () => {
    const { queue, begin, writes, events, budget, drained } = queueOver({ hasRoom: false })
    queue.settle(begin('a'), reply('answer'))
    await Promise.resolve()
    queue.settle(begin('b'), reply('more'))
    queue.clear()
    drained.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(writes).toEqual(['answer'])
    expect(events).not.toContain('room')
    expect(budget.used).toBe(0)
  })
})
