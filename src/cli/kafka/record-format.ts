import type { KafkaMessage } from 'kafkajs'
import { propertiesOf } from './client-options.ts'
import { type Deserializer, deserializer } from './deserializers.ts'

/** What `--property` may say of records, as Kafka's DefaultMessageFormatter. */
const names = [
  'print.key',
  'print.value',
  'print.timestamp',
  'print.partition',
  'print.offset',
  'print.epoch',
  'print.delivery',
  'print.headers',
  'key.separator',
  'line.separator',
  'headers.separator',
  'null.literal',
  'key.deserializer',
  'value.deserializer',
  'headers.deserializer',
]

/** The order in which Kafka prints what is asked for. */
type Part = (record: KafkaMessage, partition: number) => Buffer

/** Bytes of records as `--property` asks for them (org.apache.kafka.tools.consumer.DefaultMessageFormatter). */
export class RecordFormat {
  readonly #parts: readonly Part[]
  readonly #separator: Buffer
  readonly #end: Buffer

  /** @throws MillraceError INVALID_ARGUMENT */
  constructor(given: readonly string[]) {
    const properties = propertiesOf('--property', given, names)
    const text = (name: string, otherwise: string) =>
      Buffer.from((properties.get(name) ?? otherwise).replaceAll('\\t', '\t').replaceAll('\\n', '\n'))
    this.#separator = text('key.separator', '\t')
    this.#end = text('line.separator', '\n')
    const nothing = text('null.literal', 'null')
    const between = text('headers.separator', ',')
    const [readKey, readValue, readHeader] = ['key', 'value', 'headers'].map((what) =>
      deserializer(properties.get(`${what}.deserializer`)),
    ) as [Deserializer, Deserializer, Deserializer]
    const parts: readonly (readonly [name: string, isShown: boolean, part: Part])[] = [
      ['print.timestamp', false, (record) => Buffer.from(timestampOf(record))],
      ['print.partition', false, (_, partition) => Buffer.from(`Partition:${partition}`)],
      ['print.offset', false, ({ offset }) => Buffer.from(`Offset:${offset}`)],
      ['print.epoch', false, (record) => Buffer.from(`Epoch:${epochOf(record)}`)],
      // Only share groups count deliveries.
      ['print.delivery', false, () => Buffer.from('Delivery:NOT_PRESENT')],
      [
        'print.headers',
        false,
        (record) => headersOf(record, between, (bytes) => (bytes ? readHeader(bytes) : nothing)),
      ],
      ['print.key', false, ({ key }) => (key === null ? nothing : readKey(key))],
      ['print.value', true, ({ value }) => (value === null ? nothing : readValue(value))],
    ]
    this.#parts = parts
      .filter(([name, isShown]) => (properties.get(name) ?? String(isShown)) === 'true')
      .map(([, , part]) => part)
  }

  /** Adds the bytes of one record to those of others. */
  write(record: KafkaMessage, partition: number, into: Uint8Array[]): void {
    for (const [i, part] of this.#parts.entries()) {
      if (i > 0) into.push(this.#separator)
      into.push(part(record, partition))
    }
    into.push(this.#end)
  }
}

/** kafkajs hands on what the batch says of its records, and its types do not know. */
interface BatchContext {
  readonly timestampType?: number
  readonly partitionLeaderEpoch?: number
}

function batchOf(record: KafkaMessage): BatchContext {
  return (record as { readonly batchContext?: BatchContext }).batchContext ?? {}
}

function timestampOf(record: KafkaMessage): string {
  return `${batchOf(record).timestampType === 1 ? 'LogAppendTime' : 'CreateTime'}:${record.timestamp}`
}

function epochOf(record: KafkaMessage): string {
  const { partitionLeaderEpoch = -1 } = batchOf(record)
  return partitionLeaderEpoch < 0 ? 'NOT_PRESENT' : String(partitionLeaderEpoch)
}

function headersOf(
  { headers = {} }: KafkaMessage,
  between: Buffer,
  textOf: (value: Buffer | undefined) => Buffer,
): Buffer {
  const texts = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => Buffer.concat([Buffer.from(`${name}:`), textOf(bytesOf(value))])),
  )
  if (texts.length === 0) return Buffer.from('NO_HEADERS')
  return Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [between, text])))
}

function bytesOf(value: Buffer | string | null | undefined): Buffer | undefined {
  return value === null || value === undefined ? undefined : Buffer.from(value)
}
