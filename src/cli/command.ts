import { Command, CommanderError } from 'commander'
import type { Environment } from '../env/environment.ts'
import { MillraceError } from '../errors.ts'
import { version } from '../version.ts'
import { addBrokerCommand } from './broker-command.ts'
import { addConfigsCommand } from './kafka/configs-command.ts'
import { addConsumeCommand } from './kafka/consume-command.ts'
import { addGroupsCommand } from './kafka/groups-command.ts'
import { addProduceCommand } from './kafka/produce-command.ts'
import { addTopicsCommand } from './kafka/topics-command.ts'

/** What a shell is told: that the words of the call were wrong, or that what they asked for failed. */
const wrongUse = 2
const failed = 1

/** Runs the command that the words name. Resolves when it is over; the exit code is told to the host. */
export async function runCommand(environment: Environment, words: readonly string[]): Promise<void> {
  const { host } = environment
  const program = new Command('millrace')
    .description('A partition log that speaks the protocol of Apache Kafka, and stream processing on it.')
    .version(version, '--version', 'says which version this is')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.write('out', text),
      writeErr: (text) => host.write('error', text),
    })
  addBrokerCommand(program, environment)
  addTopicsCommand(program, environment)
  addProduceCommand(program, environment)
  addConsumeCommand(program, environment)
  addGroupsCommand(program, environment)
  addConfigsCommand(program, environment)
  try {
    await program.parseAsync([...words], { from: 'user' })
  } catch (error) {
    host.exit(exitCodeOf(error, (text) => host.write('error', text)))
  }
}

function exitCodeOf(error: unknown, complain: (text: string) => void): number {
  // Help, and what is wrong with the words, was written already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUse
  if (!(error instanceof MillraceError)) throw error
  complain(`${error.code}: ${error.message}\n`)
  return error.code === 'INVALID_ARGUMENT' ? wrongUse : failed
}
