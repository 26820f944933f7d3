import { type Command, Option } from 'commander'
import type { Environment } from '../../env/environment.ts'
import { readProperties } from '../properties-file.ts'
import { readTextFile } from '../text-file.ts'
import { alterClients, describeClients } from './client-configs.ts'
import { addClientOptions, type ClientOptions, invalid, propertiesOf } from './client-options.ts'
import { type Changes, type Entity, entityText, type Say } from './config-entity.ts'
import { alterResource, describeResources, isResourceType } from './resource-configs.ts'
import { WireCluster } from './wire-cluster.ts'

interface ConfigsOptions extends ClientOptions {
  readonly describe?: true
  readonly alter?: true
  readonly all?: true
  readonly addConfig?: string
  readonly addConfigFile?: string
  readonly deleteConfig?: string
}

/** `--topic t` is `--entity-type topics --entity-name t`, and so on. */
const shortNames: Readonly<Record<string, string>> = {
  topic: 'topics',
  broker: 'brokers',
  user: 'users',
  client: 'clients',
  group: 'groups',
}
const withDefaults = ['broker', 'user', 'client']

/** `millrace configs`, with the options of kafka-configs.sh. */
export function addConfigsCommand(program: Command, environment: Environment): void {
  const command = program
    .command('configs')
    .description('settings of topics, brokers and groups, quotas and credentials of users: described and changed')
  const named = new NamedEntities()
  addClientOptions(command)
    .option(
      '--entity-type <type>',
      'topics, brokers, groups, users or clients; users and clients go together',
      (type) => named.addType(type),
    )
    .option('--entity-name <name>', 'the topic, the id of the broker, and so on; without one, all of them', (name) =>
      named.addName(name),
    )
    .option('--entity-default', 'in place of a name: the default of all brokers, users or clients')
    .option('--describe', 'shows what is set; with --all, everything')
    .option('--all', 'with --describe: what is not set too')
    .option('--alter', 'changes what --add-config and --delete-config say')
    .option(
      '--add-config <name=value,...>',
      "settings; a value with commas in brackets: cleanup.policy=[compact,delete], 'SCRAM-SHA-512=[iterations=8192,password=secret]'",
    )
    .option('--add-config-file <file>', 'the same as lines of a file')
    .option('--delete-config <name,...>', 'settings that are to be as if they were never set')
    .addHelpText(
      'after',
      '\n--topic, --broker, --group, --user, --client NAME, --broker-defaults and so on name an entity in one word.\n',
    )
  for (const [option, type] of Object.entries(shortNames)) {
    const add = (name: string) => named.add(type, name)
    command.addOption(new Option(`--${option} <name>`).argParser(add).hideHelp())
  }
  for (const option of withDefaults) {
    command.addOption(new Option(`--${option}-defaults`).hideHelp())
    command.on(`option:${option}-defaults`, () => named.add(shortNames[option] as string, null))
  }
  command.on('option:entity-default', () => named.addName(null))
  command.action((options: ConfigsOptions) => configure(environment, options, named.all()))
}

async function configure(environment: Environment, options: ConfigsOptions, entities: Entity[]): Promise<void> {
  if ((options.describe === true) === (options.alter === true))
    throw invalid('One thing is done at a time', 'Say --describe or --alter.')
  const say: Say = (text) => environment.host.write('out', text)
  const wire = new WireCluster(environment, options)
  const [first] = entities
  if (first === undefined) throw invalid('Nothing is named', 'Say --entity-type.')
  const isOfClients = !isResourceType(first.type)
  if (options.describe === true) {
    if (isOfClients) return describeClients(wire, entities, say)
    return describeResources(wire, first, options.all === true, say)
  }
  if (entities.some(({ name }) => name === undefined)) throw invalid('Whose settings?', 'Say --entity-name.')
  const changes = changesOf(environment, options)
  if (isOfClients) await alterClients(wire, entities, changes, environment.random)
  else await alterResource(wire, first, changes)
  say(`Completed updating config for ${entities.map(entityText).join(', ')}.\n`)
}

function changesOf({ disk }: Environment, { addConfig, addConfigFile, deleteConfig }: ConfigsOptions): Changes {
  if (addConfig === undefined && addConfigFile === undefined && deleteConfig === undefined)
    throw invalid('Nothing is changed', 'Say --add-config or --delete-config.')
  const fromFile = addConfigFile === undefined ? [] : readProperties(readTextFile(disk, addConfigFile))
  const given = propertiesOf('--add-config', listOf(addConfig))
  const set = new Map([...fromFile, ...given].map(([name, value]) => [name, value.replace(/^\[(.*)\]$/s, '$1')]))
  return { set, unset: listOf(deleteConfig) }
}

/** Divided by commas, but not by those in brackets. */
function listOf(text: string | undefined): string[] {
  return text?.match(/(?:\[[^\]]*\]|[^,[])+/g)?.map((one) => one.trim()) ?? []
}

/** Types and names in the order of the words: the first name is of the first type. */
class NamedEntities {
  readonly #types: string[] = []
  readonly #names: (string | null)[] = []

  addType(type: string): void {
    this.#types.push(type)
  }

  addName(name: string | null): void {
    this.#names.push(name)
  }

  add(type: string, name: string | null): void {
    this.addType(type)
    this.addName(name)
  }

  /** @throws MillraceError INVALID_ARGUMENT where they do not go together */
  all(): Entity[] {
    const types = this.#types
    const known = Object.values(shortNames)
    const unknown = types.find((type) => !known.includes(type))
    if (unknown !== undefined) throw invalid(`'${unknown}' is not an entity type`, `There are ${known.join(', ')}.`)
    if (types.length > 1 && [...types].sort().join() !== 'clients,users')
      throw invalid('These entities do not go together', 'Name one, or a user and a client.')
    if (this.#names.length > types.length) throw invalid('A name is of no entity type', 'Say --entity-type for each.')
    return types.map((type, i) => ({ type, name: this.#names[i] }))
  }
}
