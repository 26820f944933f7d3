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

  /** Copies `source[start..end)` to `target[at..)`, where there is room for it, in other bytes; returns the position after it. */
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
    const length = end - start
    const after = at + length
    // Integers, not floats: a float that is not a number need not keep its bits. The last word may overlap the one before it.
    if (length >= 8) {
      let position = start
      let next = at
      for (const last = end - 8; position < last; position += 8, next += 8) {
        to.setBigInt64(next, from.getBigInt64(position, true), true)
      }
      to.setBigInt64(after - 8, from.getBigInt64(end - 8, true), true)
    } else if (length >= 4) {
      to.setInt32(at, from.getInt32(start, true), true)
      to.setInt32(after - 4, from.getInt32(end - 4, true), true)
    } else for (let i = 0; i < length; i++) target[at + i] = source[start + i]!
    return after
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
