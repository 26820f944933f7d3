import { type Command, Option } from 'commander'
import type { CompressionTypes, Kafka, Producer } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import {
  addClientOptions,
  type ClientOptions,
  everyValue,
  invalid,
  propertiesOf,
  withConfigFile,
} from './client-options.ts'
import { InputLines } from './input-lines.ts'
import { RecordLines } from './record-lines.ts'
import { onInterrupt, withKafka } from './session.ts'

interface ProduceOptions extends ClientOptions {
  readonly topic: string
  readonly property: readonly string[]
  readonly readerProperty: readonly string[]
  readonly producerProperty: readonly string[]
  readonly commandProperty: readonly string[]
  readonly 'producer.config'?: string
  readonly compressionCodec?: string | true
  readonly compressionType?: string
  readonly requestRequiredAcks?: string
}

/** By kafkajs' and Kafka's ids. */
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const acknowledgements: Readonly<Record<string, number>> = { '0': 0, '1': 1, '-1': -1, all: -1 }
const producerProperties = ['acks', 'compression.type', 'enable.idempotence', 'client.id']
/** What a shell is told of a process that Ctrl-C has ended. */
const interrupted = 130

/** `millrace produce`, with the options of kafka-console-producer.sh. */
export function addProduceCommand(program: Command, environment: Environment): void {
  const command = program
    .command('produce')
    .description('writes the lines of standard input to a topic, each as a record')
  addClientOptions(command)
    .requiredOption('--topic <name>', 'where to')
    .option(
      '--property <name=value>',
      'how lines are read: parse.key, key.separator (a tab), parse.headers, headers.delimiter, headers.separator, headers.key.separator, null.marker, ignore.error; repeatable',
      everyValue,
      [],
    )
    .option('--reader-property <name=value>', 'the same, as Kafka calls it from 4.2 on', everyValue, [])
    .option('--producer-property <name=value>', `${producerProperties.join(', ')}; repeatable`, everyValue, [])
    .option('--command-property <name=value>', 'the same, as Kafka calls it from 4.2 on', everyValue, [])
    .addOption(new Option('--producer.config <file>', 'the same as --command-config').hideHelp())
    .option('--sync', 'taken, and always so: what was read is acknowledged before more is read')
    .addOption(new Option('--batch-size <n>').hideHelp())
    .addOption(new Option('--timeout <ms>').hideHelp())
    .addOption(new Option('--linger <ms>').hideHelp())
    .option('--compression-codec [codec]', 'none, gzip, snappy, lz4 or zstd; without one: gzip')
    .addOption(new Option('--compression-type <codec>', 'the same').hideHelp())
    .option(
      '--request-required-acks <acks>',
      'who must have a record: 0, 1, or -1 or all for all replicas (default: all)',
    )
    .action((options: ProduceOptions) => produce(environment, options))
}

async function produce(environment: Environment, options: ProduceOptions): Promise<void> {
  const properties = propertiesOf(
    '--producer-property',
    [...options.producerProperty, ...options.commandProperty],
    producerProperties,
  )
  const lines = new RecordLines([...options.property, ...options.readerProperty])
  const acks = acksOf(options.requestRequiredAcks ?? properties.get('acks') ?? 'all')
  const codec = options.compressionCodec === true ? 'gzip' : options.compressionCodec
  const compression = codecOf(codec ?? options.compressionType ?? properties.get('compression.type') ?? 'none')
  const idempotent = acks === -1 && properties.get('enable.idempotence') !== 'false'
  await withKafka(environment, withConfigFile(options, options['producer.config']), async (kafka: Kafka) => {
    const { Partitioners } = await import('kafkajs')
    const producer = kafka.producer({ idempotent, createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    try {
      await sendLines(environment, producer, lines, { topic: options.topic, acks, compression })
    } finally {
      await producer.disconnect()
    }
  })
}

interface Sending {
  readonly topic: string
  readonly acks: number
  readonly compression: CompressionTypes
}

/** What was read is sent before more is read: a slow cluster makes whoever writes to standard input wait. */
async function sendLines(
  environment: Environment,
  producer: Producer,
  records: RecordLines,
  sending: Sending,
): Promise<void> {
  const lines = new InputLines()
  const send = async (found: readonly Buffer[]): Promise<void> => {
    if (found.length > 0) await producer.send({ ...sending, messages: found.map((line) => records.read(line)) })
  }
  let cancel = (): void => {}
  const stopped = new Promise<'stopped'>((resolve) => {
    cancel = onInterrupt(environment, () => resolve('stopped'))
  })
  const input = environment.host.input()[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([input.next(), stopped])
    // What came is sent already; a line that was begun is not one.
    if (next === 'stopped') return environment.host.exit(interrupted)
    if (next.done === true) break
    await send(lines.take(next.value))
  }
  await send(lines.end())
  cancel()
}

function acksOf(text: string): number {
  const acks = acknowledgements[text]
  if (acks === undefined) throw invalid(`'${text}' is not a number of acknowledgements`, 'There are 0, 1, -1 and all.')
  return acks
}

function codecOf(name: string): CompressionTypes {
  const id = codecs.indexOf(name)
  if (id < 0) throw invalid(`'${name}' is not a codec`, `There are ${codecs.join(', ')}.`)
  return id
}
