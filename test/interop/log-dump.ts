import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BatchView, RecordView } from '../broker/log/segment-view.ts'
import { runJava } from './apache-kafka.ts'

export interface DumpedFile {
  readonly name: string
  /** Of a `.log`. */
  readonly batches: readonly BatchView[]
  /** Of any other: its lines as they were printed. */
  readonly lines: readonly string[]
}

export interface LogDump {
  readonly files: readonly DumpedFile[]
  /** What Apache says is wrong. */
  readonly complaints: readonly string[]
}

const dumpable = /\.(?:log|index|timeindex|txnindex|snapshot)$/

/** What Apache Kafka reads in the files of a partition's directory. */
export function dumpLog(classPath: string, directory: string): LogDump {
  const paths = readdirSync(directory)
    .filter((name) => dumpable.test(name))
    .sort()
    .map((name) => join(directory, name))
  const args = ['--print-data-log', '--deep-iteration', '--files', paths.join(',')]
  const printed = runJava(classPath, 'kafka.tools.DumpLogSegments', args, { withErrors: true })
  const files: { name: string; batches: BatchView[]; lines: string[] }[] = []
  const complaints: string[] = []
  let records: RecordView[] = []
  for (const line of printed.split('\n')) {
    const file = files.at(-1)
    if (line.startsWith('Dumping ')) {
      files.push({ name: line.slice(line.lastIndexOf('/') + 1), batches: [], lines: [] })
    } else if (line.startsWith('baseOffset: ')) {
      records = []
      file?.batches.push(toBatch(line, records))
      if (!line.endsWith(' isvalid: true')) complaints.push(line)
    } else if (line.startsWith('| ')) {
      records.push(toRecord(line))
    } else if (/^(?:offset|timestamp|producerId|version): /.test(line)) {
      file?.lines.push(line.trim())
    } else if (line !== '' && !/^Log starting offset: | is empty\.$/.test(line)) {
      complaints.push(line)
    }
  }
  return { files, complaints }
}

function toBatch(line: string, records: RecordView[]): BatchView {
  const text = (name: string): string => new RegExp(`(?:^| )${name}: (\\S+)`).exec(line)?.[1] ?? ''
  const time = /(CreateTime|LogAppendTime): (-?\d+)/.exec(line)
  return {
    baseOffset: Number(text('baseOffset')),
    lastOffset: Number(text('lastOffset')),
    count: Number(text('count')),
    baseSequence: Number(text('baseSequence')),
    producerId: Number(text('producerId')),
    producerEpoch: Number(text('producerEpoch')),
    leaderEpoch: Number(text('partitionLeaderEpoch')),
    isTransactional: text('isTransactional') === 'true',
    isControl: text('isControl') === 'true',
    deleteHorizonMs: Number(/OptionalLong\[(\d+)\]/.exec(line)?.[1] ?? -1),
    position: Number(text('position')),
    timestampType: time?.[1] ?? '',
    maxTimestamp: Number(time?.[2]),
    size: Number(text('size')),
    compression: text('compresscodec'),
    checksum: Number(text('crc')),
    records,
  }
}

const recordLine =
  /^\| offset: (\d+) \w+: (-?\d+) keySize: (-?\d+) valueSize: (-?\d+) sequence: -?\d+ headerKeys: \[(.*?)\] ?(.*)$/

function toRecord(line: string): RecordView {
  const match = recordLine.exec(line)
  if (match === null) throw new Error(`DumpLogSegments printed a record in a way that is not known: ${line}`)
  const [, offset, timestamp, keySize, valueSize, headerKeys, content] = match as unknown as string[]
  return {
    offset: Number(offset),
    timestamp: Number(timestamp),
    keySize: Number(keySize),
    valueSize: Number(valueSize),
    headerKeys: headerKeys as string,
    content: (content as string).trim(),
  }
}
