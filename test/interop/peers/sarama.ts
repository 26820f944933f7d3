import { runProgram } from '../program.ts'
import { buildGo } from './go-programs.ts'
import type { Peer } from './peer.ts'

/** Sarama (Go), as a client of an old and of a new version of Kafka. The checks themselves are in Go. */

const versions = ['2.1.0', '4.1.0']

let program = ''

export const sarama: Peer = {
  name: 'sarama',
  prepare: async () => {
    const built = await buildGo('sarama', ['build', './sarama'])
    program = built.path ?? ''
    return built.problem
  },
  checks: () =>
    versions.flatMap((version) =>
      [
        ['codecs', 'produces and consumes with every codec'],
        ['group', 'a group takes turns, by every strategy'],
        ['transactions', 'transactions with offsets of a group, some of them aborted'],
        ['administration', 'administers topics, groups and configurations'],
      ].map(([name = '', what = '']) => ({
        what: `as of ${version}: ${what}`,
        run: async ({ bootstrapServers }) => {
          await runProgram(program, [bootstrapServers, version, name])
          return undefined
        },
      })),
    ),
}
