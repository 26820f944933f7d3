import { InputError, reasonOf } from './input-error.ts'

const chunkCharacters = 65_536

/**
 * Writes lines in large pieces and waits where the reader is slow. Stops quietly where the reader has gone (`| head`).
 * @throws InputError where the output cannot be written
 */
export async function writeLines(output: NodeJS.WritableStream, lines: Iterable<string>): Promise<void> {
  // Every failure comes back from the write that it belongs to; without a listener it would end the program as well.
  output.on('error', ignore)
  try {
    let chunk = ''
    for (const line of lines) {
      chunk += `${line}\n`
      if (chunk.length < chunkCharacters) continue
      await write(output, chunk)
      chunk = ''
    }
    if (chunk !== '') await write(output, chunk)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      throw new InputError(`Cannot write the results: ${reasonOf(error)}.`)
  }
}

function write(output: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

function ignore(): void {}

/** One line for people, beside the results. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}
