import { join } from 'node:path'
import ts from '@typescript/typescript6'
import { describe, expect, it } from 'vitest'
import { root } from '../source-files.ts'

/**
 * What users read when they hand in a wrong serde, key, store or window: one line that names both types. The lines below it,
 * which the compiler adds to say how it came to that, are not compared.
 */
const preamble = `
import { GlobalKTable, JoinWindows, SessionWindows, StreamsBuilder, TimeWindows, TopologyBuilder, keyValueStore, serde, timestampedKeyValueStore, topic, untilWindowCloses } from '../src/index.ts'
interface Reading { site: string; celsius: number }
const readings = topic('readings', { key: serde.string, value: serde.json<Reading>() })
const numbers = topic('numbers', { key: serde.string, value: serde.float64 })
const byNumber = topic('by-number', { key: serde.float64, value: serde.string })
const builder = new StreamsBuilder()
const stream = builder.stream(readings)
const table = builder.table(numbers)
const global = builder.globalTable(byNumber)
`

const mistakes: Readonly<Record<string, string>> = {
  'stream.to(numbers)':
    "Argument of type 'Topic<string, number>' is not assignable to parameter of type 'SinkTopic<string, Reading>'.",
  'stream.selectKey((r) => r.celsius).to(readings)':
    "Argument of type 'Topic<string, Reading>' is not assignable to parameter of type 'SinkTopic<number, Reading>'.",
  'stream.groupByKey({ key: serde.float64 })': "Type 'Serde<number>' is not assignable to type 'Serde<string>'.",
  'stream.groupByKey().count({ value: serde.string })':
    "Type 'Serde<string>' is not assignable to type 'Serde<number>'.",
  'stream.groupByKey().aggregate(() => 0, (sum, r) => sum + r.celsius, { value: serde.string })':
    "Type 'number' is not assignable to type 'string'.",
  'stream.groupBy((r) => r.celsius, { key: serde.string })': "Type 'number' is not assignable to type 'string'.",
  'stream.groupBy((r) => r.site)': 'Expected 2 arguments, but got 1.',
  "stream.groupByKey().windowedBy('1m')":
    "Argument of type 'string' is not assignable to parameter of type 'AnyWindows'.",
  "stream.groupByKey().windowedBy(TimeWindows.of('1 minute'))":
    "Argument of type '\"1 minute\"' is not assignable to parameter of type 'Duration'.",
  "stream.groupByKey().windowedBy(SessionWindows.withGap('1m')).aggregate(() => 0, (n) => n, { value: serde.float64 })":
    'Expected 4 arguments, but got 3.',
  "builder.table(readings, { versioned: '1h', caching: true })": "Type 'true' is not assignable to type 'false'.",
  'stream.groupByKey().count().suppress(untilWindowCloses())':
    "Argument of type 'UntilWindowCloses' is not assignable to parameter of type 'SuppressedFor<string>'.",
  "stream.groupByKey().windowedBy(TimeWindows.of('1m')).count().toStream().to(numbers)":
    "Argument of type 'Topic<string, number>' is not assignable to parameter of type 'SinkTopic<Windowed<string>, number>'.",
  'stream.join(builder.table(byNumber), (r, name) => name)':
    "Argument of type 'KTable<number, string>' is not assignable to parameter of type 'Joinable<string>'.",
  'stream.join(readings, (r, other) => other)':
    "Argument of type 'Topic<string, Reading>' is not assignable to parameter of type 'Joinable<string>'.",
  "stream.join(table, (r, n) => n, { grace: '5 minutes' })":
    "Type '\"5 minutes\"' is not assignable to type 'Duration | undefined'.",
  'stream.join(table, (r, n) => n, { key: serde.float64 })':
    "Type 'Serde<number>' is not assignable to type 'Serde<string>'.",
  "stream.join(table, (r, n) => n, { within: JoinWindows.of('1m') })":
    "Object literal may only specify known properties, and 'within' does not exist in type 'JoinOptions<string, Reading>'.",
  'stream.join(builder.stream(numbers), (r, n) => n)': 'Expected 3 arguments, but got 2.',
  'stream.join(builder.stream(numbers), (r, n) => n, {})':
    "Argument of type '{}' is not assignable to parameter of type 'StreamJoinOptions<string, Reading, number>'.",
  'stream.leftJoin(builder.stream(numbers), (r, n) => n, { within: 5 })':
    "Type 'number' is not assignable to type 'JoinWindows'.",
  'stream.outerJoin(builder.stream(numbers), (r, n) => n, { within: 5 })':
    "Type 'number' is not assignable to type 'JoinWindows'.",
  "stream.join(builder.stream(byNumber), (r, n) => n, { within: JoinWindows.of('1m') })":
    "Argument of type 'KStream<number, string>' is not assignable to parameter of type 'Joinable<string>'.",
  'stream.join(global, (r, name) => name)': 'Expected 3 arguments, but got 2.',
  'stream.join(global, (r, name) => name, {})':
    "Argument of type '{}' is not assignable to parameter of type 'GlobalTableJoinOptions<string, Reading, number>'.",
  'stream.join(global, (r, name) => name, { keySelector: (r) => r.site })':
    "Type 'string' is not assignable to type 'number'.",
  'stream.join(global, (r, name) => name, { keySelector: 5 })':
    "Type 'number' is not assignable to type '(value: Reading, key: string) => number | null | undefined'.",
  "table.join(builder.table(byNumber), (n, name) => name, { foreignKey: () => 'x' })":
    "Type 'string' is not assignable to type 'number'.",
  'table.leftJoin(builder.table(byNumber), (n, name) => name, { foreignKey: 5 })':
    "Type 'number' is not assignable to type '(value: number, key: string) => number | null | undefined'.",
  'table.join(table, (n, m) => n + m, { value: serde.string })':
    "Type 'Serde<string>' is not assignable to type 'Serde<number>'.",
  'table.join(builder.table(byNumber), (n, name) => name)':
    "Argument of type 'KTable<number, string>' is not assignable to parameter of type 'KTable<string, string>'.",
  'stream.leftJoin(table, (r, n) => n.toFixed())': "'n' is possibly 'null'.",
  'stream.split().branch((r) => r.celsius > 9, { with: (hot) => hot.to(numbers) })':
    "Argument of type 'Topic<string, number>' is not assignable to parameter of type 'SinkTopic<string, Reading>'.",
  'stream.split().branch((r) => r.fahrenheit > 9)': "Property 'fahrenheit' does not exist on type 'Reading'.",
  'stream.split().branch((r) => r.celsius > 9, { with: () => 9 })':
    "Type '() => number' is not assignable to type '(branch: KStream<string, Reading>) => BranchEnd'.",
  "stream.split().branch((r) => r.celsius > 9, { nam: 'hot' })":
    "Object literal may only specify known properties, but 'nam' does not exist in type 'BranchOptions<never, KStream<string, Reading>, KStream<string, Reading>>'. Did you mean to write 'name'?",
  "stream.groupByKey().count({ store: keyValueStore('plain', { key: serde.string, value: serde.float64 }) })":
    "Type 'Declared<string, number>' is not assignable to type 'string | RowStore<string, number> | undefined'.",
  "stream.groupByKey().count({ store: timestampedKeyValueStore('names', { key: serde.string, value: serde.string }) })":
    "Type 'Declared<string, ValueAndTimestamp<string>> & RowStore<string, string>' is not assignable to type 'string | RowStore<string, number> | undefined'.",
  'stream.filter(async (r) => r.celsius > 1)': "Type 'Promise<boolean>' is not assignable to type 'boolean'.",
  'stream.filter((r) => r.celsius)': "Type 'number' is not assignable to type 'boolean'.",
  'table.filter(async (n) => n > 1)': "Type 'Promise<boolean>' is not assignable to type 'boolean'.",
  'table.filter((n) => n > 1, { value: serde.string })':
    "Type 'Serde<string>' is not assignable to type 'Serde<number>'.",
  'stream.groupByKey(serde.string)':
    "Argument of type 'Serde<string>' is not assignable to parameter of type 'GroupByKeyOptions<string, Reading>'.",
  'stream.repartition(serde.string)':
    "Argument of type 'Serde<string>' is not assignable to parameter of type 'RepartitionOptions<string, Reading>'.",
  'stream.groupByKey().count(serde.float64)':
    "Argument of type 'Serde<number>' is not assignable to parameter of type 'StoreOptions<string, number, RowStore<string, number>>'.",
  'table.toStream({ name: 5 })': "Type 'number' is not assignable to type 'string'.",
  "table.toStream('site')":
    "Argument of type 'string' is not assignable to parameter of type 'OperatorOptions | ((value: number, key: string) => unknown)'.",
  'table.toStream((n) => n.site)': "Property 'site' does not exist on type 'number'.",
  'table.toStream((n) => n).to(numbers)':
    "Argument of type 'Topic<string, number>' is not assignable to parameter of type 'SinkTopic<number, number>'.",
  "new TopologyBuilder().addSink('out', 5, { parents: [] })":
    "Argument of type 'number' is not assignable to parameter of type 'TopicNameExtractor<unknown, unknown> | SinkTopic<unknown, unknown>'.",
  "stream.to(readings, { nam: 'x' })":
    "Object literal may only specify known properties, but 'nam' does not exist in type 'ToOptions<string, Reading>'. Did you mean to write 'name'?",
  'stream.to((r) => r.site, { key: serde.float64, value: readings.value })':
    "Type 'Serde<number>' is not assignable to type 'SinkSerde<string>'.",
  'stream.filter((r) => r.fahrenheit > 1)': "Property 'fahrenheit' does not exist on type 'Reading'.",
  'table.mapValues((n) => n + 1, { value: serde.string })': "Type 'number' is not assignable to type 'string'.",
  "builder.table(numbers, { stor: 'rows' })":
    "Object literal may only specify known properties, but 'stor' does not exist in type 'SourceTableOptions<string, number>'. Did you mean to write 'store'?",
  "topic('x', { key: serde.string, value: serde.float64, timestamp: (n) => n.at })":
    "Property 'at' does not exist on type 'number'.",
}

function firstLines(sources: readonly string[]): Map<string, string[]> {
  const path = join(root, 'test', 'compile-errors.ts')
  const text = `${preamble}${sources.join('\n')}\n`
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
      ts.sys,
      root,
    ).options,
    noUnusedLocals: false,
    noUnusedParameters: false,
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, target, ...rest) =>
    name === path ? ts.createSourceFile(name, text, target) : getSourceFile.call(host, name, target, ...rest)
  host.fileExists = (name) => name === path || fileExists.call(host, name)
  host.readFile = (name) => (name === path ? text : readFile.call(host, name))
  const program = ts.createProgram([path], options, host)
  const source = program.getSourceFile(path) as ts.SourceFile
  const firstLine = preamble.split('\n').length - 1
  const found = new Map<string, string[]>(sources.map((one) => [one, []]))
  for (const diagnostic of program.getSemanticDiagnostics(source)) {
    const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n').split('\n')[0] as string
    found.get(sources[line - firstLine] ?? '')?.push(message)
  }
  return found
}

describe('what the compiler says', () => {
  const found = firstLines(Object.keys(mistakes))

  it.each(Object.entries(mistakes))('of %s', (source, message) => {
    expect(found.get(source)).toEqual([message])
  })
})
