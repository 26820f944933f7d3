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
/** In these names are other tests of consumers, groups and the admin requests that they need. */
const smaller = 'TestPing|TestIssue1034|TestIssue325|TestConsumeTopicRetrieval|TestPooling|TestGroupSimple'
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
    { what: 'consumers, groups, retrieval of topics', run: (broker) => runTests(broker, smaller, records) },
    ...Array.from({ length: runs }).flatMap((_, i) =>
      etl.map(
        (test): Check => ({
          what: `${test}, ${records} records${runs > 1 ? `, run ${i + 1}` : ''}`,
          run: (broker) => runTests(broker, `^${test}$`, records),
        }),
      ),
    ),
  ],
}

async function runTests(broker: OwnBroker, names: string, records: number): Promise<string> {
  const args = ['-test.v', '-test.timeout', `${timeoutMs}ms`, '-test.run', names]
  const variables = {
    KGO_TEST_RF: '1',
    KGO_SEEDS: broker.bootstrapServers,
    KGO_LOG_LEVEL: 'none',
    KGO_TEST_RECORDS: String(records),
  }
  const { out } = await runProgram(program, args, {
    variables,
    timeoutMs: timeoutMs + 10_000,
    directory: join(program, '..'),
  })
  const count = (word: string) => out.match(new RegExp(`^ *--- ${word}`, 'gm'))?.length ?? 0
  if (count('PASS') === 0) throw new Error('no test was run')
  const skipped = count('SKIP')
  return `${count('PASS')} passed${skipped > 0 ? `, ${skipped} skipped by themselves` : ''}`
}
