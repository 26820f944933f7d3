import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../src/env/memory-disk.ts'
import { type Application, connect, type KStream, run, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { environmentOn, inMemory, put } from './readings.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const json = serde.json<number>()

async function failLater(): Promise<void> {
  await null
  throw new Error('nobody would see this')
}

function boom(): never {
  throw new Error('boom')
}

function topologyOf(write: (words: KStream<string, string>) => void) {
  const builder = new StreamsBuilder()
  write(builder.stream(words))
  return builder.build()
}

type Case = readonly [what: string, code: string, at: object, write: (words: KStream<string, string>) => void]

const record = { topic: 'words', partition: 0, offset: 0 }
const processor = { operator: 'KSTREAM-PROCESSOR-0000000001' }

const mistakes: Case[] = [
  ['a map that throws', 'OPERATOR_FAILED', record, (stream) => stream.map(boom).foreach(() => {})],
  ['a foreach that throws', 'OPERATOR_FAILED', record, (stream) => stream.foreach(boom)],
  ['an async foreach', 'OPERATOR_FAILED', record, (stream) => stream.foreach(failLater)],
  [
    'an async mapValues into JSON',
    'SERDE_FAILED',
    { offset: 0 },
    (stream) =>
      stream
        .mapValues(async () => 1 as unknown)
        .to(topic('promises', { key: serde.string, value: serde.json<unknown>() })),
  ],
  [
    'a topic that there is not',
    'UNKNOWN_TOPIC_OR_PARTITION',
    record,
    (stream) => stream.to(() => 'nowhere', { key: serde.string, value: serde.string }),
  ],
  [
    'a function behind a cache',
    'OPERATOR_FAILED',
    record,
    (stream) => stream.groupByKey().count({ value: json, caching: true }).toStream().foreach(boom),
  ],
  [
    'an aggregate that its serde cannot write',
    'SERDE_FAILED',
    { store: 'sums' },
    (stream) =>
      stream.groupByKey().aggregate(
        (): bigint => 1n,
        (n) => n,
        { store: 'sums', value: serde.json<bigint>() },
      ),
  ],
  [
    'a punctuation that throws',
    'OPERATOR_FAILED',
    processor,
    (stream) =>
      stream.process(() => ({ init: (context) => void context.schedule(1, 'wall-clock', boom), process: () => {} })),
  ],
]

const embedded = async () => {
  const environment = environmentOn(new MemoryDisk())
  await using connection = await connect('embedded:/data', { environment })
  await put(connection, words, [['a', 'x', 1]])
  return environment
}

describe('an application that fails', () => {
  it.each(mistakes)('ends by itself at %s, says so with a code, and lets go of its log', async (_, code, at, write) => {
    const environment = await embedded()
    const options = { applicationId: 'fails', cluster: 'embedded:/data', environment, commitInterval: 50 } as const
    const app = await run(topologyOf(write), options)
    await expect(app.closed).rejects.toMatchObject({ code, at })
    expect(app.state).toBe('failed')
    // A signal is not caught any more, and nobody holds the directory.
    environment.host.raise('SIGTERM')
    expect(environment.host.exitCode).toBe(143)
    await (await connect('embedded:/data', { environment })).close()
  })

  it('is the error of a scope that awaits `closed`: disposing of it does not tell the same again', async () => {
    const environment = await embedded()
    const scope = async () => {
      await using app = await run(
        topologyOf((stream) => stream.foreach(boom)),
        {
          applicationId: 'scoped',
          cluster: 'embedded:/data',
          environment,
        },
      )
      await app.closed
    }
    await expect(scope()).rejects.toMatchObject({ code: 'OPERATOR_FAILED' })
  })

  it('fails the scope of which nobody has been told', async () => {
    const app = await run(
      topologyOf((stream) => stream.process(() => ({ process: () => {}, close: boom }))),
      {
        applicationId: 'untold',
        cluster: 'memory:',
      },
    )
    await expect(app[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'OPERATOR_FAILED', at: processor })
  })

  it.each([
    ['throws', boom],
    ['is async', failLater],
  ])('has committed and let go of all the same where a close() %s', async (_, close) => {
    const environment = await embedded()
    const options = { applicationId: 'closing', cluster: 'embedded:/data', environment } as const
    const closed: string[] = []
    const app = await run(
      topologyOf((stream) => {
        stream.process(() => ({ process: () => {}, close }))
        stream.process(() => ({ process: () => {}, close: () => closed.push('the other') }))
      }),
      options,
    )
    await app.caughtUp()
    await expect(app.close()).rejects.toMatchObject({ code: 'OPERATOR_FAILED', at: processor })
    expect(closed).toEqual(['the other'])
    await using again = await run(
      topologyOf((stream) => stream.foreach(() => {})),
      options,
    )
    await again.caughtUp()
    expect(again.metrics().recordsIn).toBe(0)
  })

  it('says of which operator a supplier throws, when it starts', async () => {
    let made = 0
    const topology = topologyOf((stream) =>
      stream.process(() => (made++ < 2 ? { process: () => {} } : boom()), { name: 'late' }),
    )
    const started = run(topology, { applicationId: 'supplied', cluster: 'memory:' })
    await expect(started).rejects.toMatchObject({ code: 'OPERATOR_FAILED', at: { operator: 'late' } })
  })
})

describe('several applications of a process', () => {
  it('end by themselves: one that fails does not take another one with it, and a signal closes all', async () => {
    const environment = await embedded()
    await using connection = await connect('embedded:/data', { environment })
    const start = (applicationId: string, write: (words: KStream<string, string>) => void) =>
      run(topologyOf(write), { applicationId, cluster: connection, environment })
    const failing = await start('one', (stream) => stream.foreach(boom))
    const failure = failing.closed.catch((error: unknown) => error)
    const others = [
      await start('two', (stream) => stream.foreach(() => {})),
      await start('three', (s) => s.peek(() => {})),
    ]
    expect(await failure).toMatchObject({ code: 'OPERATOR_FAILED' })
    for (const other of others) await other.caughtUp()
    environment.host.raise('SIGTERM')
    await Promise.all(others.map((other) => other.closed))
    expect(environment.host.exitCode).toBeUndefined()
  })

  it('hear a signal while they start, which closes them when they have', async () => {
    const environment = environmentOn(new MemoryDisk())
    await using connection = await inMemory(environment)
    await put(connection, words, [['a', 'x', 1]])
    const apps: Promise<Application>[] = ['one', 'two'].map((applicationId) =>
      run(
        topologyOf((stream) => stream.foreach(() => {})),
        { applicationId, cluster: connection, environment },
      ),
    )
    const first = await Promise.race(apps)
    environment.host.raise('SIGTERM')
    await first.closed
    for (const app of await Promise.all(apps)) await app.closed
    expect(environment.host.exitCode).toBeUndefined()
  })
})

describe('a process', () => {
  /** Runs a script until it ends by itself: its exit code, null where it had to be killed, and what it said. */
  async function endOf(script: string): Promise<{ code: number | null; said: string }> {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-ending-'))
    const index = new URL('../../src/index.ts', import.meta.url).href
    const text = `
      import { connect, run, serde, StreamsBuilder, topic } from ${JSON.stringify(index)}
      const cluster = 'embedded:' + ${JSON.stringify(directory)}
      const words = topic('words', { key: serde.string, value: serde.string })
      const put = async (connection) => {
        await connection.createTopics([words])
        const producer = connection.producer(words)
        producer.send({ key: 'k', value: 'v' })
        await producer.flush()
      }
      const topologyOf = (write) => {
        const builder = new StreamsBuilder()
        write(builder.stream(words))
        return builder.build()
      }
      ${script}`
    try {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', text], { timeout: 40_000 })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
      return { code, said }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  it('ends when its applications have, although their connection was left open', async () => {
    const { code, said } = await endOf(`
      const connection = await connect(cluster)
      await put(connection)
      const options = { applicationId: 'shared', cluster: connection, guarantee: 'exactly-once' }
      const app = await run(topologyOf((stream) => stream.foreach(() => process.kill(process.pid, 'SIGTERM'))), options)
      await app.closed
      console.log('closed')`)
    expect(said).toBe('closed\n')
    expect(code).toBe(0)
  })

  it('ends with the error where a script awaits `closed`, and prints its code', async () => {
    const { code, said } = await endOf(`
      {
        await using connection = await connect(cluster)
        await put(connection)
      }
      const topology = topologyOf((stream) => stream.foreach(async () => {}))
      await using app = await run(topology, { applicationId: 'async', cluster })
      await app.closed`)
    expect(said).toContain('MillraceError: The function returned a promise, for which nothing waits')
    expect(said).toContain("code: 'OPERATOR_FAILED'")
    expect(code).toBe(1)
  })
})
