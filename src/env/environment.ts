/**
 * The environment seam: everything a program can ask of the world outside it. It is handed in, never reached for, so that
 * the same code runs on a real machine and under a virtual clock, a seeded random source and a disk that fails on purpose.
 */
export interface Environment {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly disk: Disk
  readonly network: Network
  readonly host: Host
}

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump. Only for timestamps that people see or records carry. */
  wallMs(): number
  /** Milliseconds from an arbitrary start, with a fraction; never goes back. For timeouts and measurements. */
  monotonicMs(): number
}

/** Takes a timer back; calling it twice, or after the timer ran, does nothing. */
export type Cancel = () => void

export interface TimerOptions {
  /** Whether the process may end before the timer runs, because nobody waits for it. Default: false. */
  readonly isBackground?: boolean
}

export interface Timers {
  /** Runs `run` once, `delayMs` from now. Any delay is safe, also above 2^31 - 1 ms, where `setTimeout` fires at once. */
  after(delayMs: number, run: () => void, options?: TimerOptions): Cancel
  /** Resolves after sockets, timers and signals that are due have had their turn. */
  nextTurn(): Promise<void>
}

export interface Random {
  /** An integer from 0 to 2^32 - 1. */
  uint32(): number
  /** A random (version 4) UUID in its usual text form. */
  uuid(): string
}

/**
 * Files. Operations on the page cache are synchronous, because through the thread pool they cost 25 to 50 times as much;
 * what waits for the device (`sync`) is asynchronous. Failures carry the system's code (`ENOENT`, `ENOSPC`, `EIO`...) in `code`.
 * Paths have `/` between their names on every system.
 */
export interface Disk {
  /**
   * Opens a file for reading and writing. `create` makes it where it is missing; otherwise a missing file is `ENOENT`.
   * `isReadOnly` opens one that the process need not be allowed to write to.
   */
  open(path: string, options?: { create?: boolean; isReadOnly?: boolean }): DiskFile
  exists(path: string): boolean
  /** The names in a directory, sorted. */
  list(path: string): string[]
  /** Makes the directory and those above it. */
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** Removes a file or a directory with all in it; nothing happens where there is none. */
  remove(path: string): void
  /** Makes creations, renames and removals in a directory durable (where the system has no such call, it does so by itself). */
  syncDirectory(path: string): Promise<void>
  /**
   * Takes an exclusive lock on the file (made where it is missing), which the system drops when the process dies; undefined
   * where somebody holds it, this process included. On a real disk the file then holds the holder's process id in decimal
   * digits. Releasing leaves the file there.
   */
  lock(path: string): DiskLock | undefined
}

export interface DiskFile {
  size(): number
  /** Reads into the whole of `into` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): number
  /** Writes all of `bytes` at `position`, or throws; after a throw any part may have been written. */
  write(bytes: Uint8Array, position: number): void
  truncate(size: number): void
  /** Resolves when everything written so far is on the device. */
  sync(): Promise<void>
  /** Closing twice does nothing; a sync under way ends first. Other calls on a closed file are `EBADF`. */
  close(): void
}

export interface DiskLock {
  release(): void
}

/** Stream sockets, in clear text or over TLS. Bytes handed to `onData` are only valid during the call. */
export interface Network {
  /**
   * Rejects with the system's code in `code`, as `EADDRINUSE`. Over TLS `accept` is called before the handshake, so that
   * whoever counts connections sees those that never finish it; bytes arrive when it is over.
   */
  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
    tls?: ServerTlsOptions,
  ): Promise<Listener>
  /** Rejects with the system's code in `code`, as `ECONNREFUSED`; the handler is then never called. Over TLS the server's name is verified. */
  connect(address: Address, handler: ConnectionHandler, tls?: ClientTlsOptions): Promise<Connection>
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** What a listener proves its name with, and what it asks of clients; certificates and keys are PEM texts. */
export interface ServerTlsOptions {
  /** The listener's certificate, then those between it and the authority that signed it. */
  readonly certificate: string
  readonly key: string
  /** Of the key, where it is encrypted. */
  readonly passphrase?: string
  /** The authorities that clients' certificates are to be signed by. Default: those that the system trusts. */
  readonly ca?: string
  /** Whether clients show a certificate. One that is shown is verified in either case. Default: 'none'. */
  readonly clientCertificates?: 'none' | 'requested' | 'required'
  /** Default: TLS 1.2. */
  readonly minVersion?: TlsVersion
  /** Default: TLS 1.3. */
  readonly maxVersion?: TlsVersion
  /** A handshake that takes longer is given up. Default: 30 seconds. */
  readonly handshakeTimeoutMs?: number
}

export interface ClientTlsOptions {
  /** The authorities that may have signed the server's certificate. Default: those that the system trusts. */
  readonly ca?: string
  /** The client's own certificate and key, where the server asks for them. */
  readonly certificate?: string
  readonly key?: string
  /** The name that the server's certificate must have. Default: the host of the address. */
  readonly serverName?: string
  readonly maxVersion?: TlsVersion
}

export interface Address {
  readonly host: string
  /** 0 asks the system for a free port. */
  readonly port: number
}

export interface Listener {
  readonly address: Address
  /** Takes other certificates and keys for handshakes to come; connections that there are live on. */
  renewTls(tls: ServerTlsOptions): void
  /** Stops accepting; connections that were accepted live on. Closing twice does nothing. */
  close(): Promise<void>
}

export interface ConnectionHandler {
  /** Called when a handshake of TLS is over, before any bytes are handed over. */
  onSecured?(): void
  onData(bytes: Uint8Array): void
  /**
   * Called once for every connection, after which nothing else is: with the error where the connection was lost. Where the
   * peer ended the connection, what was written until then is sent first; what is written after that is dropped.
   */
  onClose(error?: Error): void
}

export interface Connection {
  /** The address of the other end. */
  readonly peer: Address
  /** The name in the certificate that the other end has proved to own, as RFC 2253 writes it: `CN=alice,O=Mill`. Undefined without one. */
  readonly peerName: string | undefined
  /** Sends bytes, which are the caller's again when it returns; false means the peer is slow: wait for `drained`. */
  write(bytes: Uint8Array): boolean
  /**
   * As `write` of one piece after the other, without copying: the bytes must stay as they are until `onSent` is called, when
   * they are with the system. It is not called where the connection is lost before.
   */
  writeAll(pieces: readonly Uint8Array[], onSent?: () => void): boolean
  /** Resolves when what was written is with the system, or the connection is closed. */
  drained(): Promise<void>
  /** Stops calling `onData` until `resume`, so that the peer's writes come to wait for us. */
  pause(): void
  resume(): void
  /** Sends what was written, then ends the connection. */
  end(): void
  /** Drops the connection at once, with what was not sent. The peer may not be able to tell it from `end`. */
  destroy(): void
}

/** The process that the program runs in. */
export interface Host {
  /** Calls `run` at each of the signals until cancelled; while it listens the system's own reaction is off. */
  onSignal(signals: readonly Signal[], run: (signal: Signal) => void): Cancel
  exit(code: number): void
  /** Writes to standard output, or to standard error. Nothing happens where nobody reads it any more. */
  write(stream: 'out' | 'error', text: string): void
  /** Writes to standard output; resolves when there is room for more, with false when nobody reads it any more. */
  print(bytes: Uint8Array): Promise<boolean>
  /** The bytes of standard input, once. Whoever takes them slowly makes the writer wait. */
  input(): AsyncIterable<Uint8Array>
  /** Shows whoever runs the process a sentence that no call can tell them. */
  warn(message: string): void
  /** Keeps the process from showing warnings of this name, for a library's that nobody can do anything about. */
  ignoreWarnings(name: string): void
}

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
