import { describe, expect, it } from 'vitest'
import { MemoryNetwork } from '../../src/env/memory-network.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { SeededRandom } from '../../src/env/seeded-random.ts'
import { VirtualClock } from '../../src/env/virtual-clock.ts'
import { describeNetwork, Recorder } from './network-conformance.ts'

describeNetwork('memory, with real turns', () => ({
  network: new MemoryNetwork({ timers: nodeEnvironment().timers }),
  host: 'broker-1',
}))

describe('a memory network', () => {
  it('cuts what is sent at other places for other seeds, and at the same ones for the same', async () => {
    const piecesFor = async (seed: number) => {
      const network = new MemoryNetwork({ timers: new VirtualClock(), random: new SeededRandom(seed) })
      const lengths: number[] = []
      const handler = new Recorder((bytes) => lengths.push(bytes.length))
      const listener = await network.listen({ host: 'a', port: 0 }, () => handler)
      const client = await network.connect(listener.address, new Recorder())
      for (let i = 0; i < 20; i++) client.write(Buffer.alloc(1000, i))
      client.end()
      await handler.closed
      expect(handler.received.length).toBe(20_000)
      return lengths
    }
    expect(await piecesFor(1)).toEqual(await piecesFor(1))
    expect(await piecesFor(1)).not.toEqual(await piecesFor(2))
    expect((await piecesFor(1)).length).toBeGreaterThan(20)
  })

  it('spoils bytes that a handler keeps beyond its call', async () => {
    const network = new MemoryNetwork({ timers: new VirtualClock() })
    const kept: Uint8Array[] = []
    const handler = new Recorder((bytes) => kept.push(bytes))
    const listener = await network.listen({ host: 'a', port: 0 }, () => handler)
    const client = await network.connect(listener.address, new Recorder())
    client.write(Buffer.from('hello'))
    client.end()
    await handler.closed
    expect(handler.received.toString()).toBe('hello')
    expect([...kept[0]!]).toEqual([0xdb, 0xdb, 0xdb, 0xdb, 0xdb])
  })

  it('tells hosts apart, but for a listener on all of them', async () => {
    const network = new MemoryNetwork({ timers: new VirtualClock() })
    const accepted: string[] = []
    const listenAs = (host: string, port: number) =>
      network.listen({ host, port }, () => {
        accepted.push(host)
        return new Recorder()
      })
    await listenAs('a', 9092)
    await listenAs('b', 9092)
    await listenAs('0.0.0.0', 9093)
    await network.connect({ host: 'b', port: 9092 }, new Recorder())
    await network.connect({ host: 'a', port: 9092 }, new Recorder())
    await network.connect({ host: 'c', port: 9093 }, new Recorder())
    expect(accepted).toEqual(['b', 'a', '0.0.0.0'])
    await expect(network.connect({ host: 'c', port: 9092 }, new Recorder())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  it('tells the peer of a destroyed connection that it was lost', async () => {
    const network = new MemoryNetwork({ timers: new VirtualClock() })
    const server = new Recorder()
    const listener = await network.listen({ host: 'a', port: 0 }, () => server)
    const client = await network.connect(listener.address, new Recorder())
    client.write(Buffer.from('never arrives'))
    client.destroy()
    await server.closed
    expect(server.closes).toMatchObject([{ code: 'ECONNRESET' }])
    expect(server.received.length).toBe(0)
  })
})
