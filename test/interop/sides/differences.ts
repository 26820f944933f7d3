/** Answers in which Apache Kafka and we differ, and why that is well. What is not here must be the same; what is here must differ. */
export interface KnownDifference {
  readonly script: string
  /** Of the step's label. */
  readonly step: RegExp
  /** Of the place in the answer. */
  readonly place: RegExp
  readonly reason: string
}

const everywhere = /./

export const knownDifferences: readonly KnownDifference[] = [
  {
    script: 'topics',
    step: /CreateTopics/,
    place: /configs\.retention\.ms\.value/,
    reason: 'Our topics keep their records for ever unless they are told otherwise.',
  },
  {
    script: 'topics',
    step: /CreateTopics/,
    place: /configs\.message\.timestamp\.after\.max\.ms\.value/,
    reason: 'Event times may lie as far ahead as they like unless a topic says otherwise, as in Kafka before 4.0.',
  },
  {
    script: 'topics',
    step: /CreateTopics/,
    place: /configs\.min\.insync\.replicas\.configSource/,
    reason:
      'Kafka 4.1 writes this one down for the cluster when eligible leader replicas are on, which there are none of here.',
  },
  {
    script: 'topics',
    step: /only validated \(CreateTopics/,
    place: /topicId/,
    reason: 'Kafka makes up an id for a topic that it does not make.',
  },
  {
    script: 'topics',
    step: /with a value too low/,
    place: everywhere,
    reason: 'Kafka 4 wants segments of 1 MiB and more; tests and small devices want smaller ones.',
  },
  {
    script: 'topics',
    step: /DescribeTopicPartitions/,
    place: /topicAuthorizedOperations/,
    reason: 'Kafka lists them unasked; we do not list them.',
  },
  {
    script: 'records',
    step: /Produce/,
    place: /\.(?:logStartOffset|recordErrors)\b/,
    reason:
      'Where a batch is refused, the start of the log and which record was wrong are not said: no client uses them but for its message.',
  },
  {
    script: 'records',
    step: /again \(Produce/,
    place: /logAppendTimeMs/,
    reason:
      'Kafka calls the time of a batch that it has already the time of the append, also where the log does not stamp records.',
  },
  {
    script: 'records',
    step: /that there is not \(Fetch/,
    place: /abortedTransactions/,
    reason: 'None in place of an empty list, in an answer that has no records.',
  },
  {
    script: 'records',
    step: /of a session that there is not/,
    place: everywhere,
    reason:
      'Sessions are declined: whoever names one is answered in full, as Kafka answers where it has no room for sessions.',
  },
  {
    script: 'groups',
    step: /(?:of one again|of a topic that there is not) \(OffsetDelete/,
    place: everywhere,
    reason: 'A group that has only offsets goes with the last of them, not some time later.',
  },
  {
    script: 'groups',
    step: /that are empty \(DeleteGroups/,
    place: /simple/,
    reason: 'The same: it is gone already.',
  },
  {
    script: 'groups',
    step: /without a group/,
    place: everywhere,
    reason: 'Kafka lets old clients commit for a group without a name (KIP-289), and lists it from then on.',
  },
  {
    script: 'transactions',
    step: /commits offsets of a generation/,
    place: /errorCode/,
    reason: 'Both refuse it: for us a group that has only offsets has no generations, for Kafka no such member.',
  },
  {
    script: 'cluster',
    step: /some/,
    place: /min\.insync\.replicas\.configSource/,
    reason: 'As for new topics.',
  },
  {
    script: 'cluster',
    step: /done something else with/,
    place: /errorCode/,
    reason:
      'Kafka calls an operation that there is not an error of its own (-1); for us it is a request that cannot be.',
  },
  {
    script: 'access',
    step: /of things that there are not \(DescribeClientQuotas/,
    place: /errorCode/,
    reason:
      'Kafka calls a kind of entity that there is not an unsupported version; for us it is a request that cannot be.',
  },
]
