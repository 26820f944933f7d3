import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attributesOf, compressionMask } from '../../../src/record/batch-format.ts'
import type { OwnBroker } from '../own-broker.ts'
import { answers, runProgram } from '../program.ts'
import { type Check, freshName, linesOf, type Peer, requireMatch, requireSame } from './peer.ts'

/** kcat (C, on librdkafka), as Debian has it. */

/** By their ids. */
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const numbers = Array.from({ length: 2_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}`)

export const kcat: Peer = {
  name: 'kcat',
  prepare: async () => (answers('kcat', ['-V']) ? undefined : 'there is no kcat on the path'),
  checks: () => [
    { what: 'lists the cluster and its topics', run: listsMetadata },
    ...codecs.map(
      (codec): Check => ({
        what: `produces and consumes with ${codec}`,
        run: (broker) => writesAndReads(broker, codec),
      }),
    ),
    { what: 'keys, headers, tombstones, empty values', run: keepsEveryPart },
    { what: 'reads from the end back, from an offset, from a time', run: startsAnywhere },
    { what: 'finds offsets by time', run: findsOffsetsByTime },
    { what: 'a group goes on where it stopped', run: consumesInGroup },
    { what: 'a transaction, committed', run: commits },
  ],
}

async function call(broker: OwnBroker, args: readonly string[], input = ''): Promise<string> {
  const { out } = await runProgram('kcat', ['-b', broker.bootstrapServers, '-m', '20', ...args], { input })
  return out
}

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

async function listsMetadata(broker: OwnBroker): Promise<string> {
  const topic = freshName('listed')
  await call(broker, ['-P', '-t', topic], 'one\n')
  const seen = JSON.parse(await call(broker, ['-L', '-J']))
  requireSame('brokers', seen.brokers.length, 1)
  const partitions = seen.topics.find((one: { topic: string }) => one.topic === topic)?.partitions
  requireSame('partitions', partitions?.length, 1)
  return `controller ${seen.controllerid}`
}

async function writesAndReads(broker: OwnBroker, codec: string): Promise<string> {
  const topic = freshName(`codec-${codec}`)
  await call(broker, ['-P', '-t', topic, '-z', codec, '-X', 'enable.idempotence=true'], text(numbers))
  const read = linesOf(await call(broker, ['-C', '-t', topic, '-e', '-q', '-X', 'check.crcs=true']))
  requireSame('lines', read, numbers)
  const segment = readFileSync(join(broker.directory, `${topic}-0`, `${'0'.repeat(20)}.log`))
  requireSame('the codec in the log', codecs[attributesOf(segment, 0) & compressionMask], codec)
  return `${read.length} lines`
}

async function keepsEveryPart(broker: OwnBroker): Promise<undefined> {
  const topic = freshName('parts')
  const headers = ['-H', 'a=1', '-H', 'b=two', '-H', 'a=3']
  await call(broker, ['-P', '-t', topic, '-K', ':', ...headers], 'k:v\n:empty key\n')
  await call(broker, ['-P', '-t', topic, '-K', ':', '-Z'], 'gone:\n')
  const read = linesOf(await call(broker, ['-C', '-t', topic, '-e', '-q', '-f', '%o|%K|%k|%S|%s|%h\n']))
  requireSame('records', read, ['0|1|k|1|v|a=1,b=two,a=3', '1|0||9|empty key|a=1,b=two,a=3', '2|4|gone|-1||'])
}

async function startsAnywhere(broker: OwnBroker): Promise<undefined> {
  const topic = freshName('places')
  await call(broker, ['-P', '-t', topic], text(numbers.slice(0, 10)))
  const before = linesOf(await call(broker, ['-C', '-t', topic, '-e', '-q', '-f', '%T\n'])).map(Number)
  const from = async (place: string) => linesOf(await call(broker, ['-C', '-t', topic, '-o', place, '-e', '-q']))
  requireSame('from 7', await from('7'), numbers.slice(7, 10))
  requireSame('the last 2', await from('-2'), numbers.slice(8, 10))
  requireSame('from the end', await from('end'), [])
  requireSame('from the first time', await from(`s@${before[0]}`), numbers.slice(0, 10))
  requireSame('after the last time', await from(`s@${(before[9] as number) + 1}`), [])
}

async function findsOffsetsByTime(broker: OwnBroker): Promise<undefined> {
  const topic = freshName('times')
  await call(broker, ['-P', '-t', topic], text(numbers.slice(0, 5)))
  const [first] = linesOf(await call(broker, ['-C', '-t', topic, '-e', '-q', '-f', '%T\n']))
  const at = async (time: string | number) => {
    const said = await call(broker, ['-Q', '-t', `${topic}:0:${time}`])
    return Number(requireMatch('the answer', said, /offset (-?\d+)/)[1])
  }
  requireSame('the offset of the first time', await at(Number(first)), 0)
  requireSame('the offset of a time before', await at(1), 0)
  requireSame('the end', await at(-1), 5)
  requireSame('the beginning', await at(-2), 0)
}

async function consumesInGroup(broker: OwnBroker): Promise<string> {
  const topic = freshName('group')
  const group = freshName('readers')
  const read = async () => {
    // A group is named, and its topics come last; `-e` ends it at the end of all partitions.
    const words = ['-q', '-e', '-X', 'auto.offset.reset=earliest', '-G', group, topic]
    return linesOf(await call(broker, words))
  }
  await call(broker, ['-P', '-t', topic], text(numbers.slice(0, 100)))
  requireSame('what the group reads', await read(), numbers.slice(0, 100))
  await call(broker, ['-P', '-t', topic], text(numbers.slice(100, 110)))
  requireSame('what it reads later', await read(), numbers.slice(100, 110))
  requireSame('what it reads then', await read(), [])
  return '110 lines in three rounds'
}

async function commits(broker: OwnBroker): Promise<undefined> {
  const topic = freshName('transaction')
  const words = ['-P', '-t', topic, '-X', `transactional.id=${freshName('till')}`]
  await call(broker, words, text(numbers.slice(0, 20)))
  const committed = ['-C', '-t', topic, '-e', '-q', '-X', 'isolation.level=read_committed']
  requireSame('what is committed', linesOf(await call(broker, committed)), numbers.slice(0, 20))
}
