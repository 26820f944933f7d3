/**
 * Batches whose checksums were computed over the very bytes that their buffer holds, and that nobody has touched since. Who
 * appends such a batch to a log of this process need not compute the checksum again: it would be held against itself.
 *
 * It goes by the buffer as an object, each time for one append: a copy, a part, or bytes that came over the network are
 * never fresh, nor is a buffer once its builder has begun to write again.
 */
const fresh = new WeakSet<Buffer>()

/** The buffer holds one whole batch, whose checksum was computed just now. */
export function noteFresh(batch: Buffer): void {
  fresh.add(batch)
}

/** The bytes may change from here on. */
export function forgetFresh(batch: Buffer): void {
  fresh.delete(batch)
}

/** Whether the buffer holds one batch with a fresh checksum; asked again it does not. */
export function takeFresh(bytes: Buffer): boolean {
  return fresh.delete(bytes)
}
