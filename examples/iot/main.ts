/** `npm start`: sums up readings of sensors, of this machine or of data files. See `--help`. */
import { MillraceError } from 'millrace'
import { helpText, parseArguments } from './arguments.ts'
import { InputError } from './input-error.ts'
import { live } from './live.ts'
import { tell } from './output.ts'
import { replay } from './replay.ts'

try {
  const options = parseArguments(process.argv.slice(2))
  if (options.command === 'help') process.stdout.write(helpText)
  else if (options.command === 'live') await live(options)
  else await replay(options)
} catch (error) {
  process.exitCode = error instanceof InputError ? 2 : 1
  if (process.env.MILLRACE_DEBUG) console.error(error)
  else if (error instanceof InputError) tell(error.message)
  else if (error instanceof MillraceError) tell(`${error.code}: ${error.message}`)
  else tell(`Failed: ${error instanceof Error ? error.message : String(error)} (MILLRACE_DEBUG=1 shows where)`)
}
