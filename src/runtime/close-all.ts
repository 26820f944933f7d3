export interface Closeable {
  close?(): void
}

/**
 * Closes one after the other, also where one of them fails: what is left open would hold files and locks, and keep the process alive.
 * @throws what the first of them threw, when all were tried
 */
export function closeAll(closing: Iterable<Closeable>): void {
  const failures: unknown[] = []
  for (const each of closing) {
    try {
      each.close?.()
    } catch (failure) {
      failures.push(failure)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** As `closeAll`, where the caller has a failure to tell already: what follows from that is not told. */
export function closeAfterFailure(closing: Iterable<Closeable>): void {
  try {
    closeAll(closing)
  } catch {
    // The failure before this one is the caller's.
  }
}
