import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { metadata } from '../../src/broker/protocol/messages/metadata.ts'
import { connect, MillraceError, nodeEnvironment, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { ProtocolClient } from '../broker/server/protocol-client.ts'
import { serverTls } from '../env/tls-vectors.ts'

const words = topic('words', { key: serde.string, value: serde.string, partitions: 3 })

async function topicNames(port: number): Promise<(string | null)[]> {
  const client = await ProtocolClient.connect(nodeEnvironment().network, { host: '127.0.0.1', port })
  const { topics } = await client.request(metadata, 9, { topics: null })
  client.connection.destroy()
  return topics.map((each) => each.name)
}

describe('listen', () => {
  it('opens a connected cluster to clients of the protocol, until it is closed', async () => {
    const connection = await connect('memory:', { listen: 0 })
    await connection.createTopics([words])
    const port = connection.listening?.port ?? 0
    expect(port).toBeGreaterThan(0)
    expect(await topicNames(port)).toEqual(['words'])
    await connection.close()
    await expect(topicNames(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('opens the cluster of a running application', async () => {
    const other = await connect('memory:', { listen: 0 })
    const free = other.listening?.port ?? 0
    await other.close()
    const builder = new StreamsBuilder()
    builder.stream(words).foreach(() => {})
    await using app = await run(builder.build(), { applicationId: 'open', cluster: 'memory:', listen: free })
    expect(app.state).toBe('running')
    expect(await topicNames(free)).toEqual(['words'])
  })

  it('opens several listeners, each with its own way to talk', async () => {
    const host = '127.0.0.1'
    const listen = [
      { host, port: 0 },
      { host, port: 0, protocol: 'SSL', tls: serverTls, advertised: { host: 'mill.example', port: 9093 } },
    ] as const
    const connection = await connect('memory:', { listen })
    expect(await topicNames(connection.listening?.port ?? 0)).toEqual([])
    await connection.close()
    await expect(connect('memory:', { listen: [] })).rejects.toThrow('There is no listener')
    await expect(connect('memory:', { listen: { host, port: 0, protocol: 'SSL' } })).rejects.toThrow('no certificate')
  })

  it('lets clients in by logins, and each do what it may', async () => {
    const sasl = { mechanisms: ['PLAIN'], plain: { admin: 'x', alice: 'y' } } as const
    const listen = { host: '127.0.0.1', port: 0, protocol: 'SASL_PLAINTEXT', sasl } as const
    const connection = await connect('memory:', { listen, authorizer: { superUsers: ['User:admin'] } })
    // What the application itself does needs no rules.
    await connection.createTopics([words])
    const seenBy = async (username: string, password: string): Promise<string[]> => {
      const brokers = [`127.0.0.1:${connection.listening?.port}`]
      const login = { mechanism: 'plain', username, password } as const
      const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 }, sasl: login }).admin()
      await admin.connect()
      const topics = await admin.listTopics()
      await admin.disconnect()
      return topics
    }
    expect(await seenBy('admin', 'x')).toEqual(['words'])
    expect(await seenBy('alice', 'y')).toEqual([])
    await expect(seenBy('alice', 'x')).rejects.toThrow(/authentication failed/i)
    await connection.close()
  })

  it('says where it cannot, and leaves nothing open', async () => {
    const first = await connect('memory:', { listen: 0 })
    const taken = first.listening?.port ?? 0
    await expect(connect('memory:', { listen: taken })).rejects.toThrow(
      expect.objectContaining({ code: 'NETWORK_FAILED', message: expect.stringContaining(`127.0.0.1:${taken}`) }),
    )
    await first.close()
    await expect(connect('memory:', { listen: 70_000 })).rejects.toThrow(MillraceError)
    expect((await connect('memory:')).listening).toBeUndefined()
  })
})
