import { apacheClassPath, apacheKafkaProblem } from '../apache-jars.ts'
import { exactlyOnceThroughKills } from '../streams/eos-test.ts'
import { apacheOnOurBroker, ourApplication } from '../streams/smoke-test.ts'
import type { Peer } from './peer.ts'

/** Kafka Streams (Java): its runtime on our broker, and its test of what came out on our runtime. */

export const kafkaStreams: Peer = {
  name: 'kafka-streams',
  prepare: async () => {
    const problem = apacheKafkaProblem('streams-tests')
    if (problem === undefined) apacheClassPath('streams-tests')
    return problem
  },
  // Each has a broker of its own, because the topics have the same names.
  checks: () => [
    {
      what: "smoke test: Apache's application, exactly once, killed twice",
      run: () => apacheOnOurBroker('exactly-once', 'application'),
    },
    {
      what: "smoke test: Apache's application, exactly once, our broker killed twice",
      run: () => apacheOnOurBroker('exactly-once', 'broker'),
    },
    {
      what: "smoke test: Apache's application, at least once, stopped twice",
      run: () => apacheOnOurBroker('at-least-once', 'application'),
    },
    { what: 'smoke test: our application, exactly once, killed twice', run: () => ourApplication('exactly-once') },
    { what: 'smoke test: our application, at least once, stopped twice', run: () => ourApplication('at-least-once') },
    { what: 'test of exactly once: our application, killed three times', run: exactlyOnceThroughKills },
  ],
}
