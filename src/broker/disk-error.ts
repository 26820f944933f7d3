import { MillraceError, messageOf } from '../errors.ts'

/** The system's code of a failure (`ENOSPC`, `EACCES`...), where it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

export function isDiskFull(error: unknown): boolean {
  const code = systemCodeOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

export function isOutOfFiles(error: unknown): boolean {
  const code = systemCodeOf(error)
  return code === 'EMFILE' || code === 'ENFILE'
}

/** The error for a file that could not be opened, made or listed, before anything was written to it. */
export function fileUnusable(error: unknown, doing: string, path: string): MillraceError {
  if (error instanceof MillraceError) return error
  if (isDiskFull(error)) return diskFull(error, path)
  if (systemCodeOf(error) === 'EIO') {
    return new MillraceError('STORAGE_FAILED', `The disk failed while ${doing}: ${messageOf(error)}`, {
      at: { path },
      remedy: 'Check the disk.',
      cause: error,
    })
  }
  return new MillraceError('DIRECTORY_UNUSABLE', `Failed ${doing}: ${reasonOf(error)}`, {
    at: { path },
    remedy: remedyFor(error),
    cause: error,
  })
}

export function diskFull(error: unknown, path: string): MillraceError {
  return new MillraceError('DISK_FULL', 'The disk is full; nothing of this write was kept', {
    at: { path },
    remedy: 'Free some room and try again.',
    cause: error,
  })
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EROFS: 'the file system is read-only',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENOENT: 'there is no such file or directory',
}

function reasonOf(error: unknown): string {
  const code = systemCodeOf(error)
  const reason = code === undefined ? undefined : reasons[code]
  return reason === undefined ? messageOf(error) : `${reason} (${code})`
}

function remedyFor(error: unknown): string {
  if (isOutOfFiles(error)) return 'Raise the limit of open files (ulimit -n).'
  return 'Give a directory that this process may read and write.'
}
