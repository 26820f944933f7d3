import net from 'node:net'
import tls from 'node:tls'
import type {
  Address,
  ClientTlsOptions,
  Connection,
  ConnectionHandler,
  Listener,
  Network,
  ServerTlsOptions,
} from './environment.ts'

type Accept = (connection: Connection) => ConnectionHandler

const readBufferBytes = 64 * 1024
const handshakeTimeoutMs = 30_000

/** Node's sockets. */
export const nodeNetwork: Network = {
  listen(address: Address, accept: Accept, options?: ServerTlsOptions): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = options === undefined ? clearServer(accept) : tlsServer(accept, options)
      server.once('error', reject)
      server.listen(address.port, address.host, () => {
        server.off('error', reject)
        // A connection that could not be accepted (no file descriptors left) is the peer's to try again.
        server.on('error', () => {})
        resolve(listenerOf(server, address.host))
      })
    })
  },

  connect(address: Address, handler: ConnectionHandler, options?: ClientTlsOptions): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket =
        options === undefined ? connectInClear(address, handler) : connectOverTls(address, handler, options)
      const connection = new NodeConnection(socket, address)
      let isConnected = false
      socket.once(options === undefined ? 'connect' : 'secureConnect', () => {
        isConnected = true
        resolve(connection)
        if (options !== undefined) handler.onSecured?.()
      })
      connection.onClosed((error) => (isConnected ? handler.onClose(error) : reject(error)))
    })
  },
}

function clearServer(accept: Accept): net.Server {
  return net.createServer({ noDelay: true }, (accepted) => {
    let handler: ConnectionHandler | undefined
    const socket = readingInto(readBuffer, accepted, (bytes) => handler?.onData(bytes))
    const connection = new NodeConnection(socket)
    handler = accept(connection)
    connection.onClosed((error) => handler?.onClose(error))
  })
}

/** What sockets read into, one after the other: whoever is given the bytes uses them during the call. */
const readBuffer = Buffer.allocUnsafeSlow(readBufferBytes)

type OnData = (bytes: Uint8Array) => void

/**
 * The connection of an accepted socket as one that reads into a buffer of ours. Node has that only for sockets that one makes
 * (`onread`), and a new buffer for each read costs a broker more than everything else that it does with a batch. Where the
 * handle cannot be had, which Node does not promise, the socket is as it is and reads into buffers of its own.
 */
function readingInto(buffer: Buffer, accepted: net.Socket, onData: OnData): net.Socket {
  const holder = accepted as { _handle?: object | null }
  const handle = holder._handle
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) {
    return accepted.on('data', onData)
  }
  holder._handle = null
  const options: object = { handle, onread: onRead(buffer, onData) }
  return new net.Socket(options)
}

function onRead(buffer: Buffer, onData: OnData): net.OnReadOpts {
  return {
    buffer,
    callback: (count, bytes) => {
      onData(bytes.subarray(0, count))
      return true
    },
  }
}

/** A connection from its first packet on: what is sent and received is the socket's on top of it once the handshake is over. */
interface Handshake {
  readonly connection: NodeConnection
  readonly handler: ConnectionHandler
}

function tlsServer(accept: Accept, options: ServerTlsOptions): tls.Server {
  const { clientCertificates = 'none' } = options
  const server = tls.createServer({
    ...contextOf(options),
    noDelay: true,
    handshakeTimeout: options.handshakeTimeoutMs ?? handshakeTimeoutMs,
    requestCert: clientCertificates !== 'none',
    // What clients show is looked at below: Node would drop them without a word.
    rejectUnauthorized: false,
  })
  const handshakes = new Map<string, Handshake>()
  server.on('connection', (socket: net.Socket) => {
    const name = placeOf(socket)
    const connection = NodeConnection.beforeHandshake(socket)
    const handler = accept(connection)
    handshakes.set(name, { connection, handler })
    socket.once('close', () => {
      if (handshakes.get(name)?.connection === connection) handshakes.delete(name)
    })
    connection.onClosed((error) => handler.onClose(error))
  })
  server.on('tlsClientError', (error, socket) => handshakes.get(placeOf(socket))?.connection.fail(error))
  server.on('secureConnection', (socket) => {
    const handshake = handshakes.get(placeOf(socket))
    handshakes.delete(placeOf(socket))
    if (handshake === undefined) socket.destroy()
    else begin(handshake, socket, clientCertificates === 'required')
  })
  return server
}

function begin({ connection, handler }: Handshake, socket: tls.TLSSocket, isNameRequired: boolean): void {
  const hasName = socket.getPeerX509Certificate() !== undefined
  if (hasName ? !socket.authorized : isNameRequired) {
    const fault = hasName ? `the client's certificate is not trusted: ${socket.authorizationError}` : 'no certificate'
    connection.secureWith(socket)
    connection.fail(new Error(fault))
    return
  }
  connection.secureWith(socket)
  handler.onSecured?.()
  socket.on('data', (bytes) => handler.onData(bytes))
}

function contextOf({
  certificate,
  key,
  passphrase,
  ca,
  minVersion,
  maxVersion,
}: ServerTlsOptions): tls.SecureContextOptions {
  return {
    cert: certificate,
    key,
    minVersion: minVersion ?? 'TLSv1.2',
    maxVersion: maxVersion ?? 'TLSv1.3',
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca }),
  }
}

/** Both sockets of a connection, that of TLS and the one below it, have the same peer. */
function placeOf(socket: net.Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

function connectInClear({ host, port }: Address, handler: ConnectionHandler): net.Socket {
  return net.connect({ host, port, noDelay: true, onread: onRead(readBuffer, (bytes) => handler.onData(bytes)) })
}

function connectOverTls(address: Address, handler: ConnectionHandler, options: ClientTlsOptions): tls.TLSSocket {
  const { ca, certificate, key, serverName = address.host, maxVersion } = options
  const socket = tls.connect({
    ...address,
    // A host that is an address is no name to ask for; the certificate is compared with it all the same.
    ...(net.isIP(serverName) === 0 && { servername: serverName }),
    checkServerIdentity: (_, shown) => tls.checkServerIdentity(serverName, shown),
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(maxVersion !== undefined && { maxVersion }),
  })
  socket.setNoDelay(true)
  socket.on('data', (bytes) => handler.onData(bytes))
  return socket
}

function listenerOf(server: net.Server, host: string): Listener {
  const { port } = server.address() as net.AddressInfo
  return {
    address: { host, port },
    renewTls: (options) => {
      if (server instanceof tls.Server) server.setSecureContext(contextOf(options))
    },
    // The port is free when `close` returns; its callback would wait for the last connection.
    close: async () => {
      if (server.listening) server.close()
    },
  }
}

class NodeConnection implements Connection {
  readonly peer: Address
  #socket: net.Socket
  /** What was written before the handshake was over; undefined when it is. */
  #held: Uint8Array[] | undefined
  #onClosed: (error: Error | undefined) => void = () => {}
  #error: Error | undefined
  #isPaused = false
  #isEnding = false
  #drained: Promise<void> | undefined

  constructor(socket: net.Socket, peer?: Address) {
    this.#socket = socket
    this.peer = peer ?? { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    socket.on('error', (error) => {
      this.#error ??= error
    })
  }

  /** A connection whose bytes go through another socket when the handshake is over. */
  static beforeHandshake(socket: net.Socket): NodeConnection {
    const connection = new NodeConnection(socket)
    connection.#held = []
    return connection
  }

  get peerName(): string | undefined {
    if (!(this.#socket instanceof tls.TLSSocket)) return undefined
    const certificate = this.#socket.getPeerX509Certificate()
    return certificate === undefined ? undefined : distinguishedNameOf(certificate.subject)
  }

  onClosed(run: (error: Error | undefined) => void): void {
    this.#onClosed = run
    this.#watch(this.#socket)
  }

  /** The handshake is over: what follows goes through the socket on top. */
  secureWith(socket: tls.TLSSocket): void {
    this.#socket = socket
    socket.on('error', (error) => {
      this.#error ??= error
    })
    this.#watch(socket)
    const held = this.#held ?? []
    this.#held = undefined
    for (const piece of held) socket.write(piece)
    if (this.#isPaused) socket.pause()
    if (this.#isEnding) socket.end()
  }

  /** What was received over TLS may be handed on after the socket below has closed: only the one in use counts. */
  #watch(socket: net.Socket): void {
    socket.once('close', () => {
      if (socket === this.#socket) this.#onClosed(this.#error)
    })
  }

  /** Drops the connection, giving a reason of our own. */
  fail(error: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#isWritable) return true
    if (this.#held !== undefined) return this.#hold([Buffer.from(bytes)])
    // What the system does not take at once, the socket keeps by reference.
    return this.#socket.write(Buffer.from(bytes))
  }

  writeAll(pieces: readonly Uint8Array[], onSent?: () => void): boolean {
    if (!this.#isWritable || pieces.length === 0) return true
    if (this.#held !== undefined) {
      this.#hold(pieces.map((piece) => Buffer.from(piece)))
      if (onSent !== undefined) queueMicrotask(onSent)
      return true
    }
    const done = (error?: Error | null) => {
      if (!error) onSent?.()
    }
    const last = pieces.length - 1
    if (last === 0) return this.#socket.write(pieces[0] as Uint8Array, done)
    // Corked, the pieces go to the system in one call.
    this.#socket.cork()
    for (let i = 0; i < last; i++) this.#socket.write(pieces[i] as Uint8Array)
    const hasRoom = this.#socket.write(pieces[last] as Uint8Array, done)
    this.#socket.uncork()
    return hasRoom
  }

  drained(): Promise<void> {
    if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return Promise.resolve()
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        this.#drained = undefined
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
    return this.#drained
  }

  pause(): void {
    this.#isPaused = true
    if (this.#held === undefined) this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#held === undefined) this.#socket.resume()
  }

  end(): void {
    this.#isEnding = true
    if (this.#held === undefined) this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  get #isWritable(): boolean {
    return this.#socket.writable && !this.#isEnding
  }

  #hold(pieces: readonly Uint8Array[]): true {
    this.#held?.push(...pieces)
    return true
  }
}

/**
 * A name as RFC 2253 and Java write it, the most particular part first, from OpenSSL's lines, which begin with the most general
 * one. Both escape the same characters; types of attributes that RFC 2253 does not name keep OpenSSL's short names.
 */
function distinguishedNameOf(subject: string): string {
  return subject.split('\n').reverse().join(',').replaceAll(' + ', '+')
}
