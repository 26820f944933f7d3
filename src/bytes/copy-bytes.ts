/** Above this many bytes a call into native code, about 40 ns whatever the length, beats a loop of about 1 ns a byte. */
const longestLoop = 32

/** Copies `source[start..end)` to `target[at..)`, where there is room for it; returns the position after it. */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  const after = at + end - start
  if (end - start > longestLoop) {
    source.copy(target, at, start, end)
    return after
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from]!
  return after
}
