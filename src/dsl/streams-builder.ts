import type { Topic } from '../topic.ts'
import type { Topology } from '../topology/topology.ts'
import { compilePlan } from './compile.ts'
import type { OperatorOptions } from './operator-options.ts'
import { Plan, type SourcePlan, type StreamState } from './plan.ts'
import { PlannedStream } from './planned-stream.ts'
import type { KStream } from './streams.ts'

/**
 * Where a topology begins: opens streams on topics, and builds the topology of all that was done with them. One builder is
 * for one topology. After Kafka Streams' StreamsBuilder.
 */
export class StreamsBuilder {
  readonly #plan = new Plan(openStream)

  /**
   * The records of a topic, or of several topics that were declared with the same serdes and timestamp. A topic can be
   * opened more than once; it is read once.
   */
  stream<K, V>(topic: Topic<K, V> | readonly Topic<K, V>[], options: OperatorOptions = {}): KStream<K, V> {
    const plan = this.#plan
    const topics: readonly Topic<K, V>[] = 'name' in topic ? [topic] : topic
    const name = plan.names.operator('KSTREAM-SOURCE-', options.name)
    const node = plan.add<SourcePlan>({ kind: 'source', name, topics: topics as SourcePlan['topics'] }, [])
    return openStream({
      plan,
      node,
      key: { serde: topics[0]?.key, madeBy: name },
      value: { serde: topics[0]?.value, madeBy: name },
      keyChanged: false,
    })
  }

  /**
   * The topology, to be run or described.
   * @throws MillraceError INVALID_TOPOLOGY where it could not run, with the operator and what to do.
   */
  build(): Topology {
    return compilePlan(this.#plan)
  }
}

function openStream<K, V>(state: StreamState): KStream<K, V> {
  return new PlannedStream<K, V>(state)
}
