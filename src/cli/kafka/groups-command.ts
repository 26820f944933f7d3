import { type Command, Option } from 'commander'
import type { Admin } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { addClientOptions, type ClientOptions, everyValue, invalid } from './client-options.ts'
import { deleteOffsets } from './delete-offsets.ts'
import { type DescribedGroup, describedGroup } from './described-group.ts'
import { kafkaFailure } from './failures.ts'
import { describeMembers, describeOffsets, describeStates } from './group-description.ts'
import { moveGroup } from './group-move.ts'
import { type PlanOptions, resetPlan, topicsNamed } from './reset-groups.ts'
import { planText } from './reset-plan.ts'
import { withAdmin } from './session.ts'
import { textTable } from './text-table.ts'
import { WireCluster } from './wire-cluster.ts'

interface GroupsOptions extends ClientOptions, PlanOptions {
  readonly list?: true
  readonly describe?: true
  readonly resetOffsets?: true
  readonly delete?: true
  readonly deleteOffsets?: true
  readonly group: readonly string[]
  readonly allGroups?: true
  readonly members?: true
  readonly offsets?: true
  readonly state?: true | string
  readonly type?: true | string
  readonly verbose?: true
  readonly dryRun?: true
  readonly execute?: true
  readonly export?: true
  readonly timeout?: string
}

interface Calling {
  readonly admin: Admin
  readonly wire: WireCluster
  readonly options: GroupsOptions
  readonly environment: Environment
  readonly say: (text: string) => void
}

const actions: readonly (readonly [keyof GroupsOptions, string, (calling: Calling) => Promise<void>])[] = [
  ['list', '--list', list],
  ['describe', '--describe', describe],
  ['resetOffsets', '--reset-offsets', resetOffsets],
  ['delete', '--delete', remove],
  ['deleteOffsets', '--delete-offsets', removeOffsets],
]

/** `millrace groups`, with the options of kafka-consumer-groups.sh. */
export function addGroupsCommand(program: Command, environment: Environment): void {
  const command = program.command('groups').description('groups of consumers: listed, described, moved and deleted')
  addClientOptions(command)
    .option('--list', 'lists the groups; with --state, and what they do')
    .option('--describe', 'shows where groups are: --offsets (default), --members or --state')
    .option('--reset-offsets', 'moves a group that has no members: with --execute, otherwise it says what it would do')
    .option('--delete', 'deletes groups that have no members')
    .option('--delete-offsets', 'deletes committed offsets of topics that the group does not read')
    .option('--group <id>', 'the group; repeatable', everyValue, [])
    .option('--all-groups', 'all of them')
    .option('--offsets', 'with --describe: committed offsets and lag')
    .option('--members', 'with --describe: members and how many partitions they have; with --verbose, which')
    .option('--state [state,...]', 'with --describe or --list: states; with --list, only groups in these')
    .option('--type [type,...]', 'with --list: classic or consumer (KIP-848); only groups of these')
    .option('--verbose', 'with --members: the partitions of each')
    .option(
      '--topic <name[:0,1]>',
      'with --reset-offsets and --delete-offsets: a topic, or some partitions of it; repeatable',
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
    .option('--from-file <file>', 'to the offsets of lines as --export writes them, for which no topic is named')
    .option('--export', 'with --reset-offsets: prints lines of [group,]topic,partition,offset')
    .addOption(new Option('--timeout <ms>').hideHelp())
    .option('--dry-run', 'says what would be done (default)')
    .option('--execute', 'does it')
    .action((options: GroupsOptions) => {
      const asked = actions.filter(([name]) => options[name] === true)
      if (asked.length !== 1) {
        throw invalid('One thing is done at a time', `Say one of ${actions.map(([, name]) => name).join(', ')}.`)
      }
      const [[, , action]] = asked as [(typeof actions)[number]]
      const say = (text: string): void => environment.host.write('out', text)
      const wire = new WireCluster(environment, options)
      return withAdmin(environment, options, (admin) => action({ admin, wire, options, environment, say }))
    })
}

async function list({ admin, wire, options, say }: Calling): Promise<void> {
  const ids = await allGroups(admin)
  if (options.state === undefined && options.type === undefined) {
    for (const id of ids) say(`${id}\n`)
    return
  }
  const [states, types] = [wantedOf(options.state), wantedOf(options.type)]
  const rows: string[][] = []
  for (const id of ids) {
    const { state, type } = (await describedGroup(admin, wire, id)) ?? { state: 'Dead', type: 'Unknown' }
    if (states?.includes(state.toLowerCase()) === false || types?.includes(type.toLowerCase()) === false) continue
    rows.push([id, ...(types === null ? [] : [type]), ...(states === null ? [] : [state])])
  }
  const header = ['GROUP', ...(types === null ? [] : ['TYPE']), ...(states === null ? [] : ['STATE'])]
  say(textTable(header, rows))
}

/** In small letters; null is not asked for, undefined is whatever there is. */
function wantedOf(option: true | string | undefined): readonly string[] | undefined | null {
  if (option === undefined) return null
  return option === true ? undefined : option.split(',').map((one) => one.trim().toLowerCase())
}

async function describe(calling: Calling): Promise<void> {
  const { admin, wire, options, say, environment } = calling
  const complain = (text: string): void => environment.host.write('error', text)
  for (const id of await chosenGroups(calling)) {
    const group = await describedGroup(admin, wire, id)
    if (group === undefined) throw missing(id)
    if (group.state === 'Empty' && options.state === undefined)
      complain(`Consumer group '${id}' has no active members.\n`)
    say(await description(calling, group))
  }
}

async function description({ admin, wire, options }: Calling, group: DescribedGroup): Promise<string> {
  if (options.members === true) return describeMembers(group, options.verbose === true)
  if (options.state !== undefined) return describeStates(group, await wire.coordinatorOf(group.groupId))
  return describeOffsets(admin, group)
}

async function resetOffsets(calling: Calling): Promise<void> {
  const { admin, wire, options, environment, say } = calling
  const isDone = options.execute === true
  if (isDone && options.dryRun === true)
    throw invalid('It cannot be done and not be done', 'Say --execute or --dry-run.')
  const plan = await resetPlan(environment, admin, options, await chosenGroups(calling))
  if (!isDone && options.dryRun !== true && options.export !== true) {
    environment.host.write('error', 'Nothing is changed: --execute does what is shown here.\n')
  }
  for (const [groupId, offsets] of isDone ? plan : []) {
    if (offsets.length > 0) await moveGroup(wire, groupId, await describedGroup(admin, wire, groupId), offsets)
  }
  if (options.export === true) return say(planText(plan))
  const rows = [...plan].flatMap(([groupId, offsets]) =>
    offsets.map(({ topic, partition, offset }) => [groupId, topic, String(partition), offset]),
  )
  say(textTable(['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'], rows))
}

async function removeOffsets(calling: Calling): Promise<void> {
  const { admin, wire, options, say } = calling
  const [groupId, ...others] = options.group
  if (groupId === undefined || others.length > 0)
    throw invalid('Offsets are deleted of one group at a time', 'Say --group.')
  const { table, isWhole } = await deleteOffsets(admin, wire, groupId, topicsNamed(options.topic, 'Say --topic.'))
  say(table)
  if (isWhole) return
  throw new MillraceError('REQUEST_REFUSED', `Not all of these offsets of '${groupId}' were deleted`, {
    remedy: 'Stop the members that read the topic first, and name partitions that there are.',
  })
}

/** One after the other: what becomes of one group is nothing to the next. */
async function remove(calling: Calling): Promise<void> {
  const groups = await chosenGroups(calling)
  const failures = new Map<string, MillraceError>()
  for (const id of groups) {
    try {
      await calling.admin.deleteGroups([id])
    } catch (error) {
      failures.set(id, kafkaFailure(error, calling.options.bootstrapServer))
    }
  }
  const deleted = groups.filter((id) => !failures.has(id))
  const names = deleted.map((id) => `'${id}'`).join(', ')
  const [[id, first] = []] = failures
  if (first === undefined) calling.say(`Deletion of requested consumer groups (${names}) was successful.\n`)
  else if (groups.length === 1) throw first
  else {
    if (deleted.length > 0) calling.say(`These consumer groups were deleted successfully: ${names}\n`)
    for (const [other, { message }] of [...failures].slice(1))
      calling.environment.host.write('error', `Group '${other}' was not deleted: ${message}\n`)
    throw new MillraceError(first.code, `Group '${id}' was not deleted: ${first.message}`)
  }
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

function missing(groupId: string): MillraceError {
  return new MillraceError('REQUEST_REFUSED', `Consumer group '${groupId}' does not exist`, {
    remedy: "'millrace groups --list' names those there are.",
  })
}
