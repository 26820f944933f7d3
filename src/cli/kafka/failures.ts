import { type ErrorCode, MillraceError, messageOf } from '../../errors.ts'

/** What kafkajs throws, as far as it is looked at. */
interface KafkajsError extends Error {
  /** The name of the protocol's error. */
  readonly type?: string
  readonly cause?: unknown
  /** One for each topic or group that was refused. */
  readonly errors?: readonly KafkajsError[]
  readonly groups?: readonly { readonly groupId: string; readonly error: KafkajsError }[]
  readonly topic?: string
}

interface Meaning {
  readonly code: ErrorCode
  readonly remedy?: string
}

const meanings: Readonly<Record<string, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    remedy: "'millrace topics --list' names those there are.",
  },
  LEADER_NOT_AVAILABLE: { code: 'UNKNOWN_TOPIC_OR_PARTITION', remedy: 'Try again: the partition has no leader yet.' },
  TOPIC_ALREADY_EXISTS: { code: 'TOPIC_MISMATCH', remedy: 'Use --if-not-exists where that is well.' },
  OFFSET_OUT_OF_RANGE: { code: 'OFFSET_OUT_OF_RANGE' },
  MESSAGE_TOO_LARGE: { code: 'RECORD_TOO_LARGE', remedy: "Raise the topic's max.message.bytes, or send less in one." },
  NON_EMPTY_GROUP: { code: 'REQUEST_REFUSED', remedy: 'Stop its members first.' },
  UNSUPPORTED_VERSION: { code: 'UNSUPPORTED_VERSION' },
  CLUSTER_AUTHORIZATION_FAILED: { code: 'REQUEST_REFUSED', remedy: 'Ask for an ACL of the cluster for this user.' },
  TOPIC_AUTHORIZATION_FAILED: { code: 'REQUEST_REFUSED', remedy: 'Ask for an ACL of the topic for this user.' },
  GROUP_AUTHORIZATION_FAILED: { code: 'REQUEST_REFUSED', remedy: 'Ask for an ACL of the group for this user.' },
}

/** The failure in plain words, with what to do: whatever kafkajs wrapped around it is left out. */
export function kafkaFailure(error: unknown, servers: string): MillraceError {
  if (error instanceof MillraceError) return error
  const cause = innermost(error)
  if (/^KafkaJS(?:Connection|RequestTimeout|BrokerNotFound)/.test(cause.name)) {
    const remedy = 'Is a broker running there, and does it advertise an address that can be reached from here?'
    return new MillraceError('NETWORK_FAILED', `${servers} does not answer: ${cause.message}`, { remedy, cause })
  }
  if (cause.name === 'KafkaJSSASLAuthenticationError') {
    return new MillraceError('AUTHENTICATION_FAILED', cause.message, { remedy: 'Look at --command-config.', cause })
  }
  const meaning = meanings[cause.type ?? ''] ?? { code: 'REQUEST_REFUSED' }
  const { code, ...details } = meaning
  const topic = cause.topic === undefined ? {} : { at: { topic: cause.topic } }
  return new MillraceError(code, `The cluster answers: ${cause.message}`, { ...details, ...topic, cause })
}

/** The protocol's name of the error, where it is one. */
export function errorTypeOf(error: unknown): string | undefined {
  return innermost(error).type
}

function innermost(error: unknown): KafkajsError {
  let found = (error instanceof Error ? error : new Error(messageOf(error))) as KafkajsError
  for (;;) {
    const next = found.errors?.[0] ?? found.groups?.[0]?.error ?? found.cause
    if (!(next instanceof Error)) return found
    found = next as KafkajsError
  }
}
