import { apacheClassPath } from '../../test/interop/apache-jars.ts'
import { runProgram } from '../../test/interop/program.ts'
import type { Contender } from './contender.ts'

/** Apache Kafka's own tests of producers and consumers: the client is the same whoever the broker is. */

export interface ProducerLoad {
  readonly topic: string
  readonly records: number
  readonly recordBytes: number
  readonly acks: '1' | 'all'
  readonly compression: 'none' | 'lz4'
}

/** What a client saw: records a second, while it ran at full speed. */
export type RecordsPerSecond = number

const javaOptions = ['-Xmx512m', '-Dlog4j2.level=ERROR']
const timeoutMs = 600_000

/** All settings but those given are the client's defaults. */
export async function producerPerf({ bootstrapServers }: Contender, load: ProducerLoad): Promise<RecordsPerSecond> {
  const { topic, records, recordBytes, acks, compression } = load
  const properties = [`bootstrap.servers=${bootstrapServers}`, `acks=${acks}`, `compression.type=${compression}`]
  const words = ['--topic', topic, '--num-records', String(records), '--record-size', String(recordBytes)]
  const out = await run('ProducerPerformance', [...words, '--throughput', '-1', '--producer-props', ...properties])
  return found(out, new RegExp(`^${records} records sent, ([\\d.]+) records/sec`, 'm'))
}

/** Without the time that the group takes to form. */
export async function consumerPerf(
  { bootstrapServers }: Contender,
  topic: string,
  records: number,
): Promise<RecordsPerSecond> {
  const words = ['--bootstrap-server', bootstrapServers, '--topic', topic, '--messages', String(records)]
  const out = await run('ConsumerPerformance', [...words, '--timeout', '60000', '--hide-header'])
  // start, end, MB, MB/s, records, records/s, ms of the rebalance, ms of fetching, MB/s and records/s of fetching
  return Number(out.trim().split('\n').at(-1)?.split(', ')[9])
}

async function run(tool: string, words: readonly string[]): Promise<string> {
  const main = `org.apache.kafka.tools.${tool}`
  const { out } = await runProgram('java', [...javaOptions, '-cp', apacheClassPath(), main, ...words], { timeoutMs })
  return out
}

function found(text: string, pattern: RegExp): number {
  const number = Number(pattern.exec(text)?.[1])
  if (Number.isFinite(number)) return number
  throw new Error(`the tool did not say how fast it was:\n${text}`)
}
