/**
 * Bytes as latin1 text, one character a byte: V8 orders such strings as unsigned bytes, and holds them without the hundred
 * bytes of a Buffer object each.
 */
export function textOf(bytes: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length)
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
