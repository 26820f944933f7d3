import type { Broker } from '../broker.ts'
import type { PartitionOffset } from '../group/offset-store.ts'
import { codeOf } from '../protocol/error-codes.ts'

/** Kafka's `offset.metadata.max.bytes`. */
const maxMetadataBytes = 4_096

/** The topics of a request that commits offsets, as both of Kafka's requests have them. */
export type CommittedTopics = readonly {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedMetadata: string | null
  }[]
}[]

/** What of a request can be committed: the offsets, and the error of each partition for which that is not so. */
export class CommittableOffsets {
  readonly offsets: readonly PartitionOffset[]
  readonly #topics: CommittedTopics
  readonly #errors = new Map<string, number>()

  constructor(broker: Broker, topics: CommittedTopics) {
    this.#topics = topics
    const offsets: PartitionOffset[] = []
    for (const { name: topic, partitions } of topics) {
      const count = broker.topics.get(topic)?.partitions ?? 0
      for (const { partitionIndex: partition, committedOffset: offset, committedMetadata } of partitions) {
        const metadata = committedMetadata ?? ''
        const error = errorOf({ isKnown: partition >= 0 && partition < count, offset, metadata })
        if (error === undefined) offsets.push({ topic, partition, offset, metadata })
        else this.#errors.set(`${topic}-${partition}`, error)
      }
    }
    this.offsets = offsets
  }

  /** The topics of the response: each partition with its own error, or with one for all of them. */
  answer(errorOfAll?: number): CommittedAnswer {
    return this.#topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOfAll ?? this.#errors.get(`${name}-${partitionIndex}`) ?? 0,
      })),
    }))
  }
}

export type CommittedAnswer = readonly {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}[]

function errorOf({ isKnown, offset, metadata }: { isKnown: boolean; offset: number; metadata: string }) {
  if (!isKnown) return codeOf('UNKNOWN_TOPIC_OR_PARTITION')
  if (Buffer.byteLength(metadata) > maxMetadataBytes) return codeOf('OFFSET_METADATA_TOO_LARGE')
  return offset < 0 ? codeOf('INVALID_COMMIT_OFFSET_SIZE') : undefined
}
