import { join } from 'node:path'
import type { OwnBroker } from '../own-broker.ts'
import { runProgram } from '../program.ts'
import { buildGo } from './go-programs.ts'
import type { Check, Peer } from './peer.ts'

/**
 * The tests that franz-go (Go) has for any broker. Records go through three levels of consumer groups, whose members come
 * and leave: `TestGroupETL` with every assignor and static members, `TestTxnEtl` in transactions, some of which are aborted.
 * Each fails where a record is lost, comes twice, or out of order.
 */

const etl = ['TestGroupETL', 'TestTxnEtl']
/** Reads franz-go's own sources, which are not beside the program. */
const notOurs = ['TestOptValuesCoversEveryOption']
const bothTests = ['-test.run', etl.map((name) => `^${name}$`).join('|')]
const timeoutMs = 45 * 60_000

let program = ''

export const franzGo: Peer = {
  name: 'franz-go',
  prepare: async () => {
    const built = await buildGo('kgo.test', ['test', '-c', 'github.com/twmb/franz-go/pkg/kgo'])
    program = built.path ?? ''
    return built.problem
  },
  checks: ({ records, runs }) => [
    {
      what: 'all its other tests',
      run: (broker) =>
        runTests(broker, ['-test.skip', [...etl, ...notOurs].map((name) => `^${name}$`).join('|')], records),
    },
    ...Array.from({ length: runs }).flatMap((_, i) =>
      etl.map(
        (test): Check => ({
          what: `${test}, ${records} records${runs > 1 ? `, run ${i + 1}` : ''}`,
          run: (broker) => runTests(broker, ['-test.run', `^${test}$`], records),
        }),
      ),
    ),
    {
      what: `both, ${records} records, while connections break by chance`,
      run: (broker) => runTests(broker, bothTests, records, { KGO_TEST_CHAOS: '1' }),
    },
  ],
}

async function runTests(
  broker: OwnBroker,
  chosen: readonly string[],
  records: number,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const args = ['-test.v', '-test.timeout', `${timeoutMs}ms`, ...chosen]
  const variables = {
    KGO_TEST_RF: '1',
    KGO_SEEDS: broker.bootstrapServers,
    KGO_LOG_LEVEL: 'none',
    KGO_TEST_RECORDS: String(records),
    ...more,
  }
  const { out, status } = await runProgram(program, args, {
    variables,
    timeoutMs: timeoutMs + 10_000,
    directory: join(program, '..'),
    status: 'any',
  })
  const failures = out.match(/^ *--- FAIL.*$|^panic:.*$/gm)
  if (failures !== null || status !== 0)
    throw new Error(`ended with ${status}\n${(failures ?? []).join('\n')}\n${reasons(out)}`)
  const count = (word: string) => out.match(new RegExp(`^ *--- ${word}`, 'gm'))?.length ?? 0
  if (count('PASS') === 0) throw new Error('no test was run')
  const skipped = count('SKIP')
  return `${count('PASS')} passed${skipped > 0 ? `, ${skipped} skipped by themselves` : ''}`
}

/** What tests said that failed: not where they are, and not what they clean up. */
function reasons(out: string): string {
  const lines = out
    .split('\n')
    .filter(
      (line) =>
        /^\s+\w+_test\.go:\d+: /.test(line) && !/: (?:unable to )?delet|completed in|does not support/.test(line),
    )
  return lines.slice(0, 20).join('\n')
}
