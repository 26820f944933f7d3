/** What every network has to do; called with each of them. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection, ConnectionHandler, Network } from '../../src/env/environment.ts'

export interface NetworkUnderTest {
  readonly network: Network
  /** A host to listen on. */
  readonly host: string
}

/** A handler that remembers what it was told. */
export class Recorder implements ConnectionHandler {
  received: Buffer = Buffer.alloc(0)
  closes: (Error | undefined)[] = []
  readonly closed: Promise<void>
  #resolveClosed: () => void = () => {}
  #waiting: { bytes: number; resolve: () => void }[] = []
  readonly #react: ((bytes: Uint8Array) => void) | undefined

  constructor(react?: (bytes: Uint8Array) => void) {
    this.#react = react
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  onData(bytes: Uint8Array): void {
    this.received = Buffer.concat([this.received, bytes])
    this.#react?.(bytes)
    this.#waiting = this.#waiting.filter(({ bytes: wanted, resolve }) => {
      if (this.received.length >= wanted) resolve()
      return this.received.length < wanted
    })
  }

  onClose(error?: Error): void {
    this.closes.push(error)
    this.#resolveClosed()
  }

  async has(bytes: number): Promise<void> {
    if (this.received.length >= bytes) return
    await new Promise<void>((resolve) => this.#waiting.push({ bytes, resolve }))
  }
}

export function describeNetwork(name: string, make: () => NetworkUnderTest): void {
  describe(`network: ${name}`, () => {
    const closers: (() => Promise<void> | void)[] = []
    afterEach(async () => {
      for (const close of closers.splice(0)) await close()
    })

    /** Two connected ends; `react` is what the server does with data. */
    async function connected(react?: (connection: Connection, bytes: Uint8Array) => void) {
      const { network, host } = make()
      const accepted = Promise.withResolvers<{ connection: Connection; handler: Recorder }>()
      const listener = await network.listen({ host, port: 0 }, (connection) => {
        const handler = new Recorder((bytes) => react?.(connection, bytes))
        accepted.resolve({ connection, handler })
        return handler
      })
      const clientHandler = new Recorder()
      const client = await network.connect(listener.address, clientHandler)
      const { connection: server, handler: serverHandler } = await accepted.promise
      closers.push(
        () => client.destroy(),
        () => server.destroy(),
        () => listener.close(),
      )
      return { network, listener, client, clientHandler, server, serverHandler }
    }

    it('carries bytes there and back', async () => {
      const { client, clientHandler } = await connected((connection, bytes) => connection.write(bytes))
      client.write(Buffer.from('hello '))
      client.write(Buffer.from('world'))
      await clientHandler.has(11)
      expect(clientHandler.received.toString()).toBe('hello world')
    })

    it('tells the port that the system gave', async () => {
      const { listener } = await connected()
      expect(listener.address.port).toBeGreaterThan(0)
    })

    it('lets the server speak first', async () => {
      const { server, clientHandler } = await connected()
      server.write(Buffer.from('welcome'))
      await clientHandler.has(7)
      expect(clientHandler.received.toString()).toBe('welcome')
    })

    it('gives the bytes of a write back to the caller', async () => {
      const { client, serverHandler } = await connected()
      const bytes = Buffer.alloc(200_000, 'a')
      client.write(bytes)
      bytes.fill('b')
      client.write(bytes)
      bytes.fill('c')
      await serverHandler.has(400_000)
      expect(serverHandler.received.equals(Buffer.from('a'.repeat(200_000) + 'b'.repeat(200_000)))).toBe(true)
    })

    it('refuses a connection where nobody listens', async () => {
      const { network, host } = make()
      const listener = await network.listen({ host, port: 0 }, () => new Recorder())
      await listener.close()
      const handler = new Recorder()
      await expect(network.connect(listener.address, handler)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      expect(handler.closes).toEqual([])
    })

    it('does not listen twice on a port', async () => {
      const { network, listener } = await connected()
      await expect(network.listen(listener.address, () => new Recorder())).rejects.toMatchObject({ code: 'EADDRINUSE' })
    })

    it('keeps connections when the listener closes, and closes it twice quietly', async () => {
      const { client, clientHandler, listener } = await connected((connection, bytes) => connection.write(bytes))
      await listener.close()
      await listener.close()
      client.write(Buffer.from('still here'))
      await clientHandler.has(10)
      expect(clientHandler.received.toString()).toBe('still here')
    })

    it('frees the port when the listener closes', async () => {
      const { network, listener } = await connected()
      await listener.close()
      const next = await network.listen(listener.address, () => new Recorder())
      closers.push(() => next.close())
      expect(next.address.port).toBe(listener.address.port)
    })

    it('delivers what was written before the end, and closes both ends without an error', async () => {
      const { client, clientHandler, serverHandler } = await connected()
      client.write(Buffer.alloc(500_000, 'x'))
      client.end()
      await Promise.all([clientHandler.closed, serverHandler.closed])
      expect(serverHandler.received.length).toBe(500_000)
      expect(serverHandler.closes).toEqual([undefined])
      expect(clientHandler.closes).toEqual([undefined])
    })

    it('answers a peer that has ended its half', async () => {
      const { client, clientHandler } = await connected((connection) => connection.write(Buffer.alloc(300_000, 'y')))
      client.write(Buffer.from('?'))
      client.end()
      await clientHandler.closed
      expect(clientHandler.received.length).toBeGreaterThanOrEqual(300_000)
      expect(clientHandler.closes).toEqual([undefined])
    })

    it('drops what is written after the end', async () => {
      const { client, serverHandler } = await connected()
      client.write(Buffer.from('yes'))
      client.end()
      expect(client.write(Buffer.from('no'))).toBe(true)
      await serverHandler.closed
      expect(serverHandler.received.toString()).toBe('yes')
    })

    it('tells both ends once when one destroys the connection', async () => {
      const { client, clientHandler, server, serverHandler } = await connected()
      client.destroy()
      client.destroy()
      expect(clientHandler.closes).toEqual([])
      await Promise.all([clientHandler.closed, serverHandler.closed])
      server.destroy()
      client.end()
      expect(client.write(Buffer.from('late'))).toBe(true)
      await client.drained()
      expect(clientHandler.closes).toEqual([undefined])
      expect(serverHandler.closes.length).toBe(1)
    })

    it('says when pieces were sent that it did not copy', async () => {
      const { client, serverHandler } = await connected()
      const pieces = [Buffer.from('a'.repeat(500)), Buffer.from('b'.repeat(900_000))]
      await new Promise<void>((resolve) => client.writeAll(pieces, resolve))
      for (const piece of pieces) piece.fill('x')
      await new Promise<void>((resolve) => client.writeAll([Buffer.from('end')], resolve))
      await serverHandler.has(900_503)
      expect(serverHandler.received.toString()).toBe(`${'a'.repeat(500)}${'b'.repeat(900_000)}end`)
    })

    it('does not say that pieces were sent where the connection was lost before', async () => {
      const { client, clientHandler, serverHandler, server } = await connected()
      let sent = 0
      server.destroy()
      await Promise.all([clientHandler.closed, serverHandler.closed])
      client.writeAll([Buffer.alloc(900_000)], () => sent++)
      await new Promise((resolve) => setImmediate(resolve))
      expect(sent).toBe(0)
    })

    it('makes a writer wait for a reader that pauses, and loses nothing', async () => {
      const { client, server, serverHandler } = await connected()
      server.pause()
      const block = Buffer.alloc(64 * 1024)
      let written = 0
      let isAccepted = true
      while (isAccepted && written < 4096) {
        block.fill(written % 251)
        written += 1
        isAccepted = client.write(block)
      }
      expect(isAccepted).toBe(false)
      const drained = client.drained()
      server.resume()
      await drained
      client.end()
      await serverHandler.closed
      expect(serverHandler.received.length).toBe(written * block.length)
      for (let i = 0; i < written; i++) expect(serverHandler.received[(i + 1) * block.length - 1]).toBe(i % 251)
    })

    it('gives nothing to a reader while it pauses', async () => {
      const { client, clientHandler, server, serverHandler } = await connected()
      server.write(Buffer.from('1'))
      await clientHandler.has(1)
      client.pause()
      server.write(Buffer.from('2'))
      // By the time that the answer has made its way around, the byte would have come.
      client.write(Buffer.from('?'))
      await serverHandler.has(1)
      expect(clientHandler.received.toString()).toBe('1')
      client.resume()
      await clientHandler.has(2)
      expect(clientHandler.received.toString()).toBe('12')
    })

    it('moves a lot, with the writer waiting when it is told to', async () => {
      const { client, serverHandler } = await connected()
      const bytes = Buffer.alloc(100_003)
      for (let i = 0; i < bytes.length; i++) bytes[i] = i % 241
      for (let i = 0; i < 40; i++) if (!client.write(bytes)) await client.drained()
      client.end()
      await serverHandler.closed
      expect(serverHandler.received.equals(Buffer.concat(new Array<Buffer>(40).fill(bytes)))).toBe(true)
    })

    it('does not keep a writer waiting for a connection that is gone', async () => {
      const { client, server } = await connected()
      server.pause()
      while (client.write(Buffer.alloc(1024 * 1024)));
      const drained = client.drained()
      client.destroy()
      await expect(drained).resolves.toBeUndefined()
    })
  })
}
