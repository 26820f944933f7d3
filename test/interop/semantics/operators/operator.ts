import { countSerde } from '../../../../src/dsl/count-serde.ts'
import type { KStream, KTable } from '../../../../src/dsl/streams.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import type { TopologyBuilder } from '../../../../src/processor/topology-builder.ts'
import type { Serde } from '../../../../src/serde/serde.ts'
import { serde } from '../../../../src/serde/serdes.ts'
import { timestampedKeyValueStore } from '../../../../src/stores/key-value-store.ts'
import { type Topic, topic } from '../../../../src/topic.ts'
import type { CaseNode, Format, Parameter, Shape } from '../case.ts'
import type { Draw } from '../draw.ts'
import { keyFunctions } from '../functions.ts'

/** One operator of the DSL: when it can follow, with which parameters, and how Millrace's DSL is called. */
export interface Operator {
  /** How often it is drawn, against the others. */
  readonly weight: number
  /** The shapes of what it follows; an operator without any is a source. */
  readonly takes: readonly Shape[]
  /** Parameters and what comes out, or undefined where it cannot follow these. */
  readonly draw: (inputs: readonly CaseNode[], drawing: Drawing) => Drawn | undefined
  readonly build: (node: CaseNode, building: Building) => unknown
}

export interface Drawn {
  readonly is: Shape
  readonly key: Format
  readonly value: Format
  readonly [parameter: string]: Parameter
}

/** What an operator may look at while its parameters are drawn. */
export interface Drawing {
  readonly draw: Draw
  /** Whether the case is built with all optimisations. */
  readonly optimize: boolean
  /** The nodes so far. */
  readonly nodes: readonly CaseNode[]
  /** A name that no other node has. */
  readonly unique: (prefix: string) => string
  /** The node that an id stands for. */
  readonly node: (id: string) => CaseNode
}

/**
 * What an operator is built with. To the compiler all keys and values are texts: which they really are is only known when a
 * case is read. What the compiler has to say about types is tested elsewhere.
 */
export interface Building {
  readonly builder: StreamsBuilder
  /** In place of the DSL's, where the case is by hand. */
  readonly hand: TopologyBuilder
  /** The case's. */
  readonly emitEveryMs: number
  /** What was built for the input at that place. */
  readonly input: <T>(place: number) => T
  readonly inputNode: (place: number) => CaseNode
  /** All of the case. */
  readonly nodes: readonly CaseNode[]
}

export type Texts = KStream<string, string>
export type TextTable = KTable<string, string>

const serdes = new Map<string, Serde<string>>()

/** One object for each format, because operators see by the object whether bytes can be passed on. */
export function serdeOf(format: Format): Serde<string> {
  let found = serdes.get(format)
  if (found === undefined) {
    found = makeSerde(format) as Serde<string>
    serdes.set(format, found)
  }
  return found
}

function makeSerde(format: Format): unknown {
  switch (format) {
    case 'string':
      return serde.string
    case 'long':
      return countSerde
    case 'session':
      return serde.sessionWindowed(serde.string)
    default: {
      const size = Number(format.slice('window:'.length))
      return size > Number.MAX_SAFE_INTEGER ? serde.windowed(serde.string) : serde.windowed(serde.string, { size })
    }
  }
}

export function topicOf(name: string, node: CaseNode): Topic<string, string> {
  return topic(name, { key: serdeOf(node.key), value: serdeOf(node.value) })
}

/** `name`, where the case has one. */
export function named(node: CaseNode): { name?: string } {
  return typeof node.name === 'string' ? { name: node.name } : {}
}

/** How long results of windows are kept that are handed on when they close: Kafka Streams would lose them otherwise. */
export const keptLong = 1_000_000

/** Whether what looks results up would find other ones with Millrace's own retention. */
function isKeptLong({ caching, retention }: CaseNode): boolean {
  return retention === keptLong || (caching === true && retention !== undefined)
}

/** `store`, where the case has one; where it is with record caches `caching`, and windows that are kept long. */
export function stored(node: CaseNode): { store?: string; caching?: boolean; retention?: number } {
  return {
    ...(typeof node.store === 'string' ? { store: storeOption(node) } : {}),
    ...(node.caching === true ? { caching: true } : {}),
    ...(isKeptLong(node) ? { retention: node.retention as number } : {}),
  }
}

/** A store that a processor looks at is declared; to the compiler it is a name. */
function storeOption(node: CaseNode): string {
  return node.isDeclared === true ? (declaredRows(node) as unknown as string) : (node.store as string)
}

/** Serdes, which a declared store has already. */
export function unlessDeclared<S>(node: CaseNode, serdes: S): S {
  return node.isDeclared === true ? ({} as S) : serdes
}

type DeclaredRows = ReturnType<typeof timestampedKeyValueStore<string, string>>

const declarations = new Map<string, DeclaredRows>()

/** The declaration of the store that a node keeps its rows in: one object, which operator and processors are given. */
export function declaredRows({ store, key, value }: CaseNode): DeclaredRows {
  const id = `${store}/${key}/${value}`
  const found =
    declarations.get(id) ?? timestampedKeyValueStore(store as string, { key: serdeOf(key), value: serdeOf(value) })
  declarations.set(id, found)
  return found
}

/** An operator is named in a quarter of the cases, so that names and numbers meet. */
export function drawName({ draw, unique }: Drawing, prefix: string): { name?: string } {
  return draw.chance(0.25) ? { name: unique(prefix) } : {}
}

export function drawStore({ draw, unique }: Drawing): { store?: string } {
  return draw.chance(0.4) ? { store: unique('store') } : {}
}

/**
 * What makes a new key of a record. Kafka Streams' optimised topologies drop records without a key also before operators that
 * stood before a repartition, which others take records from: there every record has one.
 */
export function drawKeyFunction({ draw, optimize }: Drawing): (typeof keyFunctions)[number] {
  return draw.one(optimize ? keyFunctions.filter((fn) => fn !== 'fewOrNull') : keyFunctions)
}
