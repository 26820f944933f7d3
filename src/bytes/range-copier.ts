/** Up to this many bytes a loop over words of eight beats a call into native code, which takes about 40 ns whatever the length. */
const longestLoop = 192

const nothing: Buffer = Buffer.alloc(0)

/**
 * Copies short ranges from one buffer to another, eight bytes at a time. It keeps the views of the last two buffers, so one
 * copier is for one stream of copies whose buffers seldom change.
 */
export class RangeCopier {
  #source = nothing
  #target = nothing
  #sourceView: DataView = viewOf(nothing)
  #targetView: DataView = viewOf(nothing)

  /** Copies `source[start..end)` to `target[at..)`, where there is room for it; returns the position after it. */
  copy(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
    if (end - start > longestLoop) {
      source.copy(target, at, start, end)
      return at + end - start
    }
    if (source !== this.#source) {
      this.#source = source
      this.#sourceView = viewOf(source)
    }
    if (target !== this.#target) {
      this.#target = target
      this.#targetView = viewOf(target)
    }
    const from = this.#sourceView
    const to = this.#targetView
    let position = start
    let after = at
    // Integers, not floats: a float that is not a number need not keep its bits.
    for (const last = end - 8; position <= last; position += 8, after += 8) {
      to.setBigInt64(after, from.getBigInt64(position, true), true)
    }
    for (; position < end; position++, after++) target[after] = source[position]!
    return after
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
