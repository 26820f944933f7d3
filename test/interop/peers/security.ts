import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pem } from '../../env/tls-vectors.ts'
import { root } from '../../source-files.ts'
import { interopDirectory } from '../apache-jars.ts'
import type { OwnBroker } from '../own-broker.ts'
import { answers, runProgram } from '../program.ts'
import { ApacheTools } from './apache-tools.ts'
import { type Check, freshName, linesOf, type Peer, requireMatch, requireSame } from './peer.ts'

/** Apache Kafka's tools and kcat against listeners with certificates, logins, rules and quotas. */

const tools = new ApacheTools('4.1.1')
const directory = join(interopDirectory, 'security')
const authority = join(root, 'test/vectors/tls/authority.pem')
const tlsOf = (listener: string, more: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      'ssl.keystore.location': join(directory, 'server.pem'),
      'ssl.truststore.location': authority,
      ...more,
    }).map(([name, value]) => [`listener.name.${listener}.${name}`, value]),
  )
const plainUsers = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_carol="barley";'

export const security: Peer = {
  name: 'security',
  broker: {
    settings: {
      'group.initial.rebalance.delay.ms': '0',
      ...tlsOf('ssl', { 'ssl.client.auth': 'required', 'ssl.principal.mapping.rules': 'RULE:^CN=([^+,]+).*$/$1/' }),
      ...tlsOf('sasl_ssl'),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'plain.sasl.jaas.config': plainUsers,
      'connections.max.reauth.ms': '5000',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:admin;User:alice',
    },
    words: [
      ...['--listen', 'SSL://127.0.0.1:0', '--listen', 'SASL_SSL://127.0.0.1:0'],
      ...['--add-scram', 'SCRAM-SHA-512=[name=admin,password=secret]'],
    ],
  },
  prepare: async () => {
    const problem = await tools.prepare()
    if (problem !== undefined) return problem
    mkdirSync(directory, { recursive: true })
    for (const name of ['server', 'alice'] as const) {
      writeFileSync(join(directory, `${name}.pem`), pem(`${name}.key`) + pem(`${name}.pem`))
    }
    return undefined
  },
  checks: () => [
    { what: 'a client with a certificate lists and makes topics', run: certificates },
    { what: 'a user with SCRAM makes another, who may do what rules allow, and no more', run: rules },
    { what: 'a consumer logs in again while it reads', run: logsInAgain },
    { what: 'a producer keeps to its quota', run: quotas },
    { what: 'kcat with PLAIN over TLS', run: kcatOverTls } satisfies Check,
  ],
}

/** A file of settings for a client. */
function clientFile(name: string, settings: Readonly<Record<string, string>>): string {
  const all = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': authority, ...settings }
  const path = join(directory, `${name}.properties`)
  writeFileSync(
    path,
    Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  return path
}

function scramFile(user: string, password: string, mechanism: string): string {
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  return clientFile(user, {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${module} required username="${user}" password="${password}";`,
  })
}

const admin = (): string => scramFile('admin', 'secret', 'SCRAM-SHA-512')

function asAdmin(broker: OwnBroker, tool: 'topics' | 'acls' | 'configs', words: readonly string[]): Promise<string> {
  return tools.run(tool, ['--bootstrap-server', broker.addressOf('SASL_SSL'), '--command-config', admin(), ...words])
}

async function makeTopic(broker: OwnBroker): Promise<string> {
  const topic = freshName('secured')
  await asAdmin(broker, 'topics', ['--create', '--topic', topic, '--partitions', '1'])
  return topic
}

async function certificates(broker: OwnBroker): Promise<undefined> {
  const file = clientFile('certificate', {
    'security.protocol': 'SSL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(directory, 'alice.pem'),
  })
  const topic = freshName('certified')
  const at = ['--bootstrap-server', broker.addressOf('SSL'), '--command-config', file]
  await tools.run('topics', [...at, '--create', '--topic', topic])
  requireSame('listed', linesOf(await tools.run('topics', [...at, '--list'])).includes(topic), true)
}

async function rules(broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(broker)
  const credential = 'SCRAM-SHA-256=[iterations=8192,password=bran]'
  await asAdmin(broker, 'configs', [
    '--alter',
    '--entity-type',
    'users',
    '--entity-name',
    'bob',
    '--add-config',
    credential,
  ])
  const bob = scramFile('bob', 'bran', 'SCRAM-SHA-256')
  const at = ['--bootstrap-server', broker.addressOf('SASL_SSL')]
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`)
  const write = (status: number | 'any') =>
    runConsole('console-producer', [...at, '--producer.config', bob, '--topic', topic], `${lines.join('\n')}\n`, status)
  requireMatch('without rules', said(await write('any')), /TopicAuthorizationException|Not authorized to access topics/)
  await asAdmin(broker, 'acls', ['--add', '--allow-principal', 'User:bob', '--producer', '--topic', topic])
  await asAdmin(broker, 'acls', [
    ...['--add', '--allow-principal', 'User:bob', '--consumer', '--topic', topic],
    ...['--group', 'readers-', '--resource-pattern-type', 'prefixed'],
  ])
  await write(0)
  const reading = [...at, '--consumer.config', bob, '--topic', topic, '--from-beginning', '--timeout-ms', '20000']
  const read = await runConsole('console-consumer', [...reading, '--max-messages', '100', '--group', 'readers-1'])
  requireSame('what bob reads', linesOf(read.out), lines)
  const other = await runConsole('console-consumer', [...reading, '--group', 'others'], '', 'any')
  requireMatch('another group', said(other), /GroupAuthorizationException|Not authorized to access group/)
  const listed = await asAdmin(broker, 'acls', ['--list', '--topic', topic])
  requireMatch('listed', listed, /principal=User:bob, host=\*, operation=WRITE, permissionType=ALLOW/)
  const mayNot = await runConsole('acls', [...at, '--command-config', bob, '--list'], '', 'any')
  requireMatch('bob looks at rules', said(mayNot), /Cluster authorization failed/)
  return `${lines.length} lines`
}

async function logsInAgain(broker: OwnBroker): Promise<undefined> {
  const topic = await makeTopic(broker)
  const at = ['--bootstrap-server', broker.addressOf('SASL_SSL')]
  const words = [
    ...at,
    '--consumer.config',
    admin(),
    '--topic',
    topic,
    '--from-beginning',
    '--group',
    freshName('again'),
  ]
  // Twice as long as a login is good for.
  const reading = runConsole('console-consumer', [...words, '--max-messages', '2', '--timeout-ms', '30000'])
  const write = (value: string) =>
    runConsole('console-producer', [...at, '--producer.config', admin(), '--topic', topic], `${value}\n`)
  await write('first')
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  await write('second')
  requireSame('what is read', linesOf((await reading).out), ['first', 'second'])
}

async function quotas(broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(broker)
  const entity = ['--entity-type', 'users', '--entity-name', 'admin']
  await asAdmin(broker, 'configs', ['--alter', ...entity, '--add-config', 'producer_byte_rate=500000'])
  const words = [
    '--topic',
    topic,
    '--num-records',
    '9000',
    '--record-size',
    '1000',
    '--throughput',
    '-1',
    '--print-metrics',
  ]
  const props = ['--producer-props', `bootstrap.servers=${broker.addressOf('SASL_SSL')}`, '--producer.config', admin()]
  const report = await tools.run('producer-perf', [...words, ...props])
  const [, most] = requireMatch('throttled', report, /produce-throttle-time-max:\S*\s*:\s*([\d.]+)/)
  if (!(Number(most) > 0)) throw new Error(`the producer was not throttled:\n${report}`)
  await asAdmin(broker, 'configs', ['--alter', ...entity, '--delete-config', 'producer_byte_rate'])
  return `throttled for ${most} ms at most`
}

async function kcatOverTls(broker: OwnBroker): Promise<string> {
  if (!answers('kcat', ['-V'])) return 'there is no kcat on the path'
  const topic = await makeTopic(broker)
  await asAdmin(broker, 'acls', ['--add', '--allow-principal', 'User:carol', '--operation', 'All', '--topic', topic])
  const login = [
    'security.protocol=sasl_ssl',
    `ssl.ca.location=${authority}`,
    'sasl.mechanism=PLAIN',
    'sasl.username=carol',
  ]
  const words = [
    '-b',
    broker.addressOf('SASL_SSL'),
    ...[...login, 'sasl.password=barley'].flatMap((one) => ['-X', one]),
  ]
  await runProgram('kcat', [...words, '-P', '-t', topic, '-z', 'lz4'], { input: 'one\ntwo\n' })
  const { out } = await runProgram('kcat', [...words, '-C', '-t', topic, '-e', '-q'])
  requireSame('what carol reads', linesOf(out), ['one', 'two'])
  return '2 lines'
}

/** Tools tell of errors on either of their outputs. */
function said({ out, error }: { out: string; error: string }): string {
  return `${out}\n${error}`
}

function runConsole(
  tool: 'console-producer' | 'console-consumer' | 'acls',
  words: readonly string[],
  input = '',
  status: number | 'any' = 0,
): Promise<{ out: string; error: string }> {
  return tools.whole(tool, words, { input, status })
}
