import { connect, type RunOptions, run, type TopicSpec, type Topology } from '../../../src/index.ts'
import { eosTopics, eosTopology } from './eos-topology.ts'
import { smokeTopics, smokeTopology } from './smoke-topology.ts'

/** `application.ts TEST DIRECTORY PORT GUARANTEE`: the application of a test of Kafka Streams', with the log in a directory, open to clients at a port. */

const tests: Readonly<Record<string, readonly [topics: readonly TopicSpec[], topology: () => Topology]>> = {
  SmokeTest: [smokeTopics, smokeTopology],
  EosTest: [eosTopics, eosTopology],
}

const [name = '', directory = '', port = '', guarantee = ''] = process.argv.slice(2)
const [topics, topology] = tests[name] as (typeof tests)[string]
await using connection = await connect(`embedded:${directory}`, { listen: Number(port) })
await connection.createTopics(topics)
await using app = await run(topology(), {
  applicationId: name,
  cluster: connection,
  guarantee: guarantee as NonNullable<RunOptions['guarantee']>,
})
process.stdout.write('ready\n')
await app.closed
