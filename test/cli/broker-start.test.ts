import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiVersions } from '../../src/broker/protocol/messages/api-versions.ts'
import { createTopics } from '../../src/broker/protocol/messages/create-topics.ts'
import { listOffsets } from '../../src/broker/protocol/messages/list-offsets.ts'
import { metadata } from '../../src/broker/protocol/messages/metadata.ts'
import { produce } from '../../src/broker/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../src/broker/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/broker/protocol/messages/sasl-handshake.ts'
import { runCommand } from '../../src/cli/command.ts'
import { nodeEnvironment } from '../../src/env/node.ts'
import { virtualEnvironment } from '../../src/env/virtual-environment.ts'
import { batchOf } from '../broker/records.ts'
import { ScramClient } from '../broker/security/scram-client.ts'
import { ProtocolClient } from '../broker/server/protocol-client.ts'
import { pem } from '../env/tls-vectors.ts'
import { root } from '../source-files.ts'

let directory = ''
const started: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
})
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Started {
  readonly port: number
  /** What it said when it was ready. */
  readonly line: string
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; out: string }>
}

function start(...more: string[]): Promise<Started> {
  const words = ['broker', 'start', '--data', join(directory, 'data'), '--listen', '127.0.0.1:0', ...more]
  const child = spawn(process.execPath, ['--conditions=@millrace/source', join(root, 'src/cli/main.ts'), ...words])
  started.push(child)
  let out = ''
  const ended = new Promise<{ code: number | null; out: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out }))
  })
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (bytes) => {
      out += bytes
      const ready = /^ready: 127\.0\.0\.1:(\d+),.*$/m.exec(out)
      if (ready !== null) resolve({ port: Number(ready[1]), line: ready[0], child, ended })
    })
    void ended.then(({ code }) => reject(new Error(`it ended with ${code} before it was ready: ${out}`)))
  })
}

/** Resolves when the process has written what matches to standard error. */
function complained(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = ''
  return new Promise((resolve) => {
    child.stderr?.on('data', (bytes) => {
      text += bytes
      if (pattern.test(text)) resolve()
    })
  })
}

describe('millrace broker start', () => {
  it('serves clients, closes on SIGTERM, and has everything again when it is started again', async () => {
    const settings = join(directory, 'server.properties')
    writeFileSync(settings, '# as in a file of Kafka\nnum.partitions=3\nlog.retention.hours=48\n')
    const first = await start('--config', settings)
    const { network } = nodeEnvironment()
    const client = await ProtocolClient.connect(network, { host: '127.0.0.1', port: first.port })
    expect((await client.request(apiVersions, 0, {})).errorCode).toBe(0)
    const topic = { name: 'orders', numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const made = await client.request(createTopics, 5, { topics: [topic] })
    expect(made.topics).toMatchObject([{ name: 'orders', errorCode: 0, numPartitions: 3 }])
    const topicData = [{ name: 'orders', partitionData: [{ index: 2, records: batchOf('a', 'b') }] }]
    await client.request(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData })
    first.child.kill('SIGTERM')
    expect(await first.ended).toMatchObject({ code: 0, out: expect.stringMatching(/closed\n$/) })
    await client.closed

    const second = await start()
    const again = await ProtocolClient.connect(network, { host: '127.0.0.1', port: second.port })
    const { topics } = await again.request(metadata, 9, { topics: null })
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['orders', 3]])
    const latest = [{ name: 'orders', partitions: [{ partitionIndex: 2, timestamp: -1 }] }]
    const found = await again.request(listOffsets, 5, { replicaId: -1, topics: latest })
    expect(found.topics[0]?.partitions[0]?.offset).toBe(2)
    again.connection.destroy()
    second.child.kill('SIGINT')
    expect((await second.ended).code).toBe(0)
  })
})

describe('millrace broker start over TLS', () => {
  it('serves each listener in its own way, and takes a renewed certificate at SIGHUP', async () => {
    const keystore = join(directory, 'keystore.pem')
    writeFileSync(keystore, pem('server.key') + pem('server.pem'))
    const over = ['--listen', 'SSL://127.0.0.1:0', '--config', `ssl.keystore.location=${keystore}`]
    const { line, child, ended } = await start(...over)
    const port = Number(/SSL:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1])
    const { network } = nodeEnvironment()
    const connect = () => ProtocolClient.connect(network, { host: '127.0.0.1', port }, { ca: pem('authority.pem') })
    const client = await connect()
    expect((await client.request(apiVersions, 0, {})).errorCode).toBe(0)
    expect(client.connection.peerName).toBe('CN=localhost,O=Mill')

    writeFileSync(keystore, pem('renewed.key') + pem('renewed.pem'))
    const renewed = complained(child, /certificates were read again/)
    child.kill('SIGHUP')
    await renewed
    const after = await connect()
    expect(after.connection.peerName).toBe('CN=localhost renewed,O=Mill')

    writeFileSync(keystore, 'nothing')
    const kept = complained(child, /certificates stay as they were: .*no private key|no certificate/)
    child.kill('SIGHUP')
    await kept
    expect((await connect()).connection.peerName).toBe('CN=localhost renewed,O=Mill')
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })
})

describe('millrace broker start with logins and rules', () => {
  it('has users from the start, lets nobody else in, and lets them do what they may', async () => {
    const words = [
      ...['--listen', 'SASL_PLAINTEXT://127.0.0.1:0', '--add-scram', 'SCRAM-SHA-256=[name=admin,password=canary-1]'],
      ...['--add-scram', 'SCRAM-SHA-256=[name=alice,password=canary-2]'],
      ...['--config', 'sasl.enabled.mechanisms=SCRAM-SHA-256', '--config', 'super.users=User:admin'],
      ...['--config', 'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer'],
    ]
    const { line, child, ended } = await start(...words)
    let complaints = ''
    child.stderr?.on('data', (bytes) => {
      complaints += bytes
    })
    const port = Number(/SASL_PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1])
    const login = async (user: string, password: string): Promise<ProtocolClient | undefined> => {
      const client = await ProtocolClient.connect(nodeEnvironment().network, { host: '127.0.0.1', port })
      const scram = new ScramClient('SCRAM-SHA-256', user, password)
      await client.request(saslHandshake, 1, { mechanism: 'SCRAM-SHA-256' })
      const first = await client.request(saslAuthenticate, 2, { authBytes: scram.first() })
      const last = await client.request(saslAuthenticate, 2, { authBytes: scram.last(first.authBytes.toString()) })
      return last.errorCode === 0 ? client : undefined
    }
    const topics = [{ name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const make = async (client: ProtocolClient | undefined) =>
      (await client?.request(createTopics, 5, { topics }))?.topics[0]?.errorCode
    expect(await make(await login('alice', 'canary-2'))).toBe(29)
    expect(await make(await login('admin', 'canary-1'))).toBe(0)
    expect(await login('admin', 'canary-2')).toBeUndefined()
    child.kill('SIGTERM')
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(complaints).toContain('has failed to log in')
    expect(out + complaints).not.toContain('canary')
  })
})

describe('the words of the command', () => {
  async function say(...words: string[]): Promise<{ code: number | undefined; out: string; error: string }> {
    const environment = virtualEnvironment({ seed: 1 })
    await runCommand(environment, words)
    const { exitCode, written } = environment.host
    return { code: exitCode, ...written }
  }

  it('are explained', async () => {
    const { code, out } = await say('broker', 'start', '--help')
    expect(code).toBe(0)
    for (const option of [
      '--data <dir>',
      '--listen <listener>',
      '--advertise <listener>',
      '--flush <when>',
      '--config <file|name=value>',
    ]) {
      expect(out).toContain(option)
    }
  })

  it('have the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(await say('--version')).toEqual({ code: 0, out: `${version}\n`, error: '' })
  })

  it.each([
    [['broker', 'start'], "required option '--data <dir>' not specified"],
    [['brokre'], "unknown command 'brokre'"],
    [['broker', 'start', '--data', 'd', '--listen', 'nowhere'], "'nowhere' is not HOST:PORT"],
    [['broker', 'start', '--data', 'd', '--flush', 'never'], "'never' is not a way to flush"],
    [['broker', 'start', '--data', 'd', '--config', 'num.partitons=3'], "'num.partitons' is not a setting"],
    [['broker', 'start', '--data', 'd', '--config', 'server.properties'], 'The file cannot be read'],
    [
      ['broker', 'start', '--data', 'd', '--config', 'num.partitions=many'],
      'Invalid value many for configuration num.partitions',
    ],
  ])('%j are refused with 2, and why', async (words, why) => {
    const { code, error } = await say(...words)
    expect(code).toBe(2)
    expect(error).toContain(why)
  })
})
