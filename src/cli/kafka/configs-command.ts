import type { Command } from 'commander'
import type { Admin, ConfigEntries } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { addClientOptions, type ClientOptions, invalid, propertiesOf } from './client-options.ts'
import { withAdmin } from './session.ts'

interface ConfigsOptions extends ClientOptions {
  readonly entityType: string
  readonly entityName: string
  readonly describe?: true
  readonly alter?: true
  readonly all?: true
  readonly addConfig?: string
  readonly deleteConfig?: string
}

/** Kafka's numbers: of the kinds of things that have settings, and of where settings that are changed come from. */
interface Entity {
  readonly type: number
  readonly what: string
  readonly dynamicSource: number
}
const entities: Readonly<Record<string, Entity>> = {
  topics: { type: 2, what: 'topic', dynamicSource: 1 },
  brokers: { type: 4, what: 'broker', dynamicSource: 2 },
}
const sources = [
  '',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
]

/** `millrace configs`, with the options of kafka-configs.sh. */
export function addConfigsCommand(program: Command, environment: Environment): void {
  const command = program.command('configs').description('settings of topics and brokers: described and changed')
  addClientOptions(command)
    .requiredOption('--entity-type <type>', 'topics or brokers')
    .requiredOption('--entity-name <name>', 'the topic, or the id of the broker')
    .option('--describe', 'shows what is set; with --all, everything')
    .option('--all', 'with --describe: what is not set too')
    .option('--alter', 'changes what --add-config and --delete-config say')
    .option(
      '--add-config <name=value,...>',
      'settings; a value with commas in brackets: cleanup.policy=[compact,delete]',
    )
    .option('--delete-config <name,...>', 'settings that are to be as if they were never set')
    .action((options: ConfigsOptions) => {
      const entity = entities[options.entityType]
      if (entity === undefined)
        throw invalid(`'${options.entityType}' is not an entity type`, 'There are topics and brokers.')
      if ((options.describe === true) === (options.alter === true))
        throw invalid('One thing is done at a time', 'Say --describe or --alter.')
      const say = (text: string): void => environment.host.write('out', text)
      const action = options.describe === true ? describe : alter
      return withAdmin(environment, options, (admin) => action(admin, entity, options, say))
    })
}

type Say = (text: string) => void

async function describe(admin: Admin, entity: Entity, { entityName, all }: ConfigsOptions, say: Say): Promise<void> {
  const entries = await entriesOf(admin, entity, entityName)
  say(`${all === true ? 'All' : 'Dynamic'} configs for ${entity.what} ${entityName} are:\n`)
  for (const { configName, configValue, configSource, isSensitive, configSynonyms } of entries) {
    if (all !== true && configSource !== entity.dynamicSource) continue
    const synonyms = configSynonyms.map((one) => `${sources[one.configSource]}:${one.configName}=${one.configValue}`)
    say(`  ${configName}=${configValue} sensitive=${isSensitive} synonyms={${synonyms.join(', ')}}\n`)
  }
}

/** The cluster is told everything that is to be set: what is not named goes on as it is. */
async function alter(admin: Admin, entity: Entity, options: ConfigsOptions, say: Say): Promise<void> {
  const { entityName, addConfig, deleteConfig } = options
  if (addConfig === undefined && deleteConfig === undefined)
    throw invalid('Nothing is changed', 'Say --add-config or --delete-config.')
  const entries = await entriesOf(admin, entity, entityName)
  const set = new Map<string, string>()
  for (const { configName, configValue, configSource, isSensitive } of entries) {
    if (configSource !== entity.dynamicSource) continue
    if (isSensitive) {
      throw new MillraceError('REQUEST_REFUSED', `${configName} is set and secret: it would be lost`, {
        remedy: "Use Kafka's own kafka-configs.sh, which changes settings one by one.",
      })
    }
    set.set(configName, configValue)
  }
  for (const name of listOf(deleteConfig)) {
    if (!set.delete(name)) throw invalid(`'${name}' is not set`, `Set are: ${[...set.keys()].join(', ')}.`)
  }
  for (const [name, value] of propertiesOf('--add-config', listOf(addConfig)))
    set.set(name, value.replace(/^\[(.*)\]$/, '$1'))
  const configEntries = [...set].map(([name, value]) => ({ name, value }))
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: entity.type, name: entityName, configEntries }] })
  say(`Completed updating config for ${entity.what} ${entityName}.\n`)
}

async function entriesOf(admin: Admin, { type }: Entity, name: string): Promise<ConfigEntries[]> {
  const { resources } = await admin.describeConfigs({ includeSynonyms: true, resources: [{ type, name }] })
  return (resources[0]?.configEntries ?? []).toSorted((a, b) => (a.configName < b.configName ? -1 : 1))
}

/** Divided by commas, but not by those in brackets. */
function listOf(text: string | undefined): string[] {
  return text?.match(/(?:\[[^\]]*\]|[^,[])+/g)?.map((one) => one.trim()) ?? []
}
