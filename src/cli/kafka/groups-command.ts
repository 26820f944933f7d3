import type { Command } from 'commander'
import type { Admin, Kafka } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { addClientOptions, type ClientOptions, everyValue, invalid } from './client-options.ts'
import { describeMembers, describeOffsets, describeStates } from './group-description.ts'
import { moveGroup, type NewOffset } from './group-move.ts'
import { type PartitionRange, type ResetOptions, resetTarget } from './offset-reset.ts'
import { withAdmin } from './session.ts'
import { textTable } from './text-table.ts'

interface GroupsOptions extends ClientOptions, ResetOptions {
  readonly list?: true
  readonly describe?: true
  readonly resetOffsets?: true
  readonly delete?: true
  readonly group: readonly string[]
  readonly allGroups?: true
  readonly members?: true
  readonly offsets?: true
  readonly state?: true
  readonly verbose?: true
  readonly topic: readonly string[]
  readonly allTopics?: true
  readonly dryRun?: true
  readonly execute?: true
}

interface Calling {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly options: GroupsOptions
  readonly environment: Environment
  readonly say: (text: string) => void
}

const actions: readonly (readonly [keyof GroupsOptions, string, (calling: Calling) => Promise<void>])[] = [
  ['list', '--list', list],
  ['describe', '--describe', describe],
  ['resetOffsets', '--reset-offsets', resetOffsets],
  ['delete', '--delete', remove],
]

/** `millrace groups`, with the options of kafka-consumer-groups.sh. */
export function addGroupsCommand(program: Command, environment: Environment): void {
  const command = program.command('groups').description('groups of consumers: listed, described, moved and deleted')
  addClientOptions(command)
    .option('--list', 'lists the groups; with --state, and what they do')
    .option('--describe', 'shows where groups are: --offsets (default), --members or --state')
    .option('--reset-offsets', 'moves a group that has no members: with --execute, otherwise it says what it would do')
    .option('--delete', 'deletes groups that have no members')
    .option('--group <id>', 'the group; repeatable', everyValue, [])
    .option('--all-groups', 'all of them')
    .option('--offsets', 'with --describe: committed offsets and lag')
    .option('--members', 'with --describe: members and how many partitions they have; with --verbose, which')
    .option('--state', 'with --describe or --list: states')
    .option('--verbose', 'with --members: the partitions of each')
    .option(
      '--topic <name[:0,1]>',
      'with --reset-offsets: a topic, or some partitions of it; repeatable',
      everyValue,
      [],
    )
    .option('--all-topics', 'with --reset-offsets: all that the group has committed offsets of')
    .option('--to-earliest', 'to the first record')
    .option('--to-latest', 'behind the last record')
    .option('--to-current', 'to where the group is')
    .option('--to-offset <n>', 'to this offset, or the nearest that there is')
    .option('--shift-by <n>', 'so many records on, or back where it is below zero')
    .option('--by-duration <duration>', 'to the first record of the last so long: P1DT2H3M4S')
    .option(
      '--to-datetime <time>',
      'to the first record from then on: 2026-01-31T12:00:00.000, in UTC unless it says a zone',
    )
    .option('--dry-run', 'says what would be done (default)')
    .option('--execute', 'does it')
    .action((options: GroupsOptions) => {
      const asked = actions.filter(([name]) => options[name] === true)
      if (asked.length !== 1) {
        throw invalid('One thing is done at a time', `Say one of ${actions.map(([, name]) => name).join(', ')}.`)
      }
      const [[, , action]] = asked as [(typeof actions)[number]]
      const say = (text: string): void => environment.host.write('out', text)
      return withAdmin(environment, options, (admin, kafka) => action({ kafka, admin, options, environment, say }))
    })
}

async function list({ admin, options, say }: Calling): Promise<void> {
  const ids = await allGroups(admin)
  if (options.state !== true) {
    for (const id of ids) say(`${id}\n`)
    return
  }
  const { groups } = ids.length === 0 ? { groups: [] } : await admin.describeGroups(ids)
  say(
    textTable(
      ['GROUP', 'STATE'],
      groups.map(({ groupId, state }) => [groupId, state]),
    ),
  )
}

async function describe(calling: Calling): Promise<void> {
  const { admin, options, say, environment } = calling
  const complain = (text: string): void => environment.host.write('error', text)
  for (const id of await chosenGroups(calling)) {
    const group = (await admin.describeGroups([id])).groups[0]
    if (group === undefined || group.state === 'Dead') {
      throw new MillraceError('REQUEST_REFUSED', `Consumer group '${id}' does not exist`, {
        remedy: "'millrace groups --list' names those there are.",
      })
    }
    if (group.state === 'Empty' && options.state !== true) complain(`Consumer group '${id}' has no active members.\n`)
    if (options.members === true) say(await describeMembers(group, options.verbose === true))
    else if (options.state === true) say(describeStates(group))
    else say(await describeOffsets(admin, group))
  }
}

async function resetOffsets(calling: Calling): Promise<void> {
  const { kafka, admin, options, environment, say } = calling
  const target = resetTarget(options, environment.clock)
  const isDone = options.execute === true
  if (!isDone && options.dryRun !== true) {
    environment.host.write('error', 'Nothing is changed: --execute does what is shown here.\n')
  }
  const rows: string[][] = []
  for (const groupId of await chosenGroups(calling)) {
    const offsets: NewOffset[] = []
    for (const [topic, only] of await chosenTopics(calling, groupId)) {
      const ranges = await rangesOf(admin, groupId, topic, only)
      const found = await target(admin, topic, ranges)
      offsets.push(...ranges.map(({ partition }, i) => ({ topic, partition, offset: String(found[i]) })))
    }
    if (isDone && offsets.length > 0) await moveGroup(kafka, admin, groupId, offsets)
    rows.push(...offsets.map(({ topic, partition, offset }) => [groupId, topic, String(partition), offset]))
  }
  say(textTable(['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'], rows))
}

async function remove(calling: Calling): Promise<void> {
  const groups = await chosenGroups(calling)
  if (groups.length > 0) await calling.admin.deleteGroups(groups)
  calling.say(`Deletion of requested consumer groups (${groups.map((id) => `'${id}'`).join(', ')}) was successful.\n`)
}

async function allGroups(admin: Admin): Promise<string[]> {
  const { groups } = await admin.listGroups()
  return groups
    .filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '')
    .map(({ groupId }) => groupId)
    .sort()
}

async function chosenGroups({ admin, options }: Calling): Promise<string[]> {
  if (options.allGroups === true) return allGroups(admin)
  if (options.group.length === 0) throw invalid('No group is named', 'Say --group or --all-groups.')
  return [...options.group]
}

/** Topics, and the partitions of each that are meant where not all are. */
async function chosenTopics(
  { admin, options }: Calling,
  groupId: string,
): Promise<Map<string, readonly number[] | undefined>> {
  if (options.allTopics === true) {
    const committed = await admin.fetchOffsets({ groupId })
    return new Map(committed.map(({ topic }) => [topic, undefined]))
  }
  if (options.topic.length === 0) throw invalid('No topic is named', 'Say --topic or --all-topics.')
  return new Map(
    options.topic.map((text) => {
      const [, topic = text, partitions] = /^(.*):(\d+(?:,\d+)*)$/.exec(text) ?? []
      return [topic, partitions?.split(',').map(Number)]
    }),
  )
}

async function rangesOf(
  admin: Admin,
  groupId: string,
  topic: string,
  only: readonly number[] | undefined,
): Promise<PartitionRange[]> {
  const ends = await admin.fetchTopicOffsets(topic)
  const missing = only?.find((partition) => !ends.some((end) => end.partition === partition))
  if (missing !== undefined) {
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such partition', {
      at: { topic, partition: missing },
    })
  }
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const of = (partition: number) => committed?.partitions.find((one) => one.partition === partition)?.offset ?? '-1'
  return ends
    .filter(({ partition }) => only?.includes(partition) !== false)
    .map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      high: Number(high),
      committed: Number(of(partition)),
    }))
    .sort((a, b) => a.partition - b.partition)
}
