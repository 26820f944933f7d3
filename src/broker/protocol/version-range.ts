/** Versions of a message, as Kafka's definitions write them: `'3+'`, `'0-12'`, `'4'`, or `'none'`. */
export type VersionText = 'none' | `${number}` | `${number}+` | `${number}-${number}`

export interface VersionRange {
  readonly from: number
  /** Inclusive; infinite where it is open. */
  readonly to: number
}

const noVersion: VersionRange = { from: 0, to: -1 }

export function versionRange(text: VersionText): VersionRange {
  if (text === 'none') return noVersion
  if (text.endsWith('+')) return { from: Number(text.slice(0, -1)), to: Number.POSITIVE_INFINITY }
  const [from, to = from] = text.split('-')
  return { from: Number(from), to: Number(to) }
}

export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.from && version <= range.to
}
