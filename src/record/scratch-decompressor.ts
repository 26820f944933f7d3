/** As much as nearly all batches decompress to; those that need more are decompressed into memory of their own. */
const scratchBytes = 262_144

/** What a stream of `node:zlib` does its work with. Node shows it, but does not promise it. */
interface Handle {
  reset(): void
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void
  onerror: (message: string) => void
}

interface StreamParts {
  readonly _handle?: Partial<Handle> | null
  /** The bytes that are left of the output, and of the input. */
  readonly _writeState?: Uint32Array
}

/**
 * Decompresses with one context of the library, into one piece of memory, again and again. Node's own synchronous functions make
 * both anew for each call, which for a batch of 16 KiB takes twice as long as decompressing it, and keeps the collector busy.
 *
 * It reaches for the handle behind a stream of `node:zlib`. Where that is not as it is known, or does not do what it is made
 * for, there is no decompressor, and whoever wants one does without.
 */
export class ScratchDecompressor {
  readonly #makeStream: () => object
  readonly #flush: number
  readonly #scratch: Buffer = Buffer.allocUnsafeSlow(scratchBytes)
  /** Undefined after a failure, which a handle may not get over. */
  #handle: Handle | undefined
  #state: Uint32Array = new Uint32Array(2)
  #hasFailed = false

  private constructor(makeStream: () => object, flush: number) {
    this.#makeStream = makeStream
    this.#flush = flush
  }

  /**
   * Undefined where the streams cannot be used.
   * @param flush what the library is told at the end of the input
   * @param sample what `expected` is when it is compressed
   */
  static over(
    makeStream: () => object,
    flush: number,
    sample: Buffer,
    expected: Buffer,
  ): ScratchDecompressor | undefined {
    const made = new ScratchDecompressor(makeStream, flush)
    const isRight = () => made.decompress(sample)?.equals(expected) === true
    try {
      return isRight() && isRight() && made.decompress(expected) === undefined && isRight() ? made : undefined
    } catch {
      // Whoever wanted it does without, only slower.
      return undefined
    }
  }

  /** What the data decompresses to, until the next call; undefined where it is too much for that, or where anything is wrong with the data. */
  decompress(data: Buffer): Buffer | undefined {
    const handle = this.#handle ?? this.#open()
    if (handle === undefined) return undefined
    this.#handle = undefined
    this.#hasFailed = false
    handle.reset()
    handle.writeSync(this.#flush, data, 0, data.length, this.#scratch, 0, scratchBytes)
    const outputLeft = this.#state[0]!
    const inputLeft = this.#state[1]!
    if (this.#hasFailed) return undefined
    this.#handle = handle
    return inputLeft > 0 || outputLeft === 0 ? undefined : this.#scratch.subarray(0, scratchBytes - outputLeft)
  }

  #open(): Handle | undefined {
    const { _handle: handle, _writeState: state } = this.#makeStream() as StreamParts
    if (typeof handle?.reset !== 'function' || typeof handle.writeSync !== 'function') return undefined
    if (!(state instanceof Uint32Array) || state.length < 2) return undefined
    handle.onerror = () => {
      this.#hasFailed = true
    }
    this.#state = state
    return handle as Handle
  }
}
