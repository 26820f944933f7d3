import { requireSerdeShape } from '../arguments.ts'
import type { ByteWriter } from '../bytes/byte-writer.ts'
import { readInt64, writeInt64 } from '../bytes/int64.ts'
import { type Duration, toMilliseconds } from '../duration.ts'
import { messageOf } from '../errors.ts'
import type { Windowed } from '../windowed.ts'
import type { Serde } from './serde.ts'
import { unreadable, unwritable } from './serde-failure.ts'

/** A serde of windowed keys whose bytes are those of the key, by `inner`, followed by the window's. */
export interface WindowedSerde<K> extends Serde<Windowed<K>> {
  readonly inner: Serde<K>
  /** How many bytes the window takes behind the key's. */
  readonly windowBytes: number
  /** Appends the window's bytes to those of a key. */
  writeWindow(start: number, end: number, out: ByteWriter): void
}

export interface WindowedSerdeOptions {
  /** The length of the windows, which the bytes do not say. Default: not known; the windows read then end at 2^53 - 1. */
  readonly size?: Duration
}

/** Whether keys can be written as raw bytes and a window, without being decoded. */
export function isWindowedSerde(serde: Serde<unknown>): serde is WindowedSerde<unknown> {
  return 'inner' in serde && 'writeWindow' in serde && typeof serde.writeWindow === 'function'
}

/** Keys in time windows: the key, then the window's start as eight bytes (Kafka Streams' TimeWindowedSerializer). */
export function timeWindowedSerde<K>(inner: Serde<K>, options: WindowedSerdeOptions = {}): WindowedSerde<K> {
  requireSerdeShape('windowed(...)', inner)
  return new TimeWindowedSerde(inner, options.size === undefined ? -1 : toMilliseconds(options.size, 'window size'))
}

/** Keys in sessions: the key, then the session's end and its start, eight bytes each (Kafka Streams' SessionWindowedSerializer). */
export function sessionWindowedSerde<K>(inner: Serde<K>): WindowedSerde<K> {
  requireSerdeShape('sessionWindowed(...)', inner)
  return new SessionWindowedSerde(inner)
}

class TimeWindowedSerde<K> implements WindowedSerde<K> {
  readonly name: string
  readonly windowBytes: number = 8
  readonly inner: Serde<K>
  /** Below zero: not known. */
  readonly #sizeMs: number

  constructor(inner: Serde<K>, sizeMs: number) {
    this.name = `windowed(${inner.name})`
    this.inner = inner
    this.#sizeMs = sizeMs
  }

  write(value: Windowed<K>, out: ByteWriter): void {
    this.inner.write(value.key, out)
    this.writeWindow(value.window.start, value.window.end, out)
  }

  writeWindow(start: number, _end: number, out: ByteWriter): void {
    writeTime(this.name, start, out)
  }

  read(bytes: Buffer, start: number, end: number): Windowed<K> {
    const keyEnd = end - 8
    requireRoom(this.name, start, keyEnd, end)
    const windowStart = readTime(this.name, bytes, keyEnd)
    const windowEnd = this.#sizeMs < 0 ? Number.MAX_SAFE_INTEGER : windowStart + this.#sizeMs
    return { key: this.inner.read(bytes, start, keyEnd), window: { start: windowStart, end: windowEnd } }
  }
}

class SessionWindowedSerde<K> implements WindowedSerde<K> {
  readonly name: string
  readonly windowBytes: number = 16
  readonly inner: Serde<K>

  constructor(inner: Serde<K>) {
    this.name = `sessionWindowed(${inner.name})`
    this.inner = inner
  }

  write(value: Windowed<K>, out: ByteWriter): void {
    this.inner.write(value.key, out)
    this.writeWindow(value.window.start, value.window.end, out)
  }

  writeWindow(start: number, end: number, out: ByteWriter): void {
    writeTime(this.name, end, out)
    writeTime(this.name, start, out)
  }

  read(bytes: Buffer, start: number, end: number): Windowed<K> {
    const keyEnd = end - 16
    requireRoom(this.name, start, keyEnd, end)
    const window = { start: readTime(this.name, bytes, keyEnd + 8), end: readTime(this.name, bytes, keyEnd) }
    return { key: this.inner.read(bytes, start, keyEnd), window }
  }
}

function requireRoom(name: string, start: number, keyEnd: number, end: number): void {
  if (keyEnd < start) throw unreadable(name, `there are ${end - start}, and the window alone takes ${end - keyEnd}`)
}

function readTime(name: string, bytes: Buffer, at: number): number {
  try {
    return readInt64(bytes, at)
  } catch (error) {
    throw unreadable(name, messageOf(error), error)
  }
}

function writeTime(name: string, time: number, out: ByteWriter): void {
  const at = out.reserve(8)
  try {
    writeInt64(out.buffer, at, time)
  } catch (error) {
    throw unwritable(name, messageOf(error), error)
  }
}
