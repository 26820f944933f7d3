/** Something the user gave cannot be used: shown as it is, without a stack; exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError'
}
