import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consumerGroupHeartbeat } from '../../../src/broker/protocol/messages/consumer-group-heartbeat.ts'
import { WireCluster } from '../../../src/cli/kafka/wire-cluster.ts'
import { nodeEnvironment } from '../../../src/env/node.ts'
import { ProtocolClient } from '../../broker/server/protocol-client.ts'
import { clientIdentity, serverTls } from '../../env/tls-vectors.ts'
import { root } from '../../source-files.ts'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
beforeEach(async () => {
  commands = await CalledCommands.open()
})
afterEach(() => commands.close())

const groups = (...words: string[]) => commands.done(['groups', ...words])
/** Cells of a table, without how wide they are. */
const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split(/ +/))

/** A group that has read three of five records. */
async function readSome(topic = 't', group = 'g'): Promise<void> {
  await commands.done(['produce', '--topic', topic], ['0\n1\n2\n3\n4\n'])
  await commands.done(['consume', '--topic', topic, '--group', group, '--from-beginning', '--max-messages', '3'])
}

async function positionOf(group: string): Promise<string[][]> {
  const [, ...found] = rows(await groups('--describe', '--group', group))
  return found.map(([, topic = '', partition = '', offset = '', end = '', lag = '']) => [
    topic,
    partition,
    offset,
    end,
    lag,
  ])
}

describe('millrace groups', () => {
  it('lists and describes groups, in the words of kafka-consumer-groups.sh', async () => {
    await readSome()
    expect(await groups('--list')).toBe('g\n')
    expect(rows(await groups('--list', '--state'))).toEqual([
      ['GROUP', 'STATE'],
      ['g', 'Empty'],
    ])
    const { out, error } = await commands.call(['groups', '--describe', '--group', 'g'])
    expect(error).toBe("Consumer group 'g' has no active members.\n")
    expect(rows(out)).toEqual([
      ['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID'],
      ['g', 't', '0', '3', '5', '2', '-', '-', '-'],
    ])
    const { host, port } = commands.address
    const [header, state] = (await groups('--describe', '--all-groups', '--state')).trim().split('\n')
    expect(header).toMatch(/^GROUP COORDINATOR \(ID\) +ASSIGNMENT-STRATEGY STATE +#MEMBERS$/)
    expect(state?.split(/ +/)).toEqual(['g', `${host}:${port}`, '(1)', '-', 'Empty', '0'])
    expect(rows(await groups('--list', '--state', 'empty,Dead'))).toHaveLength(2)
    expect(rows(await groups('--list', '--state', 'Stable'))).toEqual([['GROUP', 'STATE']])
  })

  it('shows who is in a group, and with which partitions', async () => {
    await commands.done(['produce', '--topic', 't'], ['0\n'])
    let seen: string[] = []
    const reading = commands.call(['consume', '--topic', 't', '--group', 'g', '--from-beginning'], (host) => {
      host.print = async () => {
        seen = [
          await groups('--describe', '--group', 'g', '--members', '--verbose'),
          await groups('--describe', '--group', 'g'),
        ]
        return false
      }
    })
    await reading
    const [members = '', offsets = ''] = seen
    expect(rows(members)).toEqual([
      ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS', 'ASSIGNMENT'],
      ['g', expect.stringMatching(/^millrace-cli-/), expect.any(String), 'millrace-cli', '1', 't(0)'],
    ])
    expect(rows(offsets)[1]).toEqual(['g', 't', '0', '-', '1', '-', ...(rows(members)[1] as string[]).slice(1, 4)])
  })

  it.each([
    [['--to-earliest'], '0'],
    [['--to-latest'], '5'],
    [['--to-current'], '3'],
    [['--to-offset', '1'], '1'],
    [['--to-offset', '100'], '5'],
    [['--shift-by', '-1'], '2'],
    [['--shift-by', '1'], '4'],
    [['--shift-by', '-100'], '0'],
    [['--by-duration', 'P1DT2H3M4.5S'], '0'],
    [['--by-duration', 'PT0S'], '5'],
    [['--to-datetime', '2020-01-01T00:00:00.000'], '0'],
    [['--to-datetime', '2200-01-01T00:00:00+01:00'], '5'],
  ])('moves a group %j', async (words, offset) => {
    await readSome()
    const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', ...words]
    const shown = [
      ['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'],
      ['g', 't', '0', offset],
    ]
    expect(rows(await groups(...reset, '--dry-run'))).toEqual(shown)
    expect(await positionOf('g')).toEqual([['t', '0', '3', '5', '2']])
    expect(rows(await groups(...reset, '--execute'))).toEqual(shown)
    expect(await positionOf('g')).toEqual([['t', '0', offset, '5', String(5 - Number(offset))]])
  })

  it('moves all topics of a group, or some partitions of one', async () => {
    await readSome('t')
    await readSome('u')
    await groups('--reset-offsets', '--group', 'g', '--all-topics', '--to-latest', '--execute')
    const at = (topic: string, offset: number) => [topic, '0', String(offset), '5', String(5 - offset)]
    expect(await positionOf('g')).toEqual([at('t', 5), at('u', 5)])
    await groups('--reset-offsets', '--group', 'g', '--topic', 'u:0', '--to-earliest', '--execute')
    expect(await positionOf('g')).toEqual([at('t', 5), at('u', 0)])
    const missing = ['groups', '--reset-offsets', '--group', 'g', '--topic', 'u:0,7', '--to-earliest', '--execute']
    expect(await commands.call(missing)).toMatchObject({
      code: 1,
      error: expect.stringContaining('(topic u, partition 7)'),
    })
  })

  it('exports where groups are to go on, and moves them as a file says', async () => {
    await readSome('t', 'g')
    await readSome('t', 'h')
    const folder = mkdtempSync(join(tmpdir(), 'millrace-plan-'))
    const file = join(folder, 'plan.csv')
    try {
      const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-earliest']
      expect(await groups(...reset, '--export')).toBe('t,0,0\n')
      const both = await groups(...reset, '--group', 'h', '--export', '--dry-run')
      expect(both).toBe('g,t,0,0\nh,t,0,0\n')
      expect(await positionOf('g')).toEqual([['t', '0', '3', '10', '7']])
      writeFileSync(file, both.replace('h,t,0,0', '"h","t",0,4'))
      await groups('--reset-offsets', '--all-groups', '--from-file', file, '--execute')
      expect([await positionOf('g'), await positionOf('h')]).toEqual([
        [['t', '0', '0', '10', '10']],
        [['t', '0', '4', '10', '6']],
      ])
      writeFileSync(file, 't,0,2\n')
      await groups('--reset-offsets', '--group', 'g', '--from-file', file, '--execute')
      expect(await positionOf('g')).toEqual([['t', '0', '2', '10', '8']])
      const words = (...more: string[]) => commands.call(['groups', '--reset-offsets', '--from-file', file, ...more])
      expect(await words('--all-groups')).toMatchObject({ code: 2, error: expect.stringContaining('is not a line of') })
      writeFileSync(file, 'other,t,0,2\n')
      expect(await words('--group', 'g')).toMatchObject({
        code: 2,
        error: expect.stringContaining("moves 'other' too"),
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('deletes offsets of a topic, or of some of its partitions', async () => {
    await commands.done(['topics', '--create', '--topic', 'u', '--partitions', '2'])
    await readSome('t')
    await readSome('u')
    const deletion = ['--delete-offsets', '--group', 'g']
    expect(rows(await groups(...deletion, '--topic', 'u'))).toEqual([
      ['TOPIC', 'PARTITION', 'STATUS'],
      ['u', '0', 'Successful'],
      ['u', '1', 'Successful'],
    ])
    expect(await positionOf('g')).toEqual([['t', '0', '3', '5', '2']])
    const unknown = await commands.call(['groups', ...deletion, '--topic', 't:0,7'])
    expect(rows(unknown.out).slice(1)).toEqual([
      ['t', '0', 'Successful'],
      ['t', '7', 'Error:', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    expect(unknown).toMatchObject({ code: 1, error: expect.stringContaining('Not all of these offsets') })
    const other = await commands.call(['groups', '--delete-offsets', '--group', 'other', '--topic', 't'])
    expect(other).toMatchObject({ code: 1, error: expect.stringContaining('group id not found') })
    expect(await commands.call(['groups', ...deletion])).toMatchObject({ code: 2 })
  })

  it('sees, moves and does not move groups of the consumer protocol (KIP-848)', async () => {
    await commands.done(['produce', '--topic', 't'], ['0\n1\n'])
    const client = await ProtocolClient.connect(nodeEnvironment().network, commands.address)
    const beat = (memberEpoch: number) =>
      client.request(consumerGroupHeartbeat, 1, {
        ...{ groupId: 'g', memberId: 'a', memberEpoch, instanceId: null, rackId: null, rebalanceTimeoutMs: 60_000 },
        ...{ subscribedTopicNames: ['t'], subscribedTopicRegex: null, serverAssignor: null, topicPartitions: [] },
      })
    try {
      await beat(0)
      const [, member] = rows(await groups('--describe', '--group', 'g', '--members', '--verbose'))
      expect(member).toEqual(['g', 'a', expect.any(String), 'test', '1', 't(0)'])
      expect(rows(await groups('--list', '--state'))[1]).toEqual(['g', 'Stable'])
      expect(rows(await groups('--list', '--type'))).toEqual([
        ['GROUP', 'TYPE'],
        ['g', 'Consumer'],
      ])
      expect(rows(await groups('--list', '--type', 'classic', '--state'))).toEqual([['GROUP', 'TYPE', 'STATE']])
      expect((await groups('--describe', '--group', 'g', '--state')).trim()).toMatch(/ uniform +Stable +1$/)
      expect(rows(await groups('--describe', '--group', 'g'))[1]).toEqual([
        'g',
        't',
        '0',
        '-',
        '2',
        '-',
        'a',
        ...(member?.slice(2, 4) ?? []),
      ])
      const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--execute']
      const refused = { code: 1, error: expect.stringMatching(/is Stable: it has members. Stop its members/) }
      expect(await commands.call(['groups', ...reset])).toMatchObject(refused)
      await beat(-1)
      await groups(...reset)
      expect(await positionOf('g')).toEqual([['t', '0', '2', '2', '0']])
    } finally {
      client.connection.end()
    }
  })

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('logs in by %s over TLS wherever it asks', async (mechanism) => {
    await commands.close()
    const sasl = { mechanisms: [mechanism], ...(mechanism === 'PLAIN' && { plain: { alice: 'flour' } }) }
    const users = mechanism === 'PLAIN' ? [] : [`${mechanism}=[name=alice,password=flour]`]
    commands = await CalledCommands.open(
      { host: 'localhost', protocol: 'SASL_SSL', tls: serverTls, sasl } as never,
      users,
    )
    const folder = mkdtempSync(join(tmpdir(), 'millrace-client-'))
    const login = async (password: string) => {
      const file = join(folder, 'client.properties')
      const jaas = `org.apache.kafka.LoginModule required username="alice" password="${password}";`
      const trust = `ssl.truststore.location=${join(root, 'test/vectors/tls/authority.pem')}`
      writeFileSync(
        file,
        ['security.protocol=SASL_SSL', trust, `sasl.mechanism=${mechanism}`, `sasl.jaas.config=${jaas}`].join('\n'),
      )
      return ['--command-config', file]
    }
    try {
      const good = await login('flour')
      await commands.done(['topics', '--create', '--topic', 't', ...good])
      await groups('--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--execute', ...good)
      await groups('--delete-offsets', '--group', 'g', '--topic', 't', ...good)
      const wire = new WireCluster(nodeEnvironment(), {
        bootstrapServer: commands.bootstrap[1] as string,
        commandConfig: (await login('bran'))[1] as string,
      })
      await expect(wire.coordinatorOf('g')).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('shows a certificate whose key is encrypted wherever it asks', async () => {
    await commands.close()
    const tls = { ...serverTls, clientCertificates: 'required' as const }
    commands = await CalledCommands.open({ host: 'localhost', protocol: 'SSL', tls })
    const folder = mkdtempSync(join(tmpdir(), 'millrace-client-'))
    const keystore = join(folder, 'alice.pem')
    const file = join(folder, 'client.properties')
    const { certificate, key } = clientIdentity('alice')
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'flour' } as const
    const withPassword = (password: string) => {
      const trust = `ssl.truststore.location=${join(root, 'test/vectors/tls/authority.pem')}`
      const own = [`ssl.keystore.location=${keystore}`, `ssl.key.password=${password}`]
      writeFileSync(file, ['security.protocol=SSL', trust, ...own].join('\n'))
      return new WireCluster(nodeEnvironment(), {
        bootstrapServer: commands.bootstrap[1] as string,
        commandConfig: file,
      })
    }
    try {
      writeFileSync(keystore, `${createPrivateKey(key).export(cipher)}${certificate}`)
      expect(await withPassword('flour').brokerIds()).toEqual([1])
      await expect(withPassword('bran').brokerIds()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says that it changes nothing where it is not told to', async () => {
    await readSome()
    const { error } = await commands.call(['groups', '--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest'])
    expect(error).toBe('Nothing is changed: --execute does what is shown here.\n')
    const nowhere = ['groups', '--reset-offsets', '--group', 'other', '--topic', 't', '--shift-by', '1']
    expect(await commands.call(nowhere)).toMatchObject({
      code: 1,
      error: expect.stringContaining('no offset to shift'),
    })
  })

  it('deletes groups that have no members', async () => {
    await readSome()
    expect(await groups('--delete', '--group', 'g')).toBe(
      "Deletion of requested consumer groups ('g') was successful.\n",
    )
    expect(await groups('--list')).toBe('')
    const again = await commands.call(['groups', '--delete', '--group', 'g'])
    expect(again).toMatchObject({ code: 1, error: expect.stringContaining('The group id was not found') })
    const described = await commands.call(['groups', '--describe', '--group', 'g'])
    expect(described).toMatchObject({ code: 1, error: expect.stringContaining("Consumer group 'g' does not exist") })
  })

  it('says which of several groups were deleted, and which were not', async () => {
    await readSome()
    const { code, out, error } = await commands.call(['groups', '--delete', '--group', 'no', '--group', 'g'])
    expect([code, out]).toEqual([1, "These consumer groups were deleted successfully: 'g'\n"])
    expect(error).toContain("Group 'no' was not deleted: The cluster answers: The group id was not found")
    expect(await groups('--list')).toBe('')
  })

  it('does not move or delete a group that reads', async () => {
    await commands.done(['produce', '--topic', 't'], ['0\n'])
    const refusals: { code: number | undefined; error: string }[] = []
    await commands.call(['consume', '--topic', 't', '--group', 'g', '--from-beginning'], (host) => {
      host.print = async () => {
        const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--execute']
        refusals.push(
          await commands.call(['groups', ...reset]),
          await commands.call(['groups', '--delete', '--group', 'g']),
        )
        return false
      }
    })
    expect(refusals).toMatchObject([
      { code: 1, error: expect.stringMatching(/Stop its members first/) },
      { code: 1, error: expect.stringMatching(/not empty.*Stop its members first/) },
    ])
  })

  it.each([
    [[], 'One thing is done at a time'],
    [['--describe'], 'No group is named'],
    [['--reset-offsets', '--group', 'g', '--topic', 't'], 'No place is named'],
    [
      ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--to-earliest'],
      'More than one place is named',
    ],
    [['--reset-offsets', '--group', 'g', '--to-latest'], 'No topic is named'],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--by-duration', 'P1Y'], "'P1Y' is not a duration"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--by-duration', 'PT'], "'PT' is not a duration"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--to-datetime', 'noon'], "'noon' is not a time"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--to-offset', '-1'], "'-1' is not a value of --to-offset"],
  ])('%j is refused with 2', async (words, why) => {
    const { code, error } = await commands.call(['groups', ...words])
    expect({ code, error }).toEqual({ code: 2, error: expect.stringContaining(why) })
  })
})
