import { memoryEngine, run, StreamsBuilder, serde, topic } from 'millrace'
import { numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { type Comparison, compare } from './rounds.ts'
import { withScratchCluster } from './scratch-cluster.ts'

const recordCount = 500_000
const rounds = 5

/**
 * What a record cache saves, or costs where most rows change once between two commits: the same count, whose updates go to a
 * topic, with a cache and without (which stands in the column of the hand-written loop).
 */
export function recordCache(keyCount: number): Promise<Comparison> {
  return withScratchCluster('page-cache', async (connection) => {
    const input = topic('in', { key: serde.string, value: serde.float64 })
    await fillTopic(connection, input.name, numberEvents(recordCount, keyCount))
    let runs = 0
    let written = 0
    const side = (caching: boolean) => async () => {
      const output = topic(`out-${runs}`, { key: serde.string, value: serde.json<number>() })
      const builder = new StreamsBuilder()
      const { promise: allSeen, resolve } = Promise.withResolvers<void>()
      let seen = 0
      const see = () => {
        if (++seen === recordCount) resolve()
      }
      const counts = builder.stream(input).peek(see).groupByKey().count({ store: 'counts', caching })
      counts.toStream().to(output)
      const app = await run(builder.build(), {
        applicationId: `bench-${runs++}`,
        cluster: connection,
        engine: memoryEngine,
        shutdownSignals: [],
      })
      // Whoever waits for results waits for the next commit too, which closing makes at once.
      await allSeen
      await app.close()
      if (caching) written = app.metrics().recordsOut
      return recordCount
    }
    const result = await compare('record cache', side(false), side(true), { rounds })
    return { ...result, note: `${written} results of ${recordCount} records; the other side is without a cache` }
  })
}
