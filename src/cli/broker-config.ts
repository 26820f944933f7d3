import { brokerConfigProblem } from '../broker/config/broker-config.ts'
import { brokerSettingNamed, brokerSettingsByName } from '../broker/config/broker-setting-names.ts'
import { type ConfigKind, int, long, parseConfig } from '../broker/config/config-kind.ts'
import type { ServerLimits } from '../broker/server/server-limits.ts'
import { MillraceError } from '../errors.ts'
import type { AuthorizerOptions } from '../listener-options.ts'
import { authorizerOf, authorizerSettingNames } from './authorizer-config.ts'
import { isListenerSetting, listenerSettingNames } from './listener-config.ts'
import { readProperties } from './properties-file.ts'

/** What Kafka's settings say of each part of a broker. */
export interface BrokerConfigParts {
  readonly broker: Readonly<Record<string, string>>
  readonly listeners: ReadonlyMap<string, string>
  readonly limits: Partial<ServerLimits>
  readonly authorizer: AuthorizerOptions | undefined
}

/** Kafka's names of what a client may take of the broker. */
const limitNames: Readonly<Record<string, readonly [keyof ServerLimits, ConfigKind]>> = {
  'socket.request.max.bytes': ['maxRequestBytes', int(1)],
  'sasl.server.max.receive.size': ['maxLoginBytes', int(1)],
  'connection.failed.authentication.delay.ms': ['failedLoginDelayMs', int(0)],
  'queued.max.request.bytes': ['maxRequestsBytes', long(1)],
  'max.connections': ['maxConnections', int(0)],
  'max.connections.per.ip': ['maxConnectionsPerAddress', int(0)],
  'connections.max.idle.ms': ['maxIdleMs', long()],
}

/** The names of all settings that there are, for whoever asks. */
export const brokerConfigNames: readonly string[] = [
  ...Object.keys(brokerSettingsByName),
  ...Object.keys(limitNames),
  ...listenerSettingNames,
  ...authorizerSettingNames,
].sort()

/**
 * The settings of words that are `name=value` or the name of a file of Java properties; the later of two counts.
 * @throws MillraceError INVALID_ARGUMENT where names are not known, all of which it says, or a value is not allowed
 */
export function brokerConfigOf(words: readonly string[], readFile: (path: string) => string): BrokerConfigParts {
  const stated = new Map<string, string>()
  for (const word of words) {
    const at = word.indexOf('=')
    if (at > 0) stated.set(word.slice(0, at), word.slice(at + 1))
    else for (const [name, value] of readProperties(readFile(word))) stated.set(name, value)
  }
  requireKnown([...stated.keys()])
  const all = [...stated]
  const broker = all.filter(([name]) => brokerSettingNamed(name) !== undefined)
  for (const [name, text] of broker) requireFine(brokerConfigProblem(name, text))
  return {
    broker: Object.fromEntries(broker),
    listeners: new Map(all.filter(([name]) => isListenerSetting(name))),
    limits: limitsOf(stated),
    authorizer: authorizerOf(stated),
  }
}

function limitsOf(stated: ReadonlyMap<string, string>): Partial<ServerLimits> {
  const limits: Partial<Record<keyof ServerLimits, number>> = {}
  for (const [name, [field, kind]] of Object.entries(limitNames)) {
    const text = stated.get(name)
    if (text === undefined) continue
    const parsed = parseConfig(name, text, kind)
    if ('problem' in parsed) throw invalid(parsed.problem)
    // A negative time is none.
    limits[field] = (parsed.value as number) < 0 ? Number.POSITIVE_INFINITY : (parsed.value as number)
  }
  return limits
}

function requireKnown(names: readonly string[]): void {
  const isKnown = (name: string): boolean =>
    brokerSettingNamed(name) !== undefined ||
    Object.hasOwn(limitNames, name) ||
    isListenerSetting(name) ||
    authorizerSettingNames.includes(name)
  const unknown = names.filter((name) => !isKnown(name))
  if (unknown.length === 0) return
  const what =
    unknown.length === 1
      ? `'${unknown[0]}' is not a setting of this broker`
      : `These are not settings of this broker: ${unknown.map((name) => `'${name}'`).join(', ')}`
  throw new MillraceError('INVALID_ARGUMENT', what, {
    remedy: `Take them away, whether Kafka has them or not. There are: ${brokerConfigNames.join(', ')}.`,
  })
}

function requireFine(problem: string | undefined): void {
  if (problem !== undefined) throw invalid(problem)
}

function invalid(problem: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', problem, { remedy: "Give a value as Kafka's documentation has it." })
}
