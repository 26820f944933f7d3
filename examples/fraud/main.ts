/** `npm run fraud`: card payments held against rules as they come. See `--help`. */
import { MillraceError } from 'millrace'
import { helpText, parseArguments } from './arguments.ts'
import { InputError } from './input-error.ts'
import { live } from './live.ts'
import { replay } from './replay.ts'

try {
  const options = parseArguments(process.argv.slice(2))
  if (options.command === 'help') process.stdout.write(helpText)
  else if (options.command === 'live') await live(options)
  else await replay(options)
} catch (error) {
  process.exitCode = error instanceof InputError ? 2 : 1
  const text = error instanceof MillraceError ? `${error.code}: ${error.message}` : String((error as Error).message)
  process.stderr.write(`${text}\n`)
}
