import type { Command } from 'commander'
import type { Admin, ITopicConfig } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import {
  addClientOptions,
  type ClientOptions,
  everyValue,
  invalid,
  propertiesOf,
  wholeNumber,
} from './client-options.ts'
import { withAdmin } from './session.ts'
import { describeTopics, type TopicFilters } from './topic-description.ts'
import { topicPattern } from './topic-pattern.ts'
import { WireCluster } from './wire-cluster.ts'

interface TopicsOptions extends ClientOptions, TopicFilters {
  readonly create?: true
  readonly list?: true
  readonly describe?: true
  readonly alter?: true
  readonly delete?: true
  readonly topic?: string
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly replicaAssignment?: string
  readonly config: readonly string[]
  readonly ifNotExists?: true
  readonly ifExists?: true
  readonly excludeInternal?: true
}

type Say = (text: string) => void
type Replicas = NonNullable<ITopicConfig['replicaAssignment']>[number]
type Action = (admin: Admin, options: TopicsOptions, say: Say, wire: WireCluster) => Promise<void>

const actions: readonly (readonly [keyof TopicsOptions, Action])[] = [
  ['create', create],
  ['list', list],
  ['describe', describe],
  ['alter', alter],
  ['delete', remove],
]

/** `millrace topics`, with the options of kafka-topics.sh. */
export function addTopicsCommand(program: Command, environment: Environment): void {
  const command = program.command('topics').description('topics are made, listed, described, changed and deleted')
  addClientOptions(command)
    .option('--create', 'makes a topic')
    .option('--list', 'lists the topics')
    .option('--describe', 'describes topics and their partitions')
    .option('--alter', 'gives a topic more partitions')
    .option('--delete', 'deletes topics')
    .option(
      '--topic <name>',
      'the topic; for --list, --describe and --delete also several (a,b) or a regular expression',
    )
    .option('--partitions <n>', "how many partitions it has (default: the cluster's)")
    .option('--replication-factor <n>', "how many replicas each of them has (default: the cluster's)")
    .option(
      '--replica-assignment <id:id,...>',
      'in place of both: the brokers of each partition, divided by commas, the leader first',
    )
    .option('--config <name=value>', 'a setting of the new topic; repeatable', everyValue, [])
    .option('--if-not-exists', 'with --create: a topic that exists is well')
    .option('--if-exists', 'with --alter, --describe and --delete: a topic that does not exist is well')
    .option('--exclude-internal', 'with --list and --describe: without those of the cluster itself')
    .option('--topics-with-overrides', 'with --describe: topics with settings of their own')
    .option('--under-replicated-partitions', 'with --describe: partitions with replicas that are behind')
    .option('--unavailable-partitions', 'with --describe: partitions without a leader')
    .option('--under-min-isr-partitions', 'with --describe: partitions with fewer replicas in sync than they need')
    .option('--at-min-isr-partitions', 'with --describe: partitions with just as many as they need')
    .action((options: TopicsOptions) => {
      const asked = actions.filter(([name]) => options[name] === true)
      if (asked.length !== 1)
        throw invalid('One thing is done at a time', `Say one of ${actions.map(([name]) => `--${name}`).join(', ')}.`)
      const [[, action]] = asked as unknown as [(typeof actions)[number]]
      return withAdmin(environment, options, (admin) =>
        action(admin, options, (text) => environment.host.write('out', text), new WireCluster(environment, options)),
      )
    })
}

async function create(admin: Admin, options: TopicsOptions, say: Say): Promise<void> {
  const topic = requiredTopic(options)
  const configEntries = [...propertiesOf('--config', options.config)].map(([name, value]) => ({ name, value }))
  if (/[._]/.test(topic)) {
    say("WARNING: names of metrics do not tell '.' from '_': use one of them, not both, in the names of topics.\n")
  }
  const made = await admin.createTopics({
    topics: [
      {
        topic,
        numPartitions: countOf('--partitions', options.partitions),
        replicationFactor: countOf('--replication-factor', options.replicationFactor),
        ...(options.replicaAssignment !== undefined && { replicaAssignment: replicasOf(options) }),
        configEntries,
      },
    ],
  })
  if (made) say(`Created topic ${topic}.\n`)
  else if (options.ifNotExists !== true) throw exists(topic)
}

async function list(admin: Admin, options: TopicsOptions, say: Say): Promise<void> {
  for (const topic of await chosenTopics(admin, options)) say(`${topic}\n`)
}

async function describe(admin: Admin, options: TopicsOptions, say: Say, wire: WireCluster): Promise<void> {
  const names = await existingTopics(admin, options)
  if (names.length === 0) return
  say(await describeTopics(admin, wire, names, options))
}

async function alter(admin: Admin, options: TopicsOptions): Promise<void> {
  const topic = requiredTopic(options)
  if (options.partitions === undefined)
    throw invalid('Nothing is changed', 'Say --partitions; settings are changed with `millrace configs`.')
  const count = wholeNumber('--partitions', options.partitions, 1)
  if ((await existingTopics(admin, { ...options, topic: literal(topic) })).length === 0) return
  await requireMore(admin, topic, count)
  await admin.createPartitions({ topicPartitions: [{ topic, count }] })
}

/** The broker says it too, in words that kafkajs does not hand on. */
async function requireMore(admin: Admin, topic: string, count: number): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const now = topics[0]?.partitions.length ?? 0
  if (count > now) return
  const what = `Topic '${topic}' has ${now} partition(s), and ${count} would not be more`
  throw new MillraceError('TOPIC_MISMATCH', what, { remedy: 'A topic only grows: say a greater number.' })
}

async function remove(admin: Admin, options: TopicsOptions): Promise<void> {
  requiredTopic(options)
  const topics = await existingTopics(admin, options)
  if (topics.length > 0) await admin.deleteTopics({ topics })
}

/** -1 is the cluster's default. */
function countOf(option: string, text: string | undefined): number {
  return text === undefined ? -1 : wholeNumber(option, text, 1)
}

function replicasOf({ replicaAssignment = '', partitions, replicationFactor }: TopicsOptions): Replicas[] {
  if (partitions !== undefined || replicationFactor !== undefined)
    throw invalid('Replicas are assigned and counted', 'Leave out --partitions and --replication-factor.')
  return replicaAssignment.split(',').map((ids, partition) => ({
    partition,
    replicas: ids.split(':').map((id) => wholeNumber('--replica-assignment', id.trim())),
  }))
}

function requiredTopic({ topic }: TopicsOptions): string {
  if (topic === undefined) throw invalid('No topic is named', 'Say --topic.')
  return topic
}

async function chosenTopics(admin: Admin, { topic, excludeInternal }: TopicsOptions): Promise<string[]> {
  const pattern = topicPattern(topic ?? '.*')
  const isInternal = (name: string) => name === '__consumer_offsets' || name === '__transaction_state'
  const all = (await admin.listTopics()).filter((name) => pattern.test(name))
  return all.filter((name) => excludeInternal !== true || !isInternal(name)).sort()
}

/** @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION where there is none, unless that is well */
async function existingTopics(admin: Admin, options: TopicsOptions): Promise<string[]> {
  const topics = await chosenTopics(admin, options)
  if (topics.length > 0 || options.topic === undefined || options.ifExists === true) return topics
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `No topic is called '${options.topic}'`, {
    remedy: "'millrace topics --list' names those there are.",
  })
}

function literal(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function exists(topic: string): MillraceError {
  return new MillraceError('TOPIC_MISMATCH', `Topic '${topic}' exists already`, {
    remedy: 'Use --if-not-exists where that is well.',
  })
}
