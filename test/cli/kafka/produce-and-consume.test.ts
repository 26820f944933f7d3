import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
beforeEach(async () => {
  commands = await CalledCommands.open()
})
afterEach(() => commands.close())

const produce = (typed: string[], ...more: string[]) => commands.done(['produce', '--topic', 't', ...more], typed)
const consume = (...more: string[]) => commands.done(['consume', '--topic', 't', ...more])
const property = (...all: string[]) => all.flatMap((one) => ['--property', one])
const lines = (...all: (string | number)[]) => all.map((one) => `${one}\n`).join('')

describe('millrace produce and consume', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('carry lines through %s', async (codec) => {
    const values = Array.from({ length: 500 }, (_, i) => `value ${i} ${'x'.repeat(i % 30)}`)
    await produce([lines(...values)], '--compression-type', codec)
    expect(await consume('--from-beginning', '--max-messages', '500')).toBe(lines(...values))
  })

  it.each(['0', '1', 'all'])('wait for %s acknowledgements', async (acks) => {
    await produce(['a\nb\n'], '--request-required-acks', acks)
    expect(await consume('--from-beginning', '--max-messages', '2')).toBe('a\nb\n')
  })

  it('take lines as they come, ended by \\r\\n, or by the end', async () => {
    await produce(['fir', 'st\nsecond\r', '\n', '\nla', 'st'])
    expect(await consume('--from-beginning', '--max-messages', '4')).toBe('first\nsecond\n\nlast\n')
  })

  it('read and print keys, headers, nulls, places and times', async () => {
    const parsing = property('parse.key=true', 'key.separator=:', 'parse.headers=true', 'null.marker=NULL')
    await produce(['a:1,b:two\tk:v\nNULL\tgone:NULL\n'], ...parsing)
    const all = ['partition', 'offset', 'headers', 'key'].map((part) => `print.${part}=true`)
    const read = await consume('--from-beginning', '--max-messages', '2', ...property(...all))
    expect(read).toBe(lines('Partition:0\tOffset:0\ta:1,b:two\tk\tv', 'Partition:0\tOffset:1\tNO_HEADERS\tgone\tnull'))
    const shaped = property(
      'print.timestamp=true',
      'print.value=false',
      'print.key=true',
      'key.separator= | ',
      'line.separator=;',
    )
    expect(await consume('--from-beginning', '--max-messages', '2', ...shaped)).toMatch(
      /^CreateTime:\d{13} \| k;CreateTime:\d{13} \| gone;$/,
    )
  })

  it('know the names that Kafka gives their options from 4.2 on, and those that scripts have from long ago', async () => {
    const parsing = ['parse.key=true', 'key.separator=:'].flatMap((one) => ['--reader-property', one])
    await produce(
      ['k:v\n'],
      ...parsing,
      '--command-property',
      'acks=1',
      '--sync',
      '--batch-size',
      '1',
      '--timeout',
      '1',
    )
    const shown = ['print.key=true', 'print.epoch=true', 'print.delivery=true'].flatMap((one) => [
      '--formatter-property',
      one,
    ])
    const reading = ['--formatter', 'org.apache.kafka.tools.consumer.DefaultMessageFormatter', ...shown]
    const from = ['--command-property', 'auto.offset.reset=earliest', '--max-messages', '1']
    expect(await consume(...reading, ...from)).toBe('Epoch:0\tDelivery:NOT_PRESENT\tk\tv\n')
    for (const words of [
      ['consume', '--consumer.config'],
      ['produce', '--producer.config'],
    ]) {
      const said = await commands.call([...words, '/missing', '--topic', 't'])
      expect(said).toMatchObject({ code: 2, error: expect.stringContaining('/missing') })
    }
    const other = await commands.call(['consume', '--topic', 't', '--formatter', 'org.example.Mine'])
    expect(other).toMatchObject({ code: 2, error: expect.stringContaining('is not a formatter') })
  })

  it('read several topics by their names, each record once', async () => {
    await commands.done(['produce', '--topic', 'other'], ['x\n'])
    await produce(['y\n'])
    const both = await commands.done(['consume', '--include', 'o.*,t', '--from-beginning', '--max-messages', '2'])
    expect(both.split('\n').sort()).toEqual(['', 'x', 'y'])
    const words = ['consume', '--include', 't', '--topic', 't']
    expect(await commands.call(words)).toMatchObject({
      code: 2,
      error: expect.stringContaining('--topic or --include'),
    })
    expect(await commands.call(['consume'])).toMatchObject({ code: 2 })
  })

  it('print numbers that were serialized, as the counts of an application', async () => {
    await produce([`7:\0\0\0\0\0\0\x01\x02\n`], ...property('parse.key=true', 'key.separator=:'))
    const package_ = 'org.apache.kafka.common.serialization.'
    const reading = property('print.key=true', `key.deserializer=${package_}StringDeserializer`)
    const from = ['--from-beginning', '--max-messages', '1']
    const long = property(`value.deserializer=${package_}LongDeserializer`)
    expect(await consume(...reading, ...long, ...from)).toBe('7\t258\n')
    expect(await consume('--value-deserializer', 'DoubleDeserializer', ...from)).toBe('1.275e-321\n')
    const wrong = await commands.call([
      'consume',
      '--topic',
      't',
      '--value-deserializer',
      'IntegerDeserializer',
      ...from,
    ])
    expect(wrong).toMatchObject({ code: 1, error: expect.stringContaining('IntegerDeserializer needs 4 bytes') })
    const unknown = await commands.call(['consume', '--topic', 't', '--key-deserializer', 'org.example.Mine'])
    expect(unknown).toMatchObject({ code: 2, error: expect.stringContaining('is not a deserializer') })
  })

  it('say in which line a separator is missing, unless that is well', async () => {
    const words = ['produce', '--topic', 't', ...property('parse.key=true', 'key.separator=:')]
    const { code, error } = await commands.call(words, (host) => host.typed.push('a:1\nb\n'))
    expect(code).toBe(1)
    expect(error).toContain('There is no key separator (":") (line 2).')
    await produce(['c\n'], ...property('parse.key=true', 'ignore.error=true'))
    expect(await consume('--from-beginning', '--max-messages', '1', ...property('print.key=true'))).toBe('null\tc\n')
  })

  it('begin at an offset, at either end, or so many before the end', async () => {
    await produce([lines(0, 1, 2, 3, 4)])
    const from = (offset: string, count: number) =>
      consume('--partition', '0', '--offset', offset, '--max-messages', String(count))
    expect(await from('3', 2)).toBe(lines(3, 4))
    expect(await from('earliest', 2)).toBe(lines(0, 1))
    expect(await from('-1', 1)).toBe(lines(4))
    expect(await from('-100', 1)).toBe(lines(0))
    expect(await consume('--partition', '0', '--offset', 'latest', '--timeout-ms', '1')).toBe('')
    expect(await consume('--partition', '0', '--timeout-ms', '1')).toBe('')
  })

  it('read one partition alone', async () => {
    await commands.done(['topics', '--create', '--topic', 't', '--partitions', '3'])
    await produce([lines('a:1', 'b:2', 'c:3', 'd:4', 'e:5')], ...property('parse.key=true', 'key.separator=:'))
    const shown = property('print.partition=true')
    const all = (await consume('--from-beginning', '--max-messages', '5', ...shown)).trimEnd().split('\n')
    for (const partition of new Set(all.map((line) => line.slice(0, line.indexOf('\t'))))) {
      const here = all.filter((line) => line.startsWith(partition))
      const words = ['--partition', partition.slice(-1), '--from-beginning', '--max-messages', String(here.length)]
      expect(await consume(...words, ...shown)).toBe(lines(...here))
    }
    const { code, error } = await commands.call(['consume', '--topic', 't', '--partition', '3', '--offset', '0'])
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringContaining('no such partition (topic t, partition 3)'),
    })
  })

  it('go on where the group stopped, having committed what was printed and no more', async () => {
    await produce([lines(0, 1, 2, 3, 4)])
    expect(await consume('--group', 'g', '--from-beginning', '--max-messages', '2')).toBe(lines(0, 1))
    expect(await consume('--group', 'g', '--from-beginning', '--max-messages', '2')).toBe(lines(2, 3))
    expect(await consume('--group', 'g', '--max-messages', '1')).toBe(lines(4))
  })

  it('leave no group behind where none was named', async () => {
    await produce(['a\n'])
    await consume('--from-beginning', '--max-messages', '1')
    expect(await commands.done(['groups', '--list'])).toBe('')
  })

  it('end without a word when nobody reads on', async () => {
    await produce([lines('a', 'b')])
    await produce([lines('c', 'd')])
    const words = ['consume', '--topic', 't', '--from-beginning', '--consumer-property', 'max.partition.fetch.bytes=60']
    const { code, out, error } = await commands.call(words, (host) => {
      host.readsUntil = 1
    })
    expect({ code, out, error }).toEqual({ code: undefined, out: 'a\nb\n', error: 'Processed a total of 2 messages\n' })
  })

  it('end at Ctrl-C', async () => {
    await produce(['a\n'])
    const { code, out, error } = await commands.call(['consume', '--topic', 't', '--from-beginning'], (host) => {
      const print = host.print.bind(host)
      host.print = async (bytes) => {
        host.raise('SIGINT')
        return print(bytes)
      }
    })
    expect({ code, out, error }).toEqual({ code: undefined, out: 'a\n', error: 'Processed a total of 1 messages\n' })
    const stopped = await commands.call(['produce', '--topic', 't'], (host) => {
      host.input = async function* () {
        yield Buffer.from('b\nbegun')
        host.raise('SIGINT')
        await new Promise(() => {})
      }
    })
    expect(stopped.code).toBe(130)
    expect(await consume('--from-beginning', '--max-messages', '2')).toBe('a\nb\n')
  })

  it.each([
    ['consume', ['--offset', '3'], 'Say --partition too'],
    ['consume', ['--partition', '0', '--offset', '3', '--from-beginning'], 'Two places to begin'],
    ['consume', ['--partition', '0', '--group', 'g'], 'A group shares out the partitions itself'],
    ['consume', ['--partition', '0', '--offset', 'soon'], "'soon' is not a value of --offset"],
    ['consume', ['--isolation-level', 'serializable'], "'serializable' is not an isolation level"],
    ['consume', ['--property', 'print.colour=true'], "'print.colour' is not a property of --property"],
    ['consume', ['--max-messages', '1.5'], "'1.5' is not a value of --max-messages"],
    ['produce', ['--property', 'parse.value=true'], "'parse.value' is not a property of --property"],
    ['produce', ['--request-required-acks', '2'], "'2' is not a number of acknowledgements"],
    ['produce', ['--compression-type', 'brotli'], "'brotli' is not a codec"],
    ['produce', ['--property', 'key.separator='], 'key.separator is empty'],
    ['produce', ['--producer-property', 'linger=5'], "'linger' is not a property of --producer-property"],
  ])('%s %j is refused with 2', async (name, words, why) => {
    const { code, error } = await commands.call([name, '--topic', 't', ...words])
    expect({ code, error }).toEqual({ code: 2, error: expect.stringContaining(why) })
  })
})
