import { type Guarantee, run, StreamsBuilder, serde, topic } from 'millrace'
import { numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 300_000
const rounds = 5

/**
 * What exactly once costs: the same count behind a repartition topic, on a log with group fsync, with transactions and without
 * (which stands in the column of the hand-written loop).
 */
export function exactlyOnce(commitInterval: '100ms' | '1s'): Promise<Comparison> {
  return withScratchCluster('fsync', async (connection) => {
    const input = topic('in', { key: serde.string, value: serde.float64 })
    await fillTopic(connection, input.name, numberEvents(recordCount, 1_000))
    let runs = 0
    const side = (guarantee: Guarantee) => async () => {
      const output = topic(`out-${runs}`, { key: serde.string, value: serde.json<number>() })
      const builder = new StreamsBuilder()
      const byDigit = builder.stream(input).groupBy((value) => String(Math.floor(value) % 1_000), { key: serde.string })
      byDigit.count({ store: 'counts', value: output.value }).toStream().to(output)
      const app = await run(builder.build(), {
        applicationId: `bench-${runs++}`,
        cluster: connection,
        guarantee,
        commitInterval,
        shutdownSignals: [],
      })
      await app.caughtUp()
      await app.close()
      return recordCount
    }
    return compare(`exactly once, commits each ${commitInterval}`, side('at-least-once'), side('exactly-once'), {
      rounds,
      note: 'the other side is the same at least once',
    })
  })
}
