import { describe, expect, it } from 'vitest'
import { type KStream, type Processor, type ProcessorContext, StreamsBuilder, serde, topic } from '../../src/index.ts'
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts'

const words = topic('words', { key: serde.string, value: serde.string })
const texts = topic('texts', { key: serde.string, value: serde.string })
const lengths = topic('lengths', { key: serde.string, value: serde.json<number>() })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })

const header = { key: 'trace', value: Buffer.from('a') }

function driverOf(write: (words: KStream<string, string>) => void): TopologyTestDriver {
  const builder = new StreamsBuilder()
  write(builder.stream(words))
  return new TopologyTestDriver(builder.build())
}

describe('process', () => {
  it('gives each record whole, and hands on any number of new ones', () => {
    using driver = driverOf((stream) =>
      stream
        .process(
          () => ({
            process({ key, value, timestamp, headers }, context) {
              for (const letter of value)
                context.forward({ key: key + letter, value: value.length, timestamp, headers })
            },
          }),
          { key: serde.string, value: serde.json<number>() },
        )
        .to(lengths),
    )
    driver.input(words).pipe({ key: 'k', value: 'ab', timestamp: 5, headers: [header] })
    expect(driver.output(lengths).readAll()).toEqual([
      { key: 'ka', value: 2, timestamp: 5, headers: [header] },
      { key: 'kb', value: 2, timestamp: 5, headers: [header] },
    ])
  })

  it('hands on records that differ in one part', () => {
    using driver = driverOf((stream) =>
      stream
        .process(() => ({
          process(record, context) {
            context.forward(record)
            context.forward(record.withKey('other'))
            context.forward(record.withValue('new'))
            context.forward(record.withTimestamp(9))
            context.forward(record.withHeaders([]))
            context.forward({ key: null, value: null, timestamp: 7 })
          },
        }))
        .to(texts),
    )
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 5, headers: [header] })
    expect(driver.output(texts).readAll()).toEqual([
      { key: 'k', value: 'v', timestamp: 5, headers: [header] },
      { key: 'other', value: 'v', timestamp: 5, headers: [header] },
      { key: 'k', value: 'new', timestamp: 5, headers: [header] },
      { key: 'k', value: 'v', timestamp: 9, headers: [header] },
      { key: 'k', value: 'v', timestamp: 5 },
      { key: null, value: null, timestamp: 7 },
    ])
  })

  it('leaves the record as it is for what else the stream is used for', () => {
    using driver = driverOf((stream) => {
      stream.process(() => ({ process: (record, context) => context.forward(record.withKey('x').withValue('y')) }))
      stream.to(texts)
    })
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 5, headers: [header] })
    expect(driver.output(texts).readAll()).toEqual([{ key: 'k', value: 'v', timestamp: 5, headers: [header] }])
  })

  it('hands on what was changed in place', () => {
    const lists = topic('lists', { key: serde.string, value: serde.json<number[]>() })
    const longer = topic('longer', { key: serde.string, value: serde.json<number[]>() })
    const builder = new StreamsBuilder()
    builder
      .stream(lists)
      .process(() => ({
        process(record, context) {
          record.value.push(record.value.length)
          context.forward(record)
        },
      }))
      .to(longer)
    using driver = new TopologyTestDriver(builder.build())
    driver.input(lists).pipe({ key: 'k', value: [0], timestamp: 1 })
    expect(driver.output(longer).read()?.value).toEqual([0, 1])
  })

  it('gives records that can be kept', () => {
    using driver = driverOf((stream) =>
      stream
        .process(() => {
          let last: { key: string; value: string; timestamp: number } | undefined
          return {
            process(record, context) {
              if (last !== undefined) context.forward(last)
              last = record
            },
          }
        })
        .to(texts),
    )
    for (const value of ['a', 'b', 'c']) driver.input(words).pipe({ key: `k${value}`, value, timestamp: 1 })
    expect(
      driver
        .output(texts)
        .readAll()
        .map(({ key, value }) => [key, value]),
    ).toEqual([
      ['ka', 'a'],
      ['kb', 'b'],
    ])
  })

  it('runs classes with init and close, one for each task', () => {
    const log: string[] = []
    class Noting implements Processor<string, string, string, string> {
      #context: ProcessorContext<string, string> | undefined
      init(context: ProcessorContext<string, string>): void {
        this.#context = context
        log.push(`init ${context.applicationId} ${context.taskId}`)
      }
      process(record: { key: string; value: string; timestamp: number }): void {
        this.#context?.forward({ ...record, value: record.value.toUpperCase() })
      }
      close(): void {
        log.push('close')
      }
    }
    const driver = driverOf((stream) => stream.process(() => new Noting()).to(texts))
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    driver.close()
    expect(driver.output).toBeDefined()
    expect(log).toEqual(['init topology-test 0_0', 'close'])
  })

  it('says where the record comes from, and the two times', () => {
    const seen: unknown[] = []
    const builder = new StreamsBuilder()
    builder.stream(words).process(() => ({
      process(_, { recordMetadata, currentStreamTimeMs, currentSystemTimeMs }) {
        seen.push([recordMetadata, currentStreamTimeMs, currentSystemTimeMs])
      },
    }))
    using driver = new TopologyTestDriver(builder.build(), { startMs: 1_000 })
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 50 })
    driver.advanceWallClockTime(5)
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 20 })
    expect(seen).toEqual([
      [{ topic: 'words', partition: 0, offset: 0 }, 50, 1_000],
      [{ topic: 'words', partition: 0, offset: 1 }, 50, 1_005],
    ])
  })

  it('knows the stream time after a restart', () => {
    let seen = 0
    using driver = driverOf((stream) =>
      stream.process(() => ({
        process(_, context) {
          seen = context.currentStreamTimeMs
        },
      })),
    )
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 50 })
    driver.restart()
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 20 })
    expect(seen).toBe(50)
  })

  it('marks keys as changed, so that records are repartitioned behind it and not before', () => {
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .selectKey((value) => value)
      .process(() => ({ process: (record, context) => context.forward(record) }), {
        key: serde.string,
        value: serde.string,
      })
      .groupByKey()
      .count({ store: 'by-key', value: counts.value })
      .toStream()
      .to(counts)
    const topology = builder.build()
    expect(topology.describe()).toContain(
      'KSTREAM-KEY-SELECT-0000000001 (stores: [])\n      --> KSTREAM-PROCESSOR-0000000002',
    )
    expect(topology.describe()).toContain('topic: by-key-repartition')
    using driver = new TopologyTestDriver(topology)
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    expect(driver.output(counts).readAll()).toEqual([{ key: 'v', value: 1, timestamp: 1 }])
  })

  it('needs serdes where what it hands on is written to a repartition topic', () => {
    const builder = new StreamsBuilder()
    const stream = builder.stream(words).process(() => ({ process: (record, context) => context.forward(record) }))
    expect(() => stream.groupByKey().count()).toThrow(expect.objectContaining({ code: 'SERDE_REQUIRED' }))
  })

  it('counts what a processor drops', () => {
    using driver = driverOf((stream) =>
      stream.process(() => ({ process: (_, context) => context.drop('late') }), { name: 'dropping' }),
    )
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    expect(driver.drops()).toEqual([{ operator: 'dropping', reason: 'late', count: 1 }])
  })
})

describe('process refuses', () => {
  it('a supplier that makes one processor for all', () => {
    const shared = { process: () => {} }
    const stream = new StreamsBuilder().stream(words)
    const refused = expect.objectContaining({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringContaining('same processor'),
    })
    expect(() => stream.process(() => shared)).toThrow(refused)
    expect(() => stream.processValues(() => shared)).toThrow(refused)
  })

  it('timestamps that are none', () => {
    for (const timestamp of [-1, 0.5, Number.NaN]) {
      using driver = driverOf((stream) =>
        stream.process(() => ({ process: (record, context) => context.forward(record.withTimestamp(timestamp)) })),
      )
      expect(() => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })).toThrow(
        expect.objectContaining({
          code: 'INVALID_TIMESTAMP',
          at: expect.objectContaining({ operator: 'KSTREAM-PROCESSOR-0000000001', topic: 'words', offset: 0 }),
        }),
      )
    }
  })

  it('children that are none', () => {
    using driver = driverOf((stream) =>
      stream.process(() => ({ process: (record, context) => context.forward(record, 'nobody') })),
    )
    expect(() => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPOLOGY', message: expect.stringContaining("child 'nobody'") }),
    )
  })

  it('to forward when there is no record', () => {
    let forward = () => {}
    const inInit = driverOf.bind(undefined, (stream) =>
      stream.process(() => ({
        init: (context) => context.forward({ key: 'k', value: 'v', timestamp: 1 }),
        process: () => {},
      })),
    )
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('had none') })
    expect(inInit).toThrow(refused)
    using driver = driverOf((stream) =>
      stream.process(() => ({
        process(record, context) {
          forward = () => context.forward(record)
        },
      })),
    )
    driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })
    expect(forward).toThrow(refused)
  })

  it('what throws, saying which operator it was, above or below', () => {
    using driver = driverOf((stream) => {
      stream
        .process(() => ({ process: (record, context) => context.forward(record) }))
        .mapValues((value) => {
          if (value === 'below') throw new Error('no')
          return value
        })
      stream.process(() => ({
        process(record, context) {
          context.forward(record)
          throw new Error('no')
        },
      }))
    })
    const thrownBy = (operator: string) =>
      expect.objectContaining({ code: 'OPERATOR_FAILED', at: expect.objectContaining({ operator, offset: 0 }) })
    const pipe = (value: string) => driver.input(words).pipe({ key: 'k', value, timestamp: 1 })
    expect(() => pipe('below')).toThrow(thrownBy('KSTREAM-MAPVALUES-0000000002'))
    expect(() => pipe('here')).toThrow(thrownBy('KSTREAM-PROCESSOR-0000000003'))
  })

  it('and init that throws', () => {
    const start = () =>
      driverOf((stream) =>
        stream.process(() => ({
          init() {
            throw new Error('no disk')
          },
          process: () => {},
        })),
      )
    expect(start).toThrow(
      expect.objectContaining({ code: 'OPERATOR_FAILED', message: expect.stringContaining('no disk') }),
    )
  })
})

describe('processValues', () => {
  it('hands on new values with the same key, to be grouped where they are', () => {
    const builder = new StreamsBuilder()
    builder
      .stream(words)
      .processValues(
        () => ({
          process(record, context) {
            context.forward(record.withValue(record.value.length))
            context.forward(record.withValue(record.key.length).withTimestamp(9).withHeaders([header]))
          },
        }),
        { value: serde.json<number>() },
      )
      .groupByKey()
      .reduce((sum, length) => sum + length, { store: 'sums' })
      .toStream()
      .to(lengths)
    const topology = builder.build()
    expect(topology.describe()).toContain('KSTREAM-PROCESSVALUES-0000000001')
    expect(topology.subTopologies).toHaveLength(1)
    using driver = new TopologyTestDriver(topology)
    driver.input(words).pipe({ key: 'k', value: 'four', timestamp: 1 })
    expect(driver.output(lengths).readAll()).toEqual([
      { key: 'k', value: 4, timestamp: 1 },
      { key: 'k', value: 5, timestamp: 9, headers: [header] },
    ])
  })

  it('refuses records that were not made of one it was given', () => {
    using driver = driverOf((stream) =>
      stream.processValues(() => ({
        process: (record, context) => context.forward({ ...record, key: 'other' } as unknown as typeof record),
      })),
    )
    expect(() => driver.input(words).pipe({ key: 'k', value: 'v', timestamp: 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('another key') }),
    )
  })
})
