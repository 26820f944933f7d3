import { type Command, Option } from 'commander'
import type { Admin, Consumer, ConsumerConfig, EachBatchPayload, Kafka } from 'kafkajs'
import type { Cancel, Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import {
  addClientOptions,
  type ClientOptions,
  everyValue,
  invalid,
  propertiesOf,
  wholeNumber,
  withConfigFile,
} from './client-options.ts'
import { deserializerNames } from './deserializers.ts'
import { onlyPartitions } from './partition-choice.ts'
import { RecordFormat } from './record-format.ts'
import { onInterrupt, withKafka } from './session.ts'
import { topicPattern } from './topic-pattern.ts'

interface ConsumeOptions extends ClientOptions {
  readonly topic?: string
  readonly include?: string
  readonly partition?: string
  readonly offset?: string
  readonly fromBeginning?: true
  readonly group?: string
  readonly maxMessages?: string
  readonly timeoutMs?: string
  readonly isolationLevel?: string
  readonly property: readonly string[]
  readonly formatterProperty: readonly string[]
  readonly keyDeserializer?: string
  readonly valueDeserializer?: string
  readonly formatter?: string
  readonly consumerProperty: readonly string[]
  readonly commandProperty: readonly string[]
  readonly 'consumer.config'?: string
}

const consumerProperties = [
  'group.id',
  'auto.offset.reset',
  'isolation.level',
  'client.id',
  'fetch.max.wait.ms',
  'fetch.min.bytes',
  'fetch.max.bytes',
  'max.partition.fetch.bytes',
]
const isolationLevels = ['read_uncommitted', 'read_committed']
/** While standard output takes no more, the group hears from us this often. */
const heartbeatMs = 3_000

/** `millrace consume`, with the options of kafka-console-consumer.sh. */
export function addConsumeCommand(program: Command, environment: Environment): void {
  const command = program.command('consume').description('prints the records of a topic, each as a line')
  addClientOptions(command)
    .option('--topic <name>', 'whose records')
    .option('--include <names>', 'in place of --topic: several (a,b) or a regular expression')
    .option('--partition <n>', 'only this partition, from its end on unless --offset says another place')
    .option('--offset <place>', "where in the partition: an offset, 'earliest', 'latest', or -n for the last n")
    .option('--from-beginning', 'from the first record on, where the group has committed no offset')
    .option('--group <id>', 'as a member of this group, which commits what was printed; without it, nothing is kept')
    .option('--max-messages <n>', 'ends after so many records')
    .option('--timeout-ms <ms>', 'ends when no record came for so long')
    .option('--isolation-level <level>', 'read_uncommitted (default) or read_committed')
    .option(
      '--property <name=value>',
      'what is printed: print.timestamp, print.partition, print.offset, print.epoch, print.delivery, print.headers, print.key, print.value, key.separator (a tab), line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer; repeatable',
      everyValue,
      [],
    )
    .option('--formatter-property <name=value>', 'the same, as Kafka calls it from 4.2 on', everyValue, [])
    .option('--key-deserializer <class>', `how keys are read: ${deserializerNames.join(', ')} (default: as they are)`)
    .option('--value-deserializer <class>', 'how values are read')
    .addOption(new Option('--formatter <class>').hideHelp())
    .option('--consumer-property <name=value>', `${consumerProperties.join(', ')}; repeatable`, everyValue, [])
    .option('--command-property <name=value>', 'the same, as Kafka calls it from 4.2 on', everyValue, [])
    .addOption(new Option('--consumer.config <file>', 'the same as --command-config').hideHelp())
    .action((options: ConsumeOptions) => consume(environment, withConfigFile(options, options['consumer.config'])))
}

interface Plan {
  /** Of the one topic, or a pattern of several. */
  readonly topic: string | RegExp
  readonly partition: number | undefined
  readonly offset: string | undefined
  readonly isFromBeginning: boolean
  readonly isMember: boolean
  readonly mostRecords: number
  readonly timeoutMs: number
  readonly format: RecordFormat
  readonly config: ConsumerConfig
}

async function consume(environment: Environment, options: ConsumeOptions): Promise<void> {
  const plan = planOf(options, environment)
  await withKafka(environment, options, async (kafka) => {
    const start = await startOf(kafka, plan)
    const only =
      plan.partition === undefined
        ? {}
        : { partitionAssigners: [await onlyPartitions({ [String(plan.topic)]: [plan.partition] })] }
    const consumer = kafka.consumer({ ...plan.config, ...only })
    await consumer.connect()
    const printing = new Printing(environment, plan, consumer, start)
    try {
      await printing.run()
    } finally {
      await consumer.disconnect()
      if (!plan.isMember) await forget(kafka, plan.config.groupId)
      environment.host.write('error', `Processed a total of ${printing.count} messages\n`)
    }
  })
}

/** @throws MillraceError INVALID_ARGUMENT where options do not go together, as Kafka's own tool */
function planOf(options: ConsumeOptions, { random }: Environment): Plan {
  const properties = propertiesOf(
    '--consumer-property',
    [...options.consumerProperty, ...options.commandProperty],
    consumerProperties,
  )
  const group = options.group ?? properties.get('group.id')
  if (options.formatter !== undefined && !options.formatter.endsWith('.DefaultMessageFormatter'))
    throw invalid(`'${options.formatter}' is not a formatter`, 'There is DefaultMessageFormatter, which needs no name.')
  if (options.include !== undefined && options.partition !== undefined)
    throw invalid('A partition is of one topic', 'Leave out --partition, or say --topic.')
  if (options.offset !== undefined && options.partition === undefined)
    throw invalid('An offset is of one partition', 'Say --partition too.')
  if (options.offset !== undefined && options.fromBeginning === true)
    throw invalid('Two places to begin are named', 'Leave out --offset or --from-beginning.')
  if (options.partition !== undefined && group !== undefined)
    throw invalid('A group shares out the partitions itself', 'Leave out --partition or --group.')
  if (options.offset !== undefined && !/^(?:earliest|latest|-?\d+)$/.test(options.offset)) {
    throw invalid(`'${options.offset}' is not a value of --offset`, "Write an offset, 'earliest' or 'latest'.")
  }
  const isolation = options.isolationLevel ?? properties.get('isolation.level') ?? 'read_uncommitted'
  if (!isolationLevels.includes(isolation))
    throw invalid(`'${isolation}' is not an isolation level`, `There are ${isolationLevels.join(', ')}.`)
  const limit = (name: string, field: keyof ConsumerConfig) =>
    properties.has(name) && { [field]: wholeNumber('--consumer-property', properties.get(name) as string) }
  return {
    topic: topicOf(options),
    partition: options.partition === undefined ? undefined : wholeNumber('--partition', options.partition),
    offset: options.offset,
    isFromBeginning: options.fromBeginning === true || properties.get('auto.offset.reset') === 'earliest',
    isMember: group !== undefined,
    mostRecords:
      options.maxMessages === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--max-messages', options.maxMessages),
    timeoutMs:
      options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--timeout-ms', options.timeoutMs),
    format: formatOf(options),
    config: {
      groupId: group ?? `console-consumer-${random.uint32()}`,
      readUncommitted: isolation === 'read_uncommitted',
      maxWaitTimeInMs: 500,
      ...limit('fetch.max.wait.ms', 'maxWaitTimeInMs'),
      ...limit('fetch.min.bytes', 'minBytes'),
      ...limit('fetch.max.bytes', 'maxBytes'),
      ...limit('max.partition.fetch.bytes', 'maxBytesPerPartition'),
    },
  }
}

function topicOf({ topic, include }: ConsumeOptions): string | RegExp {
  if (topic !== undefined && include === undefined) return topic
  if (topic === undefined && include !== undefined) return topicPattern(include)
  throw invalid('One topic, or names of several', 'Say --topic or --include.')
}

function formatOf({ property, formatterProperty, keyDeserializer, valueDeserializer }: ConsumeOptions): RecordFormat {
  return new RecordFormat([
    ...(keyDeserializer === undefined ? [] : [`key.deserializer=${keyDeserializer}`]),
    ...(valueDeserializer === undefined ? [] : [`value.deserializer=${valueDeserializer}`]),
    ...property,
    ...formatterProperty,
  ])
}

/** Where the one partition begins that is asked for; undefined where all are, or where its end is. */
async function startOf(kafka: Kafka, { topic, partition, offset }: Plan): Promise<string | undefined> {
  if (partition === undefined || typeof topic !== 'string') return undefined
  const admin: Admin = kafka.admin()
  await admin.connect()
  try {
    const found = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition)
    if (found === undefined) {
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such partition', { at: { topic, partition } })
    }
    if (offset === undefined) return undefined
    if (offset === 'earliest') return found.low
    if (offset === 'latest') return found.high
    const [low, high] = [Number(found.low), Number(found.high)]
    return String(offset.startsWith('-') ? Math.max(low, high + Number(offset)) : Number(offset))
  } finally {
    await admin.disconnect()
  }
}

/** A group that was only made to read is nobody's any more; where that fails, the cluster forgets it by itself in time. */
async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.deleteGroups([groupId])
  } catch {
    // Most clusters have forgotten a group without offsets already.
  } finally {
    await admin.disconnect()
  }
}

/** From the first record until there were enough, none came for too long, nobody reads on, or the user ends it. */
class Printing {
  count = 0
  readonly #environment: Environment
  readonly #plan: Plan
  readonly #consumer: Consumer
  /** The next offset of each partition of each topic, for when the group shares them out anew: nothing is committed for us alone. */
  readonly #positions = new Map<string, Map<number, string>>()
  #isOver = false
  #finish: () => void = () => {}
  #cancelTimeout: Cancel = () => {}

  constructor(environment: Environment, plan: Plan, consumer: Consumer, start: string | undefined) {
    this.#environment = environment
    this.#plan = plan
    this.#consumer = consumer
    if (start !== undefined) this.#wentTo(String(plan.topic), plan.partition as number, start)
  }

  async run(): Promise<void> {
    const { topic, isFromBeginning, isMember, mostRecords } = this.#plan
    const consumer = this.#consumer
    const over = new Promise<void>((resolve, reject) => {
      this.#finish = () => {
        this.#isOver = true
        resolve()
      }
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error)
      })
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#goOn(payload.memberAssignment))
    const cancelSignals = onInterrupt(this.#environment, () => this.#finish())
    if (mostRecords === 0) this.#finish()
    await consumer.subscribe({ topic, fromBeginning: isFromBeginning })
    await consumer.run({ autoCommit: isMember, eachBatchAutoResolve: false, eachBatch: (batch) => this.#print(batch) })
    this.#awaitMore()
    await over
    this.#cancelTimeout()
    cancelSignals()
  }

  #goOn(assignment: Readonly<Record<string, readonly number[]>>): void {
    if (this.#plan.isMember) return
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const offset = this.#positions.get(topic)?.get(partition)
        if (offset !== undefined) this.#consumer.seek({ topic, partition, offset })
      }
    }
  }

  #wentTo(topic: string, partition: number, offset: string): void {
    const ofTopic = this.#positions.get(topic) ?? new Map<number, string>()
    this.#positions.set(topic, ofTopic.set(partition, offset))
  }

  async #print({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    if (this.#isOver) return
    const pieces: Uint8Array[] = []
    const messages = batch.messages.slice(0, this.#plan.mostRecords - this.count)
    for (const message of messages) this.#plan.format.write(message, batch.partition, pieces)
    const isRead = await this.#withHeartbeats(this.#environment.host.print(Buffer.concat(pieces)), heartbeat)
    if (!isRead) return this.#finish()
    const last = messages.at(-1)
    if (last !== undefined) {
      resolveOffset(last.offset)
      this.#wentTo(batch.topic, batch.partition, String(BigInt(last.offset) + 1n))
      this.count += messages.length
    }
    await heartbeat()
    this.#awaitMore()
    if (this.count >= this.#plan.mostRecords) this.#finish()
  }

  #awaitMore(): void {
    this.#cancelTimeout()
    const { timeoutMs } = this.#plan
    if (timeoutMs === Number.POSITIVE_INFINITY) return
    this.#cancelTimeout = this.#environment.timers.after(timeoutMs, () => this.#finish())
  }

  async #withHeartbeats(printed: Promise<boolean>, heartbeat: () => Promise<void>): Promise<boolean> {
    for (;;) {
      let cancel: Cancel = () => {}
      const late = new Promise<undefined>((resolve) => {
        cancel = this.#environment.timers.after(heartbeatMs, () => resolve(undefined))
      })
      const isRead = await Promise.race([printed, late])
      cancel()
      if (isRead !== undefined) return isRead
      if (this.#isOver) return false
      await heartbeat()
    }
  }
}
