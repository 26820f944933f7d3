import { MillraceError } from '../../errors.ts'
import { type BrokerSettings, defaultBrokerSettings } from '../broker-settings.ts'
import type { LogSettings } from '../log/log-settings.ts'
import { brokerSettingNamed, brokerSettingsByName, synonymsOf } from './broker-setting-names.ts'
import { type ConfigValue, formatConfig, parseConfig } from './config-kind.ts'
import { fromField, toField } from './topic-settings.ts'

export type ConfigTexts = Readonly<Record<string, string>>

/** Where a value comes from, as DescribeConfigs numbers it (org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource). */
export const configSources = { topic: 1, broker: 2, cluster: 3, start: 4, default: 5 } as const

/** A value of a setting at one of the places where it may be said. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string
  readonly source: number
}

/**
 * The broker's settings, and who says so: what was set for this broker while it ran, for all brokers of the cluster, at its
 * start, or nobody. The first one counts. `settings` changes as a whole.
 */
export class BrokerConfig {
  settings: BrokerSettings
  readonly #atStart: ConfigTexts
  readonly #stated: BrokerSettings
  #ofCluster: ConfigTexts = {}
  #ofBroker: ConfigTexts = {}

  /**
   * @param fields settings by our names, as whoever embeds a broker gives them
   * @param atStart settings by Kafka's names, which count before them
   * @throws MillraceError INVALID_ARGUMENT where a name is not known, or a value not allowed
   */
  constructor(fields: Partial<BrokerSettings>, atStart: ConfigTexts) {
    for (const [name, text] of Object.entries(atStart)) {
      const problem = brokerConfigProblem(name, text)
      if (problem === undefined) continue
      throw new MillraceError('INVALID_ARGUMENT', problem, {
        remedy: `There are: ${Object.keys(brokerSettingsByName).join(', ')}.`,
      })
    }
    this.#stated = { ...defaultBrokerSettings, ...fields }
    this.#atStart = { ...textsOf(fields), ...atStart }
    this.settings = { ...this.#stated, ...fieldsOf(atStart) }
  }

  /** Takes up what is set while the broker runs: names that are not known, from another version of the program, are left out. */
  change(ofCluster: ConfigTexts, ofBroker: ConfigTexts): void {
    this.#ofCluster = ofCluster
    this.#ofBroker = ofBroker
    this.settings = { ...this.#stated, ...fieldsOf({ ...this.#atStart, ...ofCluster, ...ofBroker }) }
  }

  /** What is wrong with settings for the broker or the cluster, together with all others; undefined where nothing. */
  conflictIn(ofCluster: ConfigTexts, ofBroker: ConfigTexts): string | undefined {
    const { minCompactionLagMs, maxCompactionLagMs }: LogSettings = {
      ...this.#stated,
      ...fieldsOf({ ...this.#atStart, ...ofCluster, ...ofBroker }),
    }
    if (minCompactionLagMs <= maxCompactionLagMs) return undefined
    return `conflict topic config setting min.compaction.lag.ms (${minCompactionLagMs}) > max.compaction.lag.ms (${maxCompactionLagMs})`
  }

  /** The text of a setting as it counts now. */
  textOf(name: string): string | null {
    return this.synonyms(name)[0]?.value ?? null
  }

  /** What is said of a setting, the one that counts first. (Kafka: ConfigHelper.configSynonyms.) */
  synonyms(name: string): ConfigSynonym[] {
    const names = synonymsOf(name)
    const said = (texts: ConfigTexts, source: number): ConfigSynonym[] =>
      names.flatMap((each) => {
        const value = texts[each]
        return value === undefined ? [] : [{ name: each, value, source }]
      })
    const all = [
      ...said(this.#ofBroker, configSources.broker),
      ...said(this.#ofCluster, configSources.cluster),
      ...said(this.#atStart, configSources.start),
      ...said(defaultTexts, configSources.default),
    ]
    // What another unit says before is not a synonym of this one.
    const from = all.findIndex((synonym) => synonym.name === name)
    return from < 0 ? [] : all.slice(from)
  }
}

/** What is wrong with a setting, in Kafka's words; undefined where nothing. */
export function brokerConfigProblem(name: string, text: string): string | undefined {
  const setting = brokerSettingNamed(name)
  if (setting === undefined) return `'${name}' is not a setting that this broker has`
  const parsed = parseConfig(name, text, setting.kind)
  return 'problem' in parsed ? parsed.problem : undefined
}

function fieldsOf(texts: ConfigTexts): Partial<BrokerSettings> {
  const fields: Partial<Record<keyof BrokerSettings, unknown>> = {}
  // The first name counts, so that it comes last.
  for (const [name, { field, factor = 1, kind }] of Object.entries(brokerSettingsByName).reverse()) {
    const text = texts[name]
    const parsed = text === undefined ? undefined : parseConfig(name, text, kind)
    if (parsed === undefined || 'problem' in parsed) continue
    const { value } = parsed
    fields[field] = typeof value === 'number' && value >= 0 ? value * factor : toField(field, value)
  }
  return fields as Partial<BrokerSettings>
}

/** Settings by Kafka's first names for them. */
function textsOf(fields: Partial<BrokerSettings>): ConfigTexts {
  const texts: Record<string, string> = {}
  const seen = new Set<string>()
  for (const [name, { field, factor = 1, kind }] of Object.entries(brokerSettingsByName)) {
    const value = fields[field]
    if (value === undefined || seen.has(field)) continue
    seen.add(field)
    texts[name] = formatConfig(scaled(value, factor), kind)
  }
  return texts
}

const defaultTexts: ConfigTexts = Object.fromEntries(
  Object.entries(brokerSettingsByName)
    .filter(([name]) => synonymsOf(name).at(-1) === name)
    .map(([name, { field, factor = 1, kind }]) => [
      name,
      formatConfig(scaled(defaultBrokerSettings[field], factor), kind),
    ]),
)

function scaled(value: BrokerSettings[keyof BrokerSettings], factor: number): ConfigValue {
  if (typeof value === 'number') return value >= 0 ? value / factor : value
  return typeof value === 'boolean' ? value : fromField(value)
}
