const descriptions = {
  EACCES: 'permission denied',
  EADDRINUSE: 'address already in use',
  EBADF: 'bad file descriptor',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EEXIST: 'file already exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENOTSUP: 'operation not supported',
  EROFS: 'read-only file system',
} as const

export type SystemErrorCode = keyof typeof descriptions

/** What an in-memory disk or network throws where a real one would throw an error of the operating system. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: SystemErrorCode

  /** @param subject the path or address that the operation was about */
  constructor(code: SystemErrorCode, operation: string, subject: string) {
    super(`${code}: ${descriptions[code]}, ${operation} '${subject}'`)
    this.code = code
  }
}
