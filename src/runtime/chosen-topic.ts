import { MillraceError } from '../errors.ts'
import type { RecordHeader } from '../record/headers.ts'
import type { FlowRecord } from '../topology/flow-record.ts'
import type { RecordContext } from '../topology/sink-options.ts'
import type { DynamicSinkNode } from '../topology/topology.ts'
import type { TaskOutput, TopicOutput } from './task-output.ts'

/** Asks a user's function for each record's topic. */
export class ChosenTopic {
  readonly #node: DynamicSinkNode
  readonly #output: TaskOutput
  readonly #partitionsOf: (topic: string) => number | undefined
  readonly #context = new RecordView()

  /** @param partitionsOf undefined for topics that there are not */
  constructor(node: DynamicSinkNode, output: TaskOutput, partitionsOf: (topic: string) => number | undefined) {
    this.#node = node
    this.#output = output
    this.#partitionsOf = partitionsOf
  }

  /** @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION */
  outputOf(record: FlowRecord): TopicOutput {
    const { name, choose, compression } = this.#node
    record.operator = name
    this.#context.record = record
    const topic = choose(record.value(), record.key(), this.#context)
    const partitions = this.#partitionsOf(topic)
    if (partitions !== undefined) return this.#output.to(topic, partitions, compression)
    throw new MillraceError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `A record was to be written to '${topic}', which there is not`,
      {
        at: { operator: name },
        remedy: 'Create the topics that may be chosen before the application starts.',
      },
    )
  }
}

class RecordView implements RecordContext {
  record!: FlowRecord

  get timestamp(): number {
    return this.record.timestamp
  }

  get headers(): readonly RecordHeader[] {
    return this.record.headers()
  }

  get topic(): string {
    return this.record.topic
  }

  get partition(): number {
    return this.record.partition
  }

  get offset(): number {
    return this.record.offset
  }
}
