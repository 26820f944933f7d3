import type {
  FixedKeyProcessor,
  ProcessingContext,
  Processor,
  ProcessorContext,
} from '../../../../src/processor/processor.ts'
import { type KeyValueStore, keyValueStore } from '../../../../src/stores/key-value-store.ts'
import type { CaseNode } from '../case.ts'
import { bounded, mapKey, text, weight } from '../functions.ts'
import type { Drawing, Operator, Texts } from './operator.ts'
import { declaredRows, drawKeyFunction, drawName, drawStore, named, serdeOf } from './operator.ts'

/** Processors of the user's own: Processors.java has the same in Java. */
export const processors: Readonly<Record<string, Operator>> = {
  process: {
    weight: 2,
    takes: ['stream'],
    draw: (_inputs, drawing) => ({
      is: 'stream',
      key: 'string',
      value: 'string',
      keyFn: drawKeyFunction(drawing),
      ...drawName(drawing, 'process'),
      ...drawStore(drawing),
      ...drawTimer(drawing),
      ...drawMetadata(drawing),
    }),
    build: (node, { input }) => {
      const store = storeOf(node)
      return input<Texts>(0).process(() => freeProcessor(node, store), {
        ...named(node),
        key: serdeOf('string'),
        value: serdeOf('string'),
        ...(store === undefined ? {} : { stores: [store] }),
      })
    },
  },
  processValues: {
    weight: 1.5,
    takes: ['stream'],
    draw: ([input], drawing) => ({
      is: 'stream',
      key: input.key,
      value: 'string',
      ...drawName(drawing, 'process'),
      ...drawStore(drawing),
      ...drawMetadata(drawing),
      ...drawLook(drawing),
    }),
    build: (node, { input, nodes }) => {
      const store = storeOf(node)
      const rows = rowsLookedAt(node, nodes)
      const stores = [
        ...(store === undefined ? [] : [store]),
        ...(rows === undefined || node.looksAtGlobal === true ? [] : [rows]),
      ]
      return input<Texts>(0).processValues(() => fixedProcessor(node, store, rows), {
        ...named(node),
        value: serdeOf('string'),
        ...(stores.length === 0 ? {} : { stores }),
      })
    },
  },
}

export type TextStore = ReturnType<typeof keyValueStore<string, string>>

/** Timers are called by what is before and after them, too: see `settleTimers` in generator.ts. */
export function drawTimer({ draw }: Drawing): { timer?: string; intervalMs?: number } {
  if (draw.chance(0.5)) return {}
  return { timer: draw.one(['stream-time', 'wall-clock']), intervalMs: draw.one([1, 5, 10, 20]) }
}

/** Whether the values say where the record at hand was read. */
export function drawMetadata({ draw }: Drawing): { metadata?: true } {
  return draw.chance(0.3) ? { metadata: true } : {}
}

/** Whether the values say what the store of an operator of the DSL has for the record's key. */
function drawLook({ draw, nodes }: Drawing): { looksAt?: string; looksAtGlobal?: true } {
  const able = nodes.filter(({ is, store, key, historyMs }) => {
    return (
      (is === 'table' || is === 'globalTable') && store !== undefined && key === 'string' && historyMs === undefined
    )
  })
  if (able.length === 0 || !draw.chance(0.8)) return {}
  const { store, is } = draw.one(able)
  return { looksAt: store as string, ...(is === 'globalTable' ? { looksAtGlobal: true } : {}) }
}

function rowsLookedAt({ looksAt }: CaseNode, nodes: readonly CaseNode[]): ReturnType<typeof declaredRows> | undefined {
  const owner = nodes.find((node) => node.store === looksAt && node.isDeclared === true)
  return owner === undefined ? undefined : declaredRows(owner)
}

/** What a processor makes of a value, before a store comes in. */
function marked(node: CaseNode, value: string, { recordMetadata }: ProcessingContext): string {
  const made = `${text(value)}.${node.id}`
  if (node.metadata === undefined) return bounded(made)
  if (recordMetadata === undefined) return bounded(`${made}!`)
  const { topic, partition, offset } = recordMetadata
  return bounded(`${made}!${topic}/${partition}/${offset}`)
}

export function storeOf(node: CaseNode): TextStore | undefined {
  if (node.store === undefined) return undefined
  return keyValueStore<string, string>(node.store as string, { key: serdeOf('string'), value: serdeOf('string') })
}

/** What the store has for the record's key, which the record then replaces, or deletes. */
function exchange(store: KeyValueStore<string, string>, key: string, value: string): string | null {
  const name = text(key)
  const before = store.get(name) ?? null
  if (weight(value) % 5 === 0) store.delete(name)
  else store.put(name, bounded(text(value)))
  return before
}

export function freeProcessor(
  node: CaseNode,
  declared: TextStore | undefined,
): Processor<string, string, string, string> {
  let store: KeyValueStore<string, string> | undefined
  const punctuate = (timestamp: number, context: ProcessorContext<string, string>) => {
    context.forward({ key: 'tick', value: `${node.id}@${timestamp}`, timestamp })
    for (const [key, value] of store?.all() ?? []) context.forward({ key, value, timestamp })
  }
  return {
    init(context) {
      store = declared === undefined ? undefined : context.store(declared)
      if (node.timer === undefined) return
      const type = node.timer === 'stream-time' ? 'stream-time' : 'wall-clock'
      context.schedule(node.intervalMs as number, type, (timestamp) => punctuate(timestamp, context))
    },
    process(record, context) {
      const key = mapKey(node, record.value, record.key)
      let value = marked(node, record.value, context)
      if (store !== undefined) value = bounded(`${value}<${exchange(store, record.key, record.value)}`)
      context.forward(record.withKey(key).withValue(value), node.toChild as string | undefined)
      if (weight(record.value) % 3 !== 0) return
      const headers = [...record.headers, { key: 'p', value: Buffer.from(node.id) }]
      context.forward({ key, value: null, timestamp: record.timestamp + 1, headers })
    },
  }
}

function fixedProcessor(
  node: CaseNode,
  declared: TextStore | undefined,
  rows: ReturnType<typeof declaredRows> | undefined,
): FixedKeyProcessor<string, string, string> {
  let store: KeyValueStore<string, string> | undefined
  return {
    init(context) {
      store = declared === undefined ? undefined : context.store(declared)
    },
    process(record, context) {
      let value = marked(node, record.value, context)
      if (store !== undefined) value = bounded(`${value}<${exchange(store, record.key, record.value)}`)
      if (rows !== undefined) {
        const row = context.readOnlyStore(rows).get(text(record.key))
        value = bounded(`${value}=${text(row?.value ?? null)}`)
      }
      context.forward(record.withValue(value))
      if (weight(record.value) % 3 === 0) context.forward(record.withValue(null).withTimestamp(record.timestamp + 1))
    },
  }
}
