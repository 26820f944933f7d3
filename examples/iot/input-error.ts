/** Something the user gave cannot be used: an option, a file, a line. Shown as it is, without a stack; exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** The text in quotes, shortened, with everything unprintable escaped: safe to show whatever the file holds. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EMFILE: 'too many files are open (see ulimit -n)',
  ENAMETOOLONG: 'the name is too long',
}

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code
  const known = typeof code === 'string' ? reasons[code] : undefined
  return known ?? (error instanceof Error ? error.message : String(error))
}
