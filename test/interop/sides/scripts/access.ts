import type { WriteOf } from '../../../../src/broker/protocol/field.ts'
import { alterClientQuotas } from '../../../../src/broker/protocol/messages/alter-client-quotas.ts'
import { alterUserScramCredentials } from '../../../../src/broker/protocol/messages/alter-user-scram-credentials.ts'
import { createAcls } from '../../../../src/broker/protocol/messages/create-acls.ts'
import { deleteAcls } from '../../../../src/broker/protocol/messages/delete-acls.ts'
import { describeAcls } from '../../../../src/broker/protocol/messages/describe-acls.ts'
import { describeClientQuotas } from '../../../../src/broker/protocol/messages/describe-client-quotas.ts'
import { describeUserScramCredentials } from '../../../../src/broker/protocol/messages/describe-user-scram-credentials.ts'
import { saslAuthenticate } from '../../../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../../../src/broker/protocol/messages/sasl-handshake.ts'
import type { Script } from '../script.ts'
import type { Side } from '../side.ts'

/** Rules of access where there is no authorizer, passwords, quotas, and logins where none are asked for. */
export const access: Script = {
  name: 'access',
  run: async (side) => {
    await keepRules(side)
    await keepPasswords(side)
    await keepQuotas(side)
    await side.ask('a login where there is none', saslHandshake, 1, { mechanism: 'PLAIN' })
    await side.ask('a password where there is none', saslAuthenticate, 2, { authBytes: Buffer.from('\\0a\\0b') })
  },
}

async function keepRules(side: Side): Promise<void> {
  const filter = {
    ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null },
    ...{ hostFilter: null, operation: 1, permissionType: 1 },
  }
  const rule = { resourceType: 2, resourceName: 'set', principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
  for (const version of [1, 2, 3]) {
    await side.ask('rules', describeAcls, version, filter)
    await side.ask('a rule', createAcls, version, { creations: [{ ...rule, resourcePatternType: 3 }] })
    await side.ask('no rules', deleteAcls, version, { filters: [filter] })
  }
}

const [sha256, sha512] = [1, 2]

async function keepPasswords(side: Side): Promise<void> {
  const salt = Buffer.from('salt')
  const put = (name: string, mechanism: number, iterations: number) => ({
    deletions: [],
    upsertions: [
      { name, mechanism, iterations, salt, saltedPassword: Buffer.alloc(mechanism === sha512 ? 64 : 32, 7) },
    ],
  })
  const drop = (name: string, mechanism: number) => ({ deletions: [{ name, mechanism }], upsertions: [] })
  await side.ask('a user that there is not', describeUserScramCredentials, 0, { users: [{ name: 'nobody' }] })
  await side.ask('all users', describeUserScramCredentials, 0, { users: null })
  const ask = (label: string, body: WriteOf<typeof alterUserScramCredentials.request>) =>
    side.ask(label, alterUserScramCredentials, 0, body)
  await ask('too few iterations', put('alice', sha256, 10))
  await ask('too many', put('alice', sha256, 100_000))
  await ask('without a name', put('', sha256, 4_096))
  await ask('by a mechanism that there is not', put('alice', 9, 4_096))
  await ask('one', put('alice', sha256, 4_096))
  await ask('the other', put('alice', sha512, 8_192))
  const both = { ...put('alice', sha256, 4_096), ...{ deletions: [{ name: 'alice', mechanism: sha256 }] } }
  await ask('put and dropped in one', both)
  const told = ({ results: [one] }: { results: readonly { credentialInfos: readonly unknown[] }[] }) =>
    one?.credentialInfos.length === 2
  await side.until(describeUserScramCredentials, 0, { users: [{ name: 'alice' }] }, told)
  await side.ask('hers', describeUserScramCredentials, 0, { users: [{ name: 'alice' }] })
  await side.ask('hers twice', describeUserScramCredentials, 0, { users: [{ name: 'alice' }, { name: 'alice' }] })
  await ask('dropped', drop('alice', sha256))
  await ask('dropped again', drop('alice', sha256))
  await ask('of nobody', drop('nobody', sha256))
}

async function keepQuotas(side: Side): Promise<void> {
  const user = [{ entityType: 'user', entityName: 'alice' }]
  const put = (
    entity: { entityType: string; entityName: string | null }[],
    key: string,
    value: number,
    remove = false,
  ) => ({
    entries: [{ entity, ops: [{ key, value, remove }] }],
    validateOnly: false,
  })
  const ask = (label: string, body: ReturnType<typeof put>) => side.ask(label, alterClientQuotas, 1, body)
  await ask('of a user', put(user, 'producer_byte_rate', 1_000))
  await ask('of all users', put([{ entityType: 'user', entityName: null }], 'consumer_byte_rate', 2_000))
  await ask(
    'of a client of a user',
    put([...user, { entityType: 'client-id', entityName: 'c' }], 'request_percentage', 50),
  )
  await ask('that there is not', put(user, 'nonsense', 1))
  await ask('of something else', put([{ entityType: 'nonsense', entityName: 'a' }], 'producer_byte_rate', 1))
  await ask('of nothing', put([], 'producer_byte_rate', 1))
  await ask('below nothing', put(user, 'producer_byte_rate', -1))
  await ask('only validated', { ...put(user, 'consumer_byte_rate', 1), validateOnly: true })
  const all = { components: [], strict: false }
  await side.until(describeClientQuotas, 1, all, ({ entries }) => entries?.length === 3)
  for (const version of [0, 1]) await side.ask('all', describeClientQuotas, version, all)
  const exact = { components: [{ entityType: 'user', matchType: 0, match: 'alice' }], strict: false }
  await side.ask('of the user', describeClientQuotas, 1, exact)
  await side.ask('of the user alone', describeClientQuotas, 1, { ...exact, strict: true })
  await side.ask('of users by default', describeClientQuotas, 1, {
    components: [{ entityType: 'user', matchType: 1, match: null }],
    strict: false,
  })
  await side.ask('of any user', describeClientQuotas, 1, {
    components: [{ entityType: 'user', matchType: 2, match: null }],
    strict: false,
  })
  await side.ask('of things that there are not', describeClientQuotas, 1, {
    components: [{ entityType: 'nonsense', matchType: 2, match: null }],
    strict: false,
  })
  await ask('taken back', put(user, 'producer_byte_rate', 0, true))
}
