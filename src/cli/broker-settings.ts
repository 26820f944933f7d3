import type { BrokerSettings } from '../broker/broker.ts'
import { MillraceError } from '../errors.ts'
import { listenerSettingNames } from './listener-config.ts'

type Parse = (text: string) => unknown

const wholeNumber: Parse = (text) => (/^-?\d+$/.test(text) ? Number(text) : undefined)
const truth: Parse = (text) => (text === 'true' ? true : text === 'false' ? false : undefined)

/** Kafka's names of a broker's settings, and which of ours each is. */
const settings: Readonly<Record<string, readonly [keyof BrokerSettings, Parse]>> = {
  'auto.create.topics.enable': ['autoCreateTopics', truth],
  'num.partitions': ['defaultPartitions', wholeNumber],
  'offsets.topic.num.partitions': ['offsetsTopicPartitions', wholeNumber],
  'transaction.state.log.num.partitions': ['transactionsTopicPartitions', wholeNumber],
  'transaction.max.timeout.ms': ['transactionMaxTimeoutMs', wholeNumber],
  'transactional.id.expiration.ms': ['transactionalIdExpirationMs', wholeNumber],
  'group.initial.rebalance.delay.ms': ['initialRebalanceDelayMs', wholeNumber],
  'group.min.session.timeout.ms': ['minSessionTimeoutMs', wholeNumber],
  'group.max.session.timeout.ms': ['maxSessionTimeoutMs', wholeNumber],
  'group.max.size': ['maxMembers', wholeNumber],
  'log.segment.bytes': ['segmentBytes', wholeNumber],
  'log.retention.ms': ['retentionMs', wholeNumber],
  'log.retention.bytes': ['retentionBytes', wholeNumber],
  'message.max.bytes': ['maxMessageBytes', wholeNumber],
  'producer.id.expiration.ms': ['producerIdExpirationMs', wholeNumber],
}

/** @throws MillraceError INVALID_ARGUMENT where one is not `name=value`, not known, or its value not allowed */
export function brokerSettingsOf(config: readonly string[]): Partial<BrokerSettings> {
  const chosen: Record<string, unknown> = {}
  for (const one of config) {
    const [name = '', ...rest] = one.split('=')
    const setting = settings[name]
    if (setting === undefined) throw unknownSetting(name)
    const [field, parse] = setting
    const value = parse(rest.join('='))
    if (value === undefined) {
      throw new MillraceError('INVALID_ARGUMENT', `'${rest.join('=')}' is not a value of ${name}`, {
        remedy: parse === truth ? "Write 'true' or 'false'." : 'Write a whole number.',
      })
    }
    chosen[field] = value
  }
  return chosen as Partial<BrokerSettings>
}

function unknownSetting(name: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `'${name}' is not a setting of the broker`, {
    remedy: `There are: ${[...Object.keys(settings), ...listenerSettingNames].join(', ')}.`,
  })
}
