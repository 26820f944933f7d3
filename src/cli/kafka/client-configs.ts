import { alterClientQuotas } from '../../broker/protocol/messages/alter-client-quotas.ts'
import { alterUserScramCredentials } from '../../broker/protocol/messages/alter-user-scram-credentials.ts'
import { describeClientQuotas } from '../../broker/protocol/messages/describe-client-quotas.ts'
import { describeUserScramCredentials } from '../../broker/protocol/messages/describe-user-scram-credentials.ts'
import { drawBytes } from '../../broker/security/login-methods.ts'
import {
  isScram,
  maxIterations,
  minIterations,
  type ScramMechanism,
  saltedPassword,
  scramMechanisms,
} from '../../broker/security/scram.ts'
import { scramTypeOf } from '../../broker/security/scram-credentials.ts'
import type { Random } from '../../env/environment.ts'
import { invalid } from './client-options.ts'
import type { Changes, Entity, Say } from './config-entity.ts'
import { requireGranted, type WireCluster } from './wire-cluster.ts'

/** Quotas of users and clients, and credentials of users: neither is a setting in the protocol. */

const saltBytes = 24
const matchExactly = 0
const matchDefault = 1
const matchAny = 2
const titles: Readonly<Record<string, string>> = { user: 'user-principal', 'client-id': 'client-id' }

export async function describeClients(wire: WireCluster, entities: readonly Entity[], say: Say): Promise<void> {
  const components = entities.map(({ type, name }) => ({
    entityType: quotaType(type),
    matchType: name === undefined ? matchAny : name === null ? matchDefault : matchExactly,
    match: name ?? null,
  }))
  const { errorCode, errorMessage, entries } = await wire.ask(describeClientQuotas, 0, { components, strict: true })
  requireGranted(errorCode, errorMessage)
  for (const { entity, values } of entries ?? []) {
    const whose = entity.map(({ entityType, entityName }) =>
      entityName === null ? `the default ${titles[entityType]}` : `${titles[entityType]} '${entityName}'`,
    )
    const quotas = values.map(({ key, value }) => `${key}=${Number.isInteger(value) ? `${value}.0` : value}`)
    say(`Quota configs for ${whose.join(', ')} are ${quotas.sort().join(', ')}\n`)
  }
  const [only, another] = entities
  if (another === undefined && only?.type === 'users' && only.name !== null) await describeCredentials(wire, only, say)
}

async function describeCredentials(wire: WireCluster, { name }: Entity, say: Say): Promise<void> {
  const users = typeof name === 'string' ? [{ name }] : null
  const { errorCode, errorMessage, results } = await wire.ask(describeUserScramCredentials, 0, { users })
  requireGranted(errorCode, errorMessage)
  for (const { user, credentialInfos } of results) {
    const shown = credentialInfos.map(
      ({ mechanism, iterations }) =>
        `${scramMechanisms.find((one) => scramTypeOf(one) === mechanism)}=iterations=${iterations}`,
    )
    if (shown.length > 0) say(`SCRAM credential configs for user-principal '${user}' are ${shown.sort().join(', ')}\n`)
  }
}

/** @throws MillraceError INVALID_ARGUMENT where a value cannot be read, or credentials are not of one user */
export async function alterClients(
  wire: WireCluster,
  entities: readonly Entity[],
  { set, unset }: Changes,
  random: Random,
): Promise<void> {
  const quotas = [
    ...unset.filter((name) => !isScram(name)).map((key) => ({ key, value: 0, remove: true })),
    ...[...set]
      .filter(([name]) => !isScram(name))
      .map(([key, text]) => ({ key, value: quotaOf(key, text), remove: false })),
  ]
  const deletions = unset.filter((name) => isScram(name))
  const credentials = [...set].filter(([name]) => isScram(name)) as [ScramMechanism, string][]
  const user = userOf(entities, deletions.length + credentials.length > 0)
  if (user !== undefined) {
    const upsertions = credentials.map(([mechanism, text]) => newCredential(user, mechanism, text, random))
    // A user is altered once in a request.
    for (const mechanism of deletions) {
      const deletion = { name: user, mechanism: scramTypeOf(mechanism as ScramMechanism) }
      await alterCredentials(wire, { deletions: [deletion], upsertions: [] })
    }
    for (const upsertion of upsertions) await alterCredentials(wire, { deletions: [], upsertions: [upsertion] })
  }
  if (quotas.length === 0) return
  const entity = entities.map(({ type, name }) => ({ entityType: quotaType(type), entityName: name ?? null }))
  const { entries } = await wire.ask(alterClientQuotas, 0, { entries: [{ entity, ops: quotas }], validateOnly: false })
  for (const { errorCode, errorMessage } of entries) requireGranted(errorCode, errorMessage)
}

async function alterCredentials(
  wire: WireCluster,
  request: Parameters<typeof wire.ask<typeof alterUserScramCredentials>>[2],
): Promise<void> {
  const { results } = await wire.ask(alterUserScramCredentials, 0, request)
  for (const { errorCode, errorMessage } of results) requireGranted(errorCode, errorMessage)
}

function userOf(entities: readonly Entity[], isNeeded: boolean): string | undefined {
  if (!isNeeded) return undefined
  const [only, another] = entities
  if (only?.type === 'users' && typeof only.name === 'string' && another === undefined) return only.name
  throw invalid('A credential is of one user', 'Say --entity-type users --entity-name NAME.')
}

/** The password itself is not sent: `[iterations=8192,]password=secret`. */
function newCredential(name: string, mechanism: ScramMechanism, text: string, random: Random) {
  const [, count, password] = /^(?:iterations=(\d{1,9}),)?password=(.+)$/s.exec(text) ?? []
  const iterations = Number(count ?? minIterations)
  if (password === undefined || iterations < minIterations || iterations > maxIterations) {
    const remedy = `Write it as '${mechanism}=[iterations=8192,password=secret]', with ${minIterations} to ${maxIterations} iterations.`
    throw invalid(`The credential of ${mechanism} cannot be read`, remedy)
  }
  const salt = drawBytes(random, saltBytes)
  const salted = saltedPassword(mechanism, password, salt, iterations)
  return { name, mechanism: scramTypeOf(mechanism), iterations, salt, saltedPassword: salted }
}

function quotaOf(key: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw invalid(`'${text}' is not a value of ${key}`, 'Write a number.')
}

function quotaType(type: string): string {
  return type === 'users' ? 'user' : 'client-id'
}
