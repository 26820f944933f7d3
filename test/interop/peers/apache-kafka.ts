import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ApacheVersion } from '../apache-jars.ts'
import { interopDirectory } from '../apache-jars.ts'
import type { OwnBroker } from '../own-broker.ts'
import { ApacheTools } from './apache-tools.ts'
import { type Check, freshName, linesOf, type Peer, requireMatch, requireSame } from './peer.ts'

/** kafka-clients and Apache Kafka's own tools, of an old version and of a new one. */

export const apacheKafka: Peer = peerOf('apache-kafka', '4.1.1')
export const oldApacheKafka: Peer = peerOf('apache-kafka-3.0', '3.0.0')

const crashes = 3
const crashRecords = 15_000
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

type Run = (tools: ApacheTools, broker: OwnBroker, records: number) => Promise<string | undefined>

const checks: readonly (readonly [what: string, run: Run])[] = [
  ['reads the versions of our APIs', readsVersions],
  ['topics: made, listed, described, made twice, grown, deleted', administersTopics],
  ['configs of topics and brokers: described, changed, taken back', changesConfigs],
  ['console producer and consumer, with every codec', consoles],
  ['console consumer: keys, headers, partition, offset, committed records alone', consolesInDetail],
  ['get-offsets and delete-records', offsetsAndDeletion],
  ['consumer groups: listed, described, reset, offsets and groups deleted', administersGroups],
  ['perf tests of producer and consumer, latency from end to end', perfTests],
  ['verifiable producer and two verifiable consumers', verifiable],
  ['verifiable producer and consumer while our broker is killed and started again', verifiableThroughCrashes],
  ['two transactional message copiers, with random aborts', copies],
  ['transactions: listed, described, hanging ones looked for', looksAtTransactions],
  ['log-dirs', describesLogDirectories],
  ['dump-log reads what they left', dumps],
]

/** What version 3.0 does not have. */
const newChecks: typeof checks = [
  ['console consumers of the classic and of the consumer protocol in one group', changesProtocol],
]

function peerOf(name: string, version: ApacheVersion): Peer {
  const tools = new ApacheTools(version)
  return {
    name,
    prepare: () => tools.prepare(),
    checks: ({ records }) =>
      [...checks, ...(version === '3.0.0' ? [] : newChecks)].map(
        ([what, run]): Check => ({ what, run: (broker) => run(tools, broker, records) }),
      ),
  }
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `value ${i}`)

async function makeTopic(tools: ApacheTools, broker: OwnBroker, partitions: number): Promise<string> {
  const topic = freshName('topic')
  await tools.at(broker, 'topics', creation(topic, partitions))
  return topic
}

/** Version 3.0 wants all of them. */
function creation(topic: string, partitions: number): string[] {
  return ['--create', '--topic', topic, '--partitions', String(partitions), '--replication-factor', '1']
}

function consumerWords(topic: string, count: number): string[] {
  return ['--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '20000']
}

async function readsVersions(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const said = await tools.at(broker, 'api-versions', [])
  requireMatch('the node', said, /^127\.0\.0\.1:\d+ \(id: 1 rack: null/)
  // librdkafka takes a broker that does not know the first versions of Produce for one that cannot compress.
  requireMatch('Produce', said, /Produce\(0\): 0 to \d+ \[usable/)
  const usable = said.match(/\[usable: \d+\]/g)?.length ?? 0
  return `${usable} APIs in common`
}

async function administersTopics(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = freshName('made')
  const call = (words: readonly string[], status: number | 'any' = 0) => tools.at(broker, 'topics', words, { status })
  const create = [...creation(topic, 3), '--config', 'retention.ms=60000']
  requireMatch('made', await call(create), new RegExp(`Created topic ${topic}`))
  requireMatch('made twice', await call(create, 1), /already exists/)
  await call([...create, '--if-not-exists'])
  requireSame('listed', linesOf(await call(['--list'])).includes(topic), true)
  const described = await call(['--describe', '--topic', topic])
  requireMatch('described', described, /PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=60000/)
  requireSame('partitions', described.match(/Leader: 1\s+Replicas: 1\s+Isr: 1/g)?.length, 3)
  await call(['--describe', '--topic', freshName('missing')], 1)
  await call(['--alter', '--topic', topic, '--partitions', '5'])
  requireMatch('grown', await call(['--describe', '--topic', topic]), /PartitionCount: 5/)
  await call(['--alter', '--topic', topic, '--partitions', '2'], 1)
  await call(['--delete', '--topic', topic])
  requireSame('listed', linesOf(await call(['--list'])).includes(topic), false)
  return undefined
}

async function changesConfigs(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = freshName('configured')
  await tools.at(broker, 'topics', [...creation(topic, 1), '--config', 'cleanup.policy=compact'])
  const call = (type: string, name: string, words: readonly string[], status: number | 'any' = 0) =>
    tools.at(broker, 'configs', ['--entity-type', type, '--entity-name', name, ...words], { status })
  const all = await call('topics', topic, ['--describe', '--all'])
  requireMatch('set', all, /cleanup\.policy=compact sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:/)
  requireMatch('not set', all, /retention\.ms=/)
  await call('topics', topic, ['--alter', '--add-config', 'retention.ms=60000,segment.ms=3600000'])
  await call('topics', topic, ['--alter', '--delete-config', 'segment.ms'])
  const set = [...(await call('topics', topic, ['--describe'])).matchAll(/^ {2}(\S+=\S+) /gm)].map(([, one]) => one)
  requireSame('set now', set.toSorted(), ['cleanup.policy=compact', 'retention.ms=60000'])
  await call('topics', topic, ['--alter', '--add-config', 'retention.ms=soon'], 1)
  await call('brokers', '1', ['--alter', '--add-config', 'log.retention.ms=86400000'])
  requireMatch('of the broker', await call('brokers', '1', ['--describe']), /log\.retention\.ms=86400000/)
  await call('brokers', '1', ['--alter', '--delete-config', 'log.retention.ms'])
  return undefined
}

async function looksAtTransactions(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(tools, broker, 1)
  const id = freshName('till')
  await tools.at(broker, 'console-producer', ['--topic', topic], { input: text(numbers(30)) })
  await tools.run('message-copier', [
    ...['--broker-list', broker.bootstrapServers, '--input-topic', topic, '--input-partition', '0', '--output-topic'],
    ...[topic, '--max-messages', '30', '--consumer-group', freshName('copiers'), '--transactional-id', id],
  ])
  const call = (words: readonly string[]) => tools.at(broker, 'transactions', words)
  requireMatch('listed', await call(['list']), new RegExp(`^${id}\\s+1\\s+\\d+\\s+CompleteCommit`, 'm'))
  const described = await call(['describe', '--transactional-id', id])
  const [, producer = ''] = requireMatch('described', described, /^1\s+\S+\s+(\d+)\s+\d+\s+CompleteCommit/m)
  const producers = await call(['describe-producers', '--topic', topic, '--partition', '0'])
  requireMatch('producers', producers, new RegExp(`^${producer}\\s+0\\s`, 'm'))
  const hanging = await call(['find-hanging', '--broker-id', '1'])
  requireSame('hanging', linesOf(hanging).slice(1), [])
  return `producer ${producer}`
}

async function describesLogDirectories(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = await makeTopic(tools, broker, 2)
  await tools.at(broker, 'console-producer', ['--topic', topic], { input: text(numbers(10)) })
  const said = await tools.at(broker, 'log-dirs', ['--describe', '--topic-list', topic])
  const found = JSON.parse(linesOf(said).find((line) => line.startsWith('{')) ?? '{}')
  const [directory] = found.brokers?.[0]?.logDirs ?? []
  requireSame('error', directory?.error, null)
  requireSame('partitions', directory.partitions.map((one: { partition: string }) => one.partition).toSorted(), [
    `${topic}-0`,
    `${topic}-1`,
  ])
  return undefined
}

async function consoles(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(tools, broker, 1)
  const lines = numbers(500)
  for (const codec of codecs) {
    await tools.at(broker, 'console-producer', ['--topic', topic, '--compression-codec', codec], { input: text(lines) })
  }
  const expected = codecs.flatMap(() => lines)
  const read = await tools.at(broker, 'console-consumer', consumerWords(topic, expected.length))
  requireSame('lines', linesOf(read), expected)
  return `${expected.length} lines`
}

async function consolesInDetail(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = await makeTopic(tools, broker, 1)
  const parsing = ['--property', 'parse.key=true', '--property', 'key.separator=:']
  await tools.at(broker, 'console-producer', ['--topic', topic, ...parsing], { input: 'a:1\nb:2\na:3\n' })
  const shown = ['key', 'partition', 'offset', 'headers'].flatMap((part) => ['--property', `print.${part}=true`])
  const isolation = ['--isolation-level', 'read_committed', '--partition', '0', '--offset', '1']
  const words = ['--topic', topic, ...isolation, '--max-messages', '2', '--timeout-ms', '20000', ...shown]
  const read = linesOf(await tools.at(broker, 'console-consumer', words)).map((line) => line.split('\t').slice(-2))
  requireSame('keys and values', read, [
    ['b', '2'],
    ['a', '3'],
  ])
  return undefined
}

async function offsetsAndDeletion(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = await makeTopic(tools, broker, 1)
  await tools.at(broker, 'console-producer', ['--topic', topic], { input: text(numbers(10)) })
  requireSame('the end', await offsetAt(tools, broker, `${topic}:0`, '-1'), 10)
  requireSame('the beginning', await offsetAt(tools, broker, `${topic}:0`, '-2'), 0)
  const file = join(interopDirectory, 'delete-records.json')
  writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 4 }] }))
  const said = await tools.at(broker, 'delete-records', ['--offset-json-file', file])
  requireMatch('deleted', said, /low_watermark: 4/)
  requireSame('the beginning', await offsetAt(tools, broker, `${topic}:0`, '-2'), 4)
  return undefined
}

/** The offset of one partition, `topic:0`, at a time. */
async function offsetAt(tools: ApacheTools, broker: OwnBroker, partition: string, time: string): Promise<number> {
  const said = await tools.at(broker, 'get-offsets', ['--topic-partitions', partition, '--time', time])
  return Number(requireMatch('the offset', said, new RegExp(`^${partition}:(\\d+)`, 'm'))[1])
}

async function administersGroups(tools: ApacheTools, broker: OwnBroker): Promise<undefined> {
  const topic = await makeTopic(tools, broker, 1)
  const group = freshName('group')
  const call = (words: readonly string[]) => tools.at(broker, 'consumer-groups', words)
  await tools.at(broker, 'console-producer', ['--topic', topic], { input: text(numbers(20)) })
  await tools.at(broker, 'console-consumer', [...consumerWords(topic, 20), '--group', group])
  requireSame('listed', linesOf(await call(['--list'])).includes(group), true)
  const lags = async () => {
    const rows = (await call(['--describe', '--group', group])).matchAll(
      new RegExp(`^${group}\\s+${topic}\\s+(\\d)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)`, 'gm'),
    )
    return [...rows].map(([, , current, , lag]) => [Number(current), Number(lag)])
  }
  requireSame('position and lag', await lags(), [[20, 0]])
  requireMatch('state', await call(['--describe', '--group', group, '--state']), /\bEmpty\b/)
  await call(['--describe', '--group', group, '--members'])
  const reset = ['--reset-offsets', '--group', group, '--topic', topic]
  await call([...reset, '--to-earliest', '--execute'])
  requireSame('position and lag', await lags(), [[0, 20]])
  await call([...reset, '--shift-by', '1', '--execute'])
  requireSame('position and lag', await lags(), [[1, 19]])
  await call(['--delete-offsets', '--group', group, '--topic', topic])
  requireSame('position and lag', await lags(), [])
  await call([...reset, '--to-latest', '--execute'])
  requireMatch('deleted', await call(['--delete', '--group', group]), /successful/)
  requireSame('listed', linesOf(await call(['--list'])).includes(group), false)
  return undefined
}

/** A group of two console consumers is moved to the other protocol, one after the other, and back. */
async function changesProtocol(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(tools, broker, 4)
  const words = ['--topic', topic, '--group', freshName('group'), '--timeout-ms', '12000', '--from-beginning']
  const consume = (protocol: string) =>
    tools.at(broker, 'console-consumer', [...words, '--consumer-property', `group.protocol=${protocol}`], {
      status: 'any',
    })
  const produce = (lines: readonly string[]) =>
    tools.at(broker, 'console-producer', ['--topic', topic, '--batch-size', '100'], { input: text(lines) })
  const sent = numbers(1_200)
  const readers = []
  for (const [at, protocol] of ['classic', 'consumer', 'classic', 'consumer'].entries()) {
    readers.push(consume(protocol))
    await pause(5_000)
    await produce(sent.slice(at * 300, at * 300 + 300))
  }
  // The tool says on standard output, too, that its time is over.
  const read = (await Promise.all(readers)).map((out) => linesOf(out).filter((line) => line.startsWith('value ')))
  requireSame('each record once', read.flat().toSorted(), sent.toSorted())
  requireSame('those who read nothing', read.filter((lines) => lines.length === 0).length, 0)
  return `${read.map((lines) => lines.length).join(', ')} records each`
}

async function perfTests(tools: ApacheTools, broker: OwnBroker, records: number): Promise<string> {
  const topic = await makeTopic(tools, broker, 3)
  const props = [`bootstrap.servers=${broker.bootstrapServers}`, 'acks=all', 'compression.type=lz4']
  const words = ['--topic', topic, '--num-records', String(records), '--record-size', '100', '--throughput', '-1']
  const produced = await tools.run('producer-perf', [...words, '--producer-props', ...props])
  requireMatch('produced', produced, new RegExp(`${records} records sent`))
  const consumed = await tools.at(broker, 'consumer-perf', ['--topic', topic, '--messages', String(records)])
  requireSame('consumed', Number(linesOf(consumed).at(-1)?.split(', ')[4]), records)
  const latency = await tools.run('end-to-end-latency', [broker.bootstrapServers, topic, '200', 'all', '100'])
  const [, median] = requireMatch('latency', latency, /50th = (\d+)/)
  return `latency ${median} ms`
}

type ToolEvent = Readonly<Record<string, unknown>>

function eventsOf(out: string): ToolEvent[] {
  return linesOf(out).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
}

const placeOf = ({ partition, offset, value }: ToolEvent): string => `${partition}/${offset}/${value}`

function verifiableConsumer(
  tools: ApacheTools,
  broker: OwnBroker,
  topic: string,
  group: string,
  count: number,
): Promise<string> {
  return tools.at(broker, 'verifiable-consumer', [
    ...['--topic', topic, '--group-id', group, '--max-messages', String(count)],
    ...['--verbose', '--reset-policy', 'earliest'],
  ])
}

/** Every record that was acknowledged is read where it was said to be; one that has had its share may leave some to be read again. */
function requireRead(acknowledged: readonly ToolEvent[], consumed: readonly string[]): void {
  const read = new Set(
    consumed.flatMap((out) => eventsOf(out).filter(({ name }) => name === 'record_data')).map(placeOf),
  )
  const missing = acknowledged.map(placeOf).find((place) => !read.has(place))
  if (missing !== undefined) throw new Error(`${missing} was acknowledged and not consumed`)
}

async function verifiable(tools: ApacheTools, broker: OwnBroker, records: number): Promise<string> {
  const topic = await makeTopic(tools, broker, 4)
  const group = freshName('verifying')
  const half = Math.floor(records / 2)
  const [produced = '', ...consumed] = await Promise.all([
    tools.at(broker, 'verifiable-producer', ['--topic', topic, '--max-messages', String(records)]),
    ...[half, records - half].map((count) => verifiableConsumer(tools, broker, topic, group, count)),
  ])
  const sent = eventsOf(produced).filter(({ name }) => name === 'producer_send_success')
  requireSame('acknowledged', sent.length, records)
  requireRead(sent, consumed)
  const rebalances = consumed.flatMap(eventsOf).filter(({ name }) => name === 'partitions_assigned').length
  return `${sent.length} records, ${rebalances} assignments`
}

/** The producer is idempotent and tries again: nothing is lost, nothing is in the log twice. */
async function verifiableThroughCrashes(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(tools, broker, 4)
  const words = ['--topic', topic, '--max-messages', String(crashRecords), '--throughput', String(crashRecords / 15)]
  // It would not try again by itself, and in 3.0.0 it is not idempotent unless told so (KAFKA-13598).
  const config = join(interopDirectory, 'retries.properties')
  writeFileSync(config, 'retries=1000000\nenable.idempotence=true\n')
  const produced = tools.at(broker, 'verifiable-producer', [...words, '--producer.config', config])
  const consumed = verifiableConsumer(tools, broker, topic, freshName('verifying'), crashRecords)
  const [out] = await Promise.all([produced, consumed, crash(broker)])
  const sent = eventsOf(out).filter(({ name }) => name === 'producer_send_success')
  requireSame('acknowledged', sent.length, crashRecords)
  // The consumer through the crashes may have read some twice in place of the last ones.
  requireRead(sent, [await verifiableConsumer(tools, broker, topic, freshName('verifying'), crashRecords)])
  const ends = await Promise.all(
    [0, 1, 2, 3].map((partition) => offsetAt(tools, broker, `${topic}:${partition}`, '-1')),
  )
  requireSame(
    'records in the log',
    ends.reduce((sum, end) => sum + end),
    crashRecords,
  )
  return `${crashRecords} records, ${crashes} times kill -9`
}

async function crash(broker: OwnBroker): Promise<void> {
  for (let i = 0; i < crashes; i++) {
    await pause(4_000)
    await broker.crash()
  }
}

async function copies(tools: ApacheTools, broker: OwnBroker, records: number): Promise<string> {
  const [source, target] = [await makeTopic(tools, broker, 2), await makeTopic(tools, broker, 2)]
  const group = freshName('copiers')
  const lines = Array.from({ length: records }, (_, i) => String(i))
  await tools.at(broker, 'console-producer', ['--topic', source], { input: text(lines) })
  const copy = (id: string) =>
    tools.run('message-copier', [
      ...['--broker-list', broker.bootstrapServers, '--input-topic', source, '--input-partition', '0'],
      ...['--output-topic', target, '--consumer-group', group, '--transaction-size', '100', '--transactional-id', id],
      ...['--enable-random-aborts', '--group-mode', '--use-group-metadata'],
    ])
  const ids = [freshName('copier'), freshName('copier')]
  await Promise.all(ids.map(copy))
  const words = [...consumerWords(target, records), '--isolation-level', 'read_committed']
  const read = linesOf(await tools.at(broker, 'console-consumer', words))
  requireSame('copied', read.length, records)
  requireSame('copied once each', new Set(read).size, records)
  const ends = await Promise.all([0, 1].map((partition) => offsetAt(tools, broker, `${target}:${partition}`, '-1')))
  const others = ends.reduce((sum, end) => sum + end) - records
  return `${records} records, ${others} aborted ones and markers`
}

async function dumps(tools: ApacheTools, broker: OwnBroker): Promise<string> {
  const topic = await makeTopic(tools, broker, 1)
  await tools.at(broker, 'console-producer', ['--topic', topic, '--compression-codec', 'zstd'], {
    input: text(numbers(300)),
  })
  const file = join(broker.directory, `${topic}-0`, `${'0'.repeat(20)}.log`)
  const said = await tools.run('dump-log', ['--files', file, '--print-data-log', '--deep-iteration'])
  requireSame('records', said.match(/payload: value \d+$/gm)?.length, 300)
  requireMatch('the codec', said, /compresscodec: zstd/i)
  return '300 records'
}
