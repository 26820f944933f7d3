import type { ProcessingContext } from '../../../../src/processor/processor.ts'
import type { StoreDeclaration } from '../../../../src/state/store-declaration.ts'
import { keyValueStore, timestampedKeyValueStore } from '../../../../src/stores/key-value-store.ts'
import { sessionStore } from '../../../../src/stores/session-store.ts'
import { timestampedWindowStore, windowStore } from '../../../../src/stores/window-store.ts'
import type { CaseNode } from '../case.ts'
import { bounded, text, weight } from '../functions.ts'
import type { Drawing, Drawn, Operator, Texts } from './operator.ts'
import { drawName, named, serdeOf } from './operator.ts'

const kinds = ['timestamped', 'bounded', 'window', 'timestampedWindow', 'duplicates', 'session'] as const

/** How far around a record's time windows and sessions are looked for. */
const reach = 5

/** A store of one of the kinds, and what a record finds in it before it changes it: StoreKinds.java has the same in Java. */
interface Kept {
  readonly store: StoreDeclaration
  readonly exchange: (context: ProcessingContext, key: string, value: string, timestamp: number) => string
}

/** Processors with stores of every kind. */
export const storeKinds: Readonly<Record<string, Operator>> = {
  keepValues: {
    weight: 1.5,
    takes: ['stream'],
    draw: ([input], drawing) => drawKept(input, drawing),
    build: (node, { input }) => {
      const { store, exchange } = kept(node)
      return input<Texts>(0).processValues(
        () => ({
          process(record, context) {
            const found = exchange(context, text(record.key), text(record.value), record.timestamp)
            context.forward(record.withValue(bounded(`${text(record.value)}.${node.id}<${found}`)))
          },
        }),
        { ...named(node), value: serdeOf('string'), stores: [store] },
      )
    },
  },
}

function drawKept(input: CaseNode, drawing: Drawing): Drawn {
  const { draw, unique } = drawing
  const kind = draw.one(kinds)
  const size = draw.one([1, 5, 10])
  return {
    is: 'stream',
    key: input.key,
    value: 'string',
    kind,
    // What Kafka Streams logs of windows and sessions that are expired is not compared.
    store: unique(kind === 'timestamped' || kind === 'bounded' ? 'kept' : 'spans'),
    ...(kind === 'bounded' ? { maxEntries: draw.between(1, 3) } : {}),
    ...(kind === 'timestamped' || kind === 'bounded' ? {} : { size, grace: size + draw.one([0, 1, 10, 30]) }),
    ...drawName(drawing, 'keep'),
  }
}

function kept(node: CaseNode): Kept {
  const name = node.store as string
  const serdes = { key: serdeOf('string'), value: serdeOf('string') }
  const spans = { ...serdes, size: node.size as number, retention: node.grace as number }
  switch (node.kind as (typeof kinds)[number]) {
    case 'timestamped':
      return keptWithTimes(name, serdes)
    case 'bounded':
      return keptBounded(name, { ...serdes, maxEntries: node.maxEntries as number })
    case 'session':
      return keptSessions(name, spans)
    case 'timestampedWindow':
      return keptWindowsWithTimes(name, spans)
    case 'window':
      return keptWindows(name, spans)
    case 'duplicates':
      return keptWindows(name, { ...spans, retainDuplicates: true })
  }
}

/** Some values delete. */
function isKept(value: string): boolean {
  return weight(value) % 5 !== 0
}

function keptWithTimes(name: string, options: Parameters<typeof timestampedKeyValueStore<string, string>>[1]): Kept {
  const store = timestampedKeyValueStore(name, options)
  return {
    store,
    exchange(context, key, value, timestamp) {
      const rows = context.store(store)
      const before = rows.get(key)
      rows.put(key, isKept(value) ? { value: bounded(value), timestamp } : null)
      return before === undefined ? 'null' : `${before.value}@${before.timestamp}`
    },
  }
}

function keptBounded(name: string, options: Parameters<typeof keyValueStore<string, string>>[1]): Kept {
  const store = keyValueStore(name, options)
  return {
    store,
    exchange(context, key, value) {
      const rows = context.store(store)
      const before = rows.get(key) ?? null
      rows.put(key, isKept(value) ? bounded(value) : null)
      return `${text(before)}[${[...rows.all()].map(([each]) => each).join()}]`
    },
  }
}

type WindowOptions = Parameters<typeof windowStore<string, string>>[1]

function startOf(timestamp: number, { size }: WindowOptions): number {
  return timestamp - (timestamp % (size as number))
}

function keptWindows(name: string, options: WindowOptions): Kept {
  const store = windowStore(name, options)
  return {
    store,
    exchange(context, key, value, timestamp) {
      const windows = context.store(store)
      const range = { from: Math.max(0, timestamp - reach), to: timestamp + reach }
      const own = [...windows.fetch(key, range)].map(([start, each]) => `${start}:${each}`)
      const all = [...windows.fetchAll(range)].map(([windowed]) => text(windowed))
      windows.put(key, isKept(value) ? bounded(value) : null, startOf(timestamp, options))
      return `${own.join()}[${all.join()}]`
    },
  }
}

function keptWindowsWithTimes(name: string, options: WindowOptions): Kept {
  const store = timestampedWindowStore(name, options)
  return {
    store,
    exchange(context, key, value, timestamp) {
      const windows = context.store(store)
      const start = startOf(timestamp, options)
      const before = windows.fetch(key, start)
      windows.put(key, isKept(value) ? { value: bounded(value), timestamp } : null, start)
      return before === undefined ? 'null' : `${before.value}@${before.timestamp}`
    },
  }
}

/** Sessions that are found become one with the record. */
function keptSessions(name: string, options: Parameters<typeof sessionStore<string, string>>[1]): Kept {
  const store = sessionStore(name, options)
  return {
    store,
    exchange(context, key, value, timestamp) {
      const sessions = context.store(store)
      const range = { earliestEnd: Math.max(0, timestamp - reach), latestStart: timestamp + reach }
      const found = [...sessions.findSessions(key, range)]
      let [start, end] = [timestamp, timestamp]
      for (const [session] of found) {
        start = Math.min(start, session.window.start)
        end = Math.max(end, session.window.end)
        sessions.remove(session)
      }
      if (isKept(value)) sessions.put({ key, window: { start, end } }, bounded(value))
      return found.map(([session, each]) => `${text(session)}:${each}`).join()
    },
  }
}
