import type { ProcessorSupplier } from '../../../../src/processor/processor.ts'
import type { ParentNode } from '../../../../src/processor/topology-builder.ts'
import { keyValueStore } from '../../../../src/stores/key-value-store.ts'
import type { CaseNode } from '../case.ts'
import { bounded, text, weight } from '../functions.ts'
import type { Building, Drawing, Drawn, Operator } from './operator.ts'
import { drawKeyFunction, serdeOf, topicOf } from './operator.ts'
import { drawMetadata, drawTimer, freeProcessor, storeOf, type TextStore } from './processors.ts'

type Parent = ParentNode<string, string>

/** A store that a processor fills from a topic, and the topic's source where others may take its records. */
interface Filled {
  readonly store: TextStore
  readonly source: Parent | undefined
}

const texts = { is: 'node', key: 'string', value: 'string' } as const
const serdes = { key: serdeOf('string'), value: serdeOf('string') }

/** Topologies that are written node by node: ByHand.java has the same in Java. */
export const byHand: Readonly<Record<string, Operator>> = {
  handSource: {
    weight: 1.5,
    takes: [],
    draw: (_inputs, { draw, unique }) => ({
      ...texts,
      topics: Array.from({ length: draw.chance(0.2) ? 2 : 1 }, () => unique('in')),
    }),
    build: (node, { hand }) =>
      hand.addSource(
        node.id,
        (node.topics as readonly string[]).map((name) => topicOf(name, node)),
      ),
  },
  handProcessor: {
    weight: 4,
    takes: ['node'],
    draw: (_inputs, drawing) => drawProcessor(drawing),
    build: addProcessor,
  },
  handJunction: {
    weight: 1,
    takes: ['node', 'node'],
    draw: ([one, other], drawing) => (one === other ? undefined : drawProcessor(drawing)),
    build: addProcessor,
  },
  handReadOnlyStore: {
    weight: 1,
    takes: [],
    draw: drawFilled,
    build: (node, { hand }): Filled => {
      const store = fillable(node)
      const names = { source: `${node.id}-source`, processor: node.id }
      return {
        store,
        source: hand.addReadOnlyStateStore(store, topicOf(node.topic as string, node), filling(store), names),
      }
    },
  },
  handGlobalStore: {
    weight: 1,
    takes: [],
    draw: drawFilled,
    build: (node, { hand }): Filled => {
      const store = fillable(node)
      const names = { source: `${node.id}-source`, processor: node.id }
      hand.addGlobalStore(store, topicOf(node.topic as string, node), filling(store), names)
      return { store, source: undefined }
    },
  },
  handStoreSource: {
    weight: 0.5,
    takes: ['filledStore'],
    draw: ([input], { nodes }) =>
      input.op === 'handGlobalStore' || nodes.some(({ op, of }) => op === 'handStoreSource' && of[0] === input.id)
        ? undefined
        : texts,
    build: (_node, { input }) => input<Filled>(0).source,
  },
  handReader: {
    weight: 3,
    takes: ['node', 'filledStore'],
    draw: () => texts,
    build: (node, { hand, input, inputNode }) => {
      const { store } = input<Filled>(1)
      const reader = hand.addProcessor(node.id, reading(node, store), { parents: input<Parent>(0), ...serdes })
      if (inputNode(1).op === 'handReadOnlyStore') hand.connect(reader, store)
      return reader
    },
  },
  handSink: {
    // Every node that nothing follows is written to a topic anyway.
    weight: 0.2,
    takes: ['node'],
    draw: (_inputs, { unique }) => ({ ...texts, is: 'nothing', topic: unique('out') }),
    build: (node, { hand, input }) =>
      hand.addSink(node.id, topicOf(node.topic as string, node), { parents: input<Parent>(0) }),
  },
}

/**
 * Sometimes it uses the store of a processor before it. No timer hands on the rows of such a store, because what follows may
 * change it meanwhile, and may then meet its own rows or not.
 */
function drawProcessor(drawing: Drawing): Drawn {
  const { draw, nodes, unique } = drawing
  const stores = nodes.flatMap(({ op, store, shares, timer }) =>
    store !== undefined && shares === undefined && timer === undefined && /^hand(Processor|Junction)$/.test(op)
      ? [store as string]
      : [],
  )
  const shared = stores.length > 0 && draw.chance(0.2) ? { store: draw.one(stores), shares: true } : undefined
  return {
    ...texts,
    keyFn: drawKeyFunction(drawing),
    ...(shared ?? (draw.chance(0.4) ? { store: unique('store') } : {})),
    ...(shared === undefined ? drawTimer(drawing) : {}),
    ...drawMetadata(drawing),
  }
}

function drawFilled(_inputs: readonly CaseNode[], { unique }: Drawing): Drawn {
  return { ...texts, is: 'filledStore', topic: unique('in'), store: unique('store') }
}

function addProcessor(node: CaseNode, { hand, input }: Building): Parent {
  const store = storeOf(node)
  const parents = node.of.map((_, place) => input<Parent>(place))
  const added = hand.addProcessor(node.id, () => freeProcessor(node, store), {
    parents,
    ...serdes,
    ...(store === undefined || node.shares === true ? {} : { stores: [store] }),
  })
  if (store !== undefined && node.shares === true) hand.connect(added, store)
  return added
}

function fillable(node: CaseNode): TextStore {
  return keyValueStore<string, string>(node.store as string, { ...serdes, logging: false })
}

/** Keeps of each key what its last record says. */
function filling(declared: TextStore): ProcessorSupplier<string, string, never, never> {
  return () => ({
    process({ key, value }, context) {
      const store = context.store(declared)
      if (weight(value) % 5 === 0) store.delete(text(key))
      else store.put(text(key), bounded(text(value)))
    },
  })
}

/** Puts what the store has for a record's key beside its value. */
function reading(node: CaseNode, declared: TextStore): ProcessorSupplier<string, string, string, string> {
  return () => ({
    process(record, context) {
      const found = context.readOnlyStore(declared).get(text(record.key)) ?? null
      context.forward(record.withValue(bounded(`${text(record.value)}.${node.id}<${text(found)}`)))
    },
  })
}
