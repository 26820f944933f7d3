import { type ApacheVersion, apacheClassPath, apacheKafkaProblem } from '../apache-jars.ts'
import type { OwnBroker } from '../own-broker.ts'
import { type ProgramOptions, type ProgramResult, runProgram } from '../program.ts'

/** The programs that Apache Kafka brings, of one version of it. */

export type Tool =
  | 'topics'
  | 'console-producer'
  | 'console-consumer'
  | 'consumer-groups'
  | 'configs'
  | 'producer-perf'
  | 'consumer-perf'
  | 'end-to-end-latency'
  | 'verifiable-producer'
  | 'verifiable-consumer'
  | 'message-copier'
  | 'transactions'
  | 'dump-log'
  | 'api-versions'
  | 'get-offsets'
  | 'delete-records'
  | 'log-dirs'
  | 'acls'

/** Small programs that run for a second or two. */
const javaOptions = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx512m', '-Dlog4j2.level=ERROR']
/** Version 3.0 has the first one: without it, it says at length that nobody has told it where to log. */
const quietly = '-Dlog4j.defaultInitOverride=true'

const tools = 'org.apache.kafka.tools'

/** The same in both. */
const shared = {
  'producer-perf': `${tools}.ProducerPerformance`,
  'verifiable-producer': `${tools}.VerifiableProducer`,
  'verifiable-consumer': `${tools}.VerifiableConsumer`,
  'message-copier': `${tools}.TransactionalMessageCopier`,
  transactions: `${tools}.TransactionsCommand`,
  configs: 'kafka.admin.ConfigCommand',
  'dump-log': 'kafka.tools.DumpLogSegments',
}

const mains: Readonly<Record<ApacheVersion, Readonly<Record<Tool, string>>>> = {
  '4.1.1': {
    ...shared,
    topics: `${tools}.TopicCommand`,
    'console-producer': `${tools}.ConsoleProducer`,
    'console-consumer': `${tools}.consumer.ConsoleConsumer`,
    'consumer-groups': `${tools}.consumer.group.ConsumerGroupCommand`,
    'consumer-perf': `${tools}.ConsumerPerformance`,
    'end-to-end-latency': `${tools}.EndToEndLatency`,
    'api-versions': `${tools}.BrokerApiVersionsCommand`,
    'get-offsets': `${tools}.GetOffsetShell`,
    'delete-records': `${tools}.DeleteRecordsCommand`,
    'log-dirs': `${tools}.LogDirsCommand`,
    acls: `${tools}.AclCommand`,
  },
  '3.0.0': {
    ...shared,
    topics: 'kafka.admin.TopicCommand',
    'console-producer': 'kafka.tools.ConsoleProducer',
    'console-consumer': 'kafka.tools.ConsoleConsumer',
    'consumer-groups': 'kafka.admin.ConsumerGroupCommand',
    'consumer-perf': 'kafka.tools.ConsumerPerformance',
    'end-to-end-latency': 'kafka.tools.EndToEndLatency',
    'api-versions': 'kafka.admin.BrokerApiVersionsCommand',
    'get-offsets': 'kafka.tools.GetOffsetShell',
    'delete-records': 'kafka.admin.DeleteRecordsCommand',
    'log-dirs': 'kafka.admin.LogDirsCommand',
    acls: 'kafka.admin.AclCommand',
  },
}

export class ApacheTools {
  readonly version: ApacheVersion
  #classPath = ''

  constructor(version: ApacheVersion) {
    this.version = version
  }

  /** Fetches the jars where they are not there yet; returns why it cannot. */
  async prepare(): Promise<string | undefined> {
    const problem = apacheKafkaProblem(this.version)
    if (problem === undefined) this.#classPath = apacheClassPath(this.version)
    return problem
  }

  /** Runs one to its end, and returns what it wrote to standard output. */
  async run(tool: Tool, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
    return (await this.whole(tool, args, options)).out
  }

  /** The same, and what it wrote to standard error. */
  whole(tool: Tool, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
    const main = mains[this.version][tool]
    return runProgram('java', [...javaOptions, quietly, '-cp', this.#classPath, main, ...args], options)
  }

  /** The same, told where the broker is. */
  at(broker: OwnBroker, tool: Tool, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
    return this.run(tool, ['--bootstrap-server', broker.bootstrapServers, ...args], options)
  }
}
