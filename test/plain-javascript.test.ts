import { describe, expect, it } from 'vitest'
import {
  connect,
  keyValueStore,
  type RunOptions,
  run,
  SessionWindows,
  StreamsBuilder,
  serde,
  TimeWindows,
  type Topology,
  TopologyBuilder,
  topic,
  untilTimeLimit,
} from '../src/index.ts'
import { TopologyTestDriver } from '../src/testing/topology-test-driver.ts'

const text = { key: serde.string, value: serde.string }
const words = topic('words', text)
/** What types refuse, in their place. */
const nothing = undefined as never
const none = null as never
const builder = new StreamsBuilder() as unknown as Topology

const stream = () => new StreamsBuilder().stream(words)
const table = () => new StreamsBuilder().table(words)
const grouped = () => stream().groupByKey()
const windowed = () => grouped().windowedBy(TimeWindows.of('1m'))
const sessions = () => grouped().windowedBy(SessionWindows.withGap('1m'))
const count = { value: serde.json<number>() }
const one = () => 1

function driver(): TopologyTestDriver {
  const input = new StreamsBuilder()
  input.stream(words).foreach(() => {})
  return new TopologyTestDriver(input.build())
}

function joinedGlobally(keySelector: never) {
  const joining = new StreamsBuilder()
  return joining.stream(words).join(joining.globalTable(topic('names', text)), one, { keySelector })
}

function joinedByForeignKey(foreignKey: never) {
  const joining = new StreamsBuilder()
  return joining.table(words).join(joining.table(topic('names', text)), one, { foreignKey })
}

const needsFunction = (method: string, parameter: string, given = 'null') =>
  `${method}(...) needs a function as its ${parameter}, and is given ${given}. `

/** What types refuse and plain JavaScript does not is said in the engine's own words. */
describe('without types', () => {
  it.each([
    [
      () => topic('words', nothing),
      "topic('words', ...) needs options, and is given undefined. Give at least the serdes",
    ],
    [() => topic(nothing, text), "'undefined' is not a topic name"],
    [
      () => topic('words', { key: serde.string, value: serde.json as never }),
      "The value of topic('words', ...) needs a serde, and is given a function. Call it",
    ],
    [() => topic('words', { ...text, timestamp: 5 as never }), needsFunction('topic', 'timestamp', 'the number 5')],
    [() => serde.windowed(nothing), 'windowed(...) needs a serde, and is given undefined'],
    [() => keyValueStore('seen', nothing), "keyValueStore('seen', ...) needs options, and is given undefined"],
    [() => new StreamsBuilder().stream(nothing), 'stream(...) needs a topic, and is given undefined. Declare'],
    [() => new StreamsBuilder().stream([words, nothing]), 'stream(...) needs a topic, and is given undefined'],
    [() => new StreamsBuilder().stream(builder as never), 'stream(...) needs a topic, and is given an object'],
    [() => new StreamsBuilder().table('words' as never), "table(...) needs a topic, and is given 'words'"],
    [() => new StreamsBuilder().globalTable(nothing), 'globalTable(...) needs a topic, and is given undefined'],
    [() => stream().to('other' as never), "to(...) needs a topic, and is given 'other'"],
    [() => new TopologyBuilder().addSource('in', nothing), 'addSource(...) needs a topic, and is given undefined'],
    [
      () => new TopologyBuilder().addProcessor('do', () => ({ process() {} }), nothing),
      'addProcessor(...) needs options',
    ],
  ])('%s is refused, saying what is needed', (call, what) => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) }))
  })

  it.each([
    [() => stream().filter(none), needsFunction('filter', 'predicate')],
    [() => stream().filterNot(none), needsFunction('filterNot', 'predicate')],
    [() => stream().map(none), needsFunction('map', 'mapper')],
    [() => stream().mapValues(none), needsFunction('mapValues', 'mapper')],
    [() => stream().flatMap(none), needsFunction('flatMap', 'mapper')],
    [() => stream().flatMapValues(none), needsFunction('flatMapValues', 'mapper')],
    [() => stream().selectKey(none), needsFunction('selectKey', 'mapper')],
    [() => stream().peek(none), needsFunction('peek', 'action')],
    [() => stream().foreach(none), needsFunction('foreach', 'action')],
    [() => stream().print(none), needsFunction('print', 'write')],
    [() => stream().groupBy(none, text), needsFunction('groupBy', 'selector')],
    [() => stream().split().branch(none), needsFunction('branch', 'predicate')],
    [() => stream().join(table(), none), needsFunction('join', 'joiner')],
    [() => stream().leftJoin(table(), none), needsFunction('leftJoin', 'joiner')],
    [() => stream().outerJoin(stream(), none, nothing), needsFunction('outerJoin', 'joiner')],
    [() => joinedGlobally(none), needsFunction('join', 'keySelector')],
    [() => joinedByForeignKey(none), needsFunction('join', 'foreignKey')],
    [() => table().filter(none), needsFunction('filter', 'predicate')],
    [() => table().filterNot(none), needsFunction('filterNot', 'predicate')],
    [() => table().mapValues(none), needsFunction('mapValues', 'mapper')],
    [() => table().groupBy(none, text), needsFunction('groupBy', 'selector')],
    [() => table().join(table(), none), needsFunction('join', 'joiner')],
    [() => table().leftJoin(table(), none), needsFunction('leftJoin', 'joiner')],
    [() => table().outerJoin(table(), none), needsFunction('outerJoin', 'joiner')],
    [() => grouped().reduce(none), needsFunction('reduce', 'reducer')],
    [() => grouped().aggregate(none, one, count), needsFunction('aggregate', 'initializer')],
    [() => grouped().aggregate(one, none, count), needsFunction('aggregate', 'aggregator')],
    [() => grouped().cogroup(none), needsFunction('cogroup', 'aggregator')],
    [() => grouped().cogroup(one).aggregate(none, count), needsFunction('aggregate', 'initializer')],
    [() => windowed().reduce(none), needsFunction('reduce', 'reducer')],
    [() => windowed().aggregate(one, none, count), needsFunction('aggregate', 'aggregator')],
    [() => sessions().reduce(none), needsFunction('reduce', 'reducer')],
    [() => sessions().aggregate(one, one, none, count), needsFunction('aggregate', 'merger')],
    [
      () =>
        table()
          .groupBy((v) => [v, v], text)
          .reduce((v) => v, none),
      needsFunction('reduce', 'subtractor'),
    ],
    [
      () =>
        table()
          .groupBy((v) => [v, v], text)
          .aggregate(one, none, one, count),
      needsFunction('aggregate', 'adder'),
    ],
    [() => stream().process(none), "The processor 'KSTREAM-PROCESSOR-0000000001' needs a function that makes it"],
    [() => stream().process((() => {}) as never), 'to return an object with process(), and is given undefined'],
    [() => stream().processValues((() => ({})) as never), 'to return an object with process(), and is given an object'],
    [() => table().transformValues(none), "The processor 'transformValues' needs a function that makes it"],
    [() => table().transformValues((() => ({})) as never), 'to return an object with transform()'],
  ])('%s is refused, saying which function it is', (call, what) => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) }))
  })

  it.each([
    [() => stream().groupBy((v) => v, nothing), 'groupBy(...) needs options, and is given undefined'],
    [() => table().groupBy((v) => [v, v], nothing), 'groupBy(...) needs options, and is given undefined'],
    [() => grouped().aggregate(one, one, nothing), 'The operator needs options, and is given undefined'],
    [() => grouped().count({ value: serde.json as never }), 'The operator needs a serde, and is given a function'],
    [() => grouped().windowedBy('1m' as never), "windowedBy(...) needs windows, and is given '1m'"],
    [() => grouped().cogroup(one).windowedBy(nothing), 'windowedBy(...) needs windows, and is given undefined'],
    [() => table().suppress(nothing), 'suppress(...) needs options, and is given undefined'],
    [() => untilTimeLimit('1m', nothing), 'untilTimeLimit(...) needs options, and is given undefined'],
    [() => new TopologyTestDriver(builder), 'This is a builder, not a topology'],
    [() => new TopologyTestDriver(nothing), 'This is no topology'],
    [() => driver().input(nothing), 'input(...) needs a topic'],
    [() => driver().output('words' as never), 'output(...) needs a topic'],
    [() => driver().input(words).pipe(nothing), 'pipe(...) needs options'],
  ])('%s is refused, saying which options are needed', (call, what) => {
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(what) }))
  })

  it('run says what it is given in place of a topology or options', async () => {
    const options: RunOptions = { applicationId: 'a', cluster: 'memory:' }
    const refused = (message: string) => ({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) })
    await expect(run(builder, options)).rejects.toMatchObject(refused('This is a builder, not a topology'))
    const input = new StreamsBuilder()
    input.stream(words).foreach(() => {})
    const runWith = (wrong: object) => run(input.build(), { ...options, ...wrong })
    await expect(run(input.build(), nothing)).rejects.toMatchObject(refused('run(...) needs options'))
    await expect(runWith({ applicationId: undefined })).rejects.toMatchObject(refused('is not an application id'))
    await expect(runWith({ cluster: undefined })).rejects.toMatchObject(refused('run(...) needs a cluster'))
    await expect(runWith({ cluster: {} })).rejects.toMatchObject(refused('run(...) needs a cluster'))
    await expect(runWith({ badRecords: 'ignore' })).rejects.toMatchObject(refused("badRecords cannot be 'ignore'"))
    await expect(runWith({ guarantee: 'once' })).rejects.toMatchObject(refused("guarantee cannot be 'once'"))
  })

  it('a connection says what it is given in place of topics', async () => {
    const refused = (message: string) => ({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) })
    await expect(connect(nothing)).rejects.toMatchObject(refused("'undefined' is not the address of a cluster"))
    await using connection = await connect('memory:')
    await expect(connection.createTopics(words as never)).rejects.toMatchObject(refused('an array of topics'))
    expect(() => connection.producer(nothing)).toThrow(expect.objectContaining(refused('producer(...) needs a topic')))
    expect(() => connection.consume(nothing, nothing)).toThrow(expect.objectContaining(refused('consume(...) needs a')))
    expect(() => connection.consume(words, nothing)).toThrow(expect.objectContaining(refused('consume(...) needs op')))
  })
})
