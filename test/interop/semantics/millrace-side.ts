import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import { messageOf } from '../../../src/errors.ts'
import { TopologyBuilder } from '../../../src/processor/topology-builder.ts'
import type { RecordHeader } from '../../../src/record/headers.ts'
import { serde } from '../../../src/serde/serdes.ts'
import type { TestInput } from '../../../src/testing/test-input.ts'
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts'
import { topic } from '../../../src/topic.ts'
import type { Topology } from '../../../src/topology/topology.ts'
import {
  type Answer,
  type Case,
  type CaseEvent,
  type CaseNode,
  isSink,
  type OutputLine,
  type PipeEvent,
  type StoreContents,
} from './case.ts'
import { type Data, text } from './functions.ts'
import { serdeOf, topicOf } from './operators/operator.ts'
import { operators } from './operators/operators.ts'

/** Runs a case with Millrace's DSL and TopologyTestDriver. */
export function runMillrace(given: Case): Answer {
  const { id, nodes } = given
  const steps: (readonly OutputLine[])[] = []
  let isRunning = false
  try {
    const topology = buildTopology(given)
    const { cacheBytes: maxCacheBytes = 0 } = given
    using driver = new TopologyTestDriver(topology, { applicationId: 'app', maxCacheBytes })
    const session = new Session(driver, nodes)
    isRunning = true
    for (const event of given.events) steps.push(session.step(event))
    const topics = driver.producedTopics()
    return { id, describe: topology.describe(), steps, topics, stores: storesOf(driver, topics) }
  } catch (error) {
    return { id, error: messageOf(error), ...(isRunning ? { failedAt: steps.length } : {}) }
  }
}

export function buildTopology({ nodes, optimize, byHand, emitEveryMs = 0 }: Case): Topology {
  const builder = new StreamsBuilder()
  const hand = new TopologyBuilder()
  const built = new Map<string, unknown>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const node of nodes) {
    const result = operators[node.op].build(node, {
      builder,
      hand,
      emitEveryMs,
      nodes,
      input: <T>(place: number) => built.get(node.of[place]) as T,
      inputNode: (place) => byId.get(node.of[place]) as CaseNode,
    })
    built.set(node.id, result)
  }
  return byHand ? hand.build() : builder.build({ optimize })
}

function storesOf(driver: TopologyTestDriver, topics: readonly string[]): Record<string, StoreContents> {
  const changelogs = topics.filter((name) => name.endsWith('-changelog'))
  return Object.fromEntries(changelogs.map((name) => [name, contentsOf(driver, name)]))
}

function contentsOf(driver: TopologyTestDriver, changelog: string): StoreContents {
  const rows = new Map<string, readonly [value: string, timestamp: number]>()
  const records = driver.output(topic(changelog, { key: serde.bytes, value: serde.bytes })).readAll()
  for (const { key, value, timestamp } of records) {
    if (key === null) continue
    if (value === null) rows.delete(letters(key))
    else rows.set(letters(key), [letters(value), timestamp])
  }
  return Object.fromEntries(rows)
}

/** Each byte as the letter of that number. */
function letters(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** The driver's topics, opened once. */
class Session {
  readonly #driver: TopologyTestDriver
  readonly #inputs = new Map<string, TestInput<string, string>>()
  readonly #outputs: readonly [topic: string, read: () => OutputLine[]][]

  constructor(driver: TopologyTestDriver, nodes: readonly CaseNode[]) {
    this.#driver = driver
    const sinks = new Map(nodes.filter(isSink).map((node) => [node.topic as string, node]))
    this.#outputs = [...sinks].map(([name, node]) => {
      const output = driver.output(topicOf(name, node))
      const read = () =>
        output.readAll().map(({ key, value, timestamp, headers }) => line(name, key, value, timestamp, headers))
      return [name, read]
    })
  }

  step(event: CaseEvent): OutputLine[] {
    if ('restart' in event) this.#driver.restart()
    else if ('wallclock' in event) this.#driver.advanceWallClockTime(event.wallclock)
    else if ('batch' in event) this.#driver.batch(() => event.batch.forEach((each) => void this.#pipe(each)))
    else this.#pipe(event)
    return this.#outputs.flatMap(([, read]) => read())
  }

  #pipe({ topic: name, key, value, ts, headers }: PipeEvent): void {
    this.#input(name).pipe({
      key,
      value,
      timestamp: ts,
      headers: (headers ?? []).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    })
  }

  #input(name: string): TestInput<string, string> {
    let input = this.#inputs.get(name)
    if (input === undefined) {
      input = this.#driver.input(topic(name, { key: serdeOf('string'), value: serdeOf('string') }))
      this.#inputs.set(name, input)
    }
    return input
  }
}

function line(
  topic: string,
  key: Data,
  value: Data,
  timestamp: number,
  headers: readonly RecordHeader[] | undefined,
): OutputLine {
  const texts = [topic, key === null ? null : text(key), value === null ? null : text(value), timestamp] as const
  if (headers === undefined || headers.length === 0) return texts
  return [...texts, headers.map((header) => [header.key, String(header.value)] as const)]
}
