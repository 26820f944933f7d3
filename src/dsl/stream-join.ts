import { type Duration, toMilliseconds } from '../duration.ts'
import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import type { Logging } from '../state/changelog-config.ts'
import type { StoreEngineFactory } from '../state/store-engine.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { JoinKind } from './join-kind.ts'
import { JoinWindows } from './join-windows.ts'
import type { JoinSideStore } from './operator-options.ts'
import { joinWindow } from './operators/join-window.ts'
import { selfJoin } from './operators/self-join.ts'
import { passThrough } from './operators/stateless.ts'
import { type StreamJoiner, type StreamJoinSide, streamStreamJoin } from './operators/stream-stream-join.ts'
import type { Plan, ProcessorPlan, StreamState } from './plan.ts'
import { declareJoinStore, declareUnjoinedStore } from './store-declarations.ts'
import { givenOrTracked, requireSerde, type TrackedSerde } from './tracked-serde.ts'

/** StreamJoinOptions without its types. */
export interface StreamJoinSettings {
  readonly within: JoinWindows
  readonly name?: string
  readonly store?: string
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly otherValue?: Serde<unknown>
  readonly emitEvery?: Duration
  readonly engine?: StoreEngineFactory
  readonly thisStore?: JoinSideStore
  readonly otherStore?: JoinSideStore
  readonly logging?: Logging
}

export interface StreamJoinParts {
  readonly kind: JoinKind
  readonly joiner: StreamJoiner
  readonly options: StreamJoinSettings
}

/** The names of a join's operators and stores: Kafka Streams', which take their numbers also where the user names them. */
interface JoinNames {
  readonly thisWindow: string
  readonly otherWindow: string
  readonly thisJoin: string
  readonly otherJoin: string
  readonly merge: string
  readonly thisStore: string
  readonly otherStore: string
  readonly unjoined: string
}

/** Adds the join of two streams whose records lie in the partitions of their keys. */
export function addStreamJoin(left: StreamState, right: StreamState, parts: StreamJoinParts): StreamState {
  const { plan } = left
  const { kind, joiner, options } = parts
  const names = namesOf(plan, parts)
  const serdes = serdesOf(left, right, names, parts)
  const { within } = options
  const emitEveryMs = toMilliseconds(options.emitEvery ?? 0, 'time between two searches')
  const { thisStore, otherStore, unjoined } = storesOf(names, serdes, parts)
  const shared = unjoined === undefined ? [] : [unjoined]

  const window = (name: string, parent: StreamState, kept: typeof thisStore): ProcessorPlan =>
    plan.addProcessor(name, joinWindow(kept.name), [parent.node], { stores: [kept] })
  const thisWindow = window(names.thisWindow, left, thisStore)
  const otherWindow = window(names.otherWindow, right, otherStore)
  const takesNullKeys = kind !== 'inner'
  const side = (name: string, parent: ProcessorPlan, other: typeof thisStore, isLeft: boolean): ProcessorPlan => {
    const isOuter = kind === 'outer' || (isLeft && kind === 'left')
    const how: StreamJoinSide = {
      joiner,
      windows: within,
      emitEveryMs,
      isLeft,
      isOuter,
      otherStore: other.name,
      unjoined: unjoined?.name,
    }
    return plan.addProcessor(name, streamStreamJoin(how), [parent], { stores: [other, ...shared], takesNullKeys })
  }
  const thisJoin = side(names.thisJoin, thisWindow, otherStore, true)
  const otherJoin = side(names.otherJoin, otherWindow, thisStore, false)
  plan.pair(thisJoin, otherJoin)
  const node = plan.addProcessor(names.merge, passThrough, [thisJoin, otherJoin], {
    joinsPartitions: true,
    ...(kind === 'inner' && serdes.left === serdes.right
      ? {
          selfJoin: {
            create: selfJoin({ joiner, windows: within, store: thisStore.name }),
            store: thisStore,
            thisWindow,
            otherWindow,
          },
        }
      : {}),
  })
  const sameKey = left.key.serde === right.key.serde ? left.key.serde : undefined
  return {
    plan,
    node,
    key: givenOrTracked(options.key, { serde: sameKey, madeBy: names.merge }),
    value: { serde: undefined, madeBy: names.merge },
    keyChanged: false,
  }
}

/** @throws MillraceError INVALID_ARGUMENT where callers in plain JavaScript gave no windows. */
export function requireWindows(within: unknown, operator: string): void {
  if (within instanceof JoinWindows) return
  throw new MillraceError('INVALID_ARGUMENT', 'A join of streams needs to know how far apart records may be', {
    at: { operator },
    remedy: "Give it: { within: JoinWindows.of('5m') }.",
  })
}

function namesOf({ names }: Plan, { kind, options }: StreamJoinParts): JoinNames {
  const { name, store } = options
  const isOuter = kind === 'outer'
  const suffixes = {
    thisJoin: isOuter ? '-outer-this-join' : '-this-join',
    otherJoin: kind === 'inner' ? '-other-join' : '-outer-other-join',
    unjoined: isOuter ? '-outer-shared-join' : '-left-shared-join',
  }
  if (name !== undefined) requireNodeName(name, 'operator')
  if (store !== undefined) requireNodeName(store, 'store')
  const named = (suffix: string): string | undefined => (name === undefined ? undefined : `${name}${suffix}`)
  const thisWindow = names.operator('KSTREAM-WINDOWED-', named('-this-windowed'))
  const otherWindow = names.operator('KSTREAM-WINDOWED-', named('-other-windowed'))
  const thisPrefix = isOuter ? 'KSTREAM-OUTERTHIS-' : 'KSTREAM-JOINTHIS-'
  const thisJoin = names.generated(thisPrefix)
  const otherJoin = names.generated(kind === 'inner' ? 'KSTREAM-JOINOTHER-' : 'KSTREAM-OUTEROTHER-')
  const storeOf = (suffix: string, generated: string): string =>
    `${store === undefined ? generated : `${store}${suffix}`}-store`
  const thisStore = options.thisStore?.name
  const otherStore = options.otherStore?.name
  for (const given of [thisStore, otherStore]) if (given !== undefined) requireNodeName(given, 'store')
  return {
    thisWindow,
    otherWindow,
    thisJoin: named(suffixes.thisJoin) ?? thisJoin,
    otherJoin: named(suffixes.otherJoin) ?? otherJoin,
    merge: names.operator('KSTREAM-MERGE-', named('-merge')),
    thisStore: thisStore ?? storeOf(suffixes.thisJoin, thisJoin),
    otherStore: otherStore ?? storeOf(suffixes.otherJoin, otherJoin),
    unjoined:
      thisStore === undefined
        ? storeOf(suffixes.unjoined, `KSTREAM-OUTERSHARED-${thisJoin.slice(thisPrefix.length)}`)
        : `${thisStore}${suffixes.unjoined}-store`,
  }
}

function storesOf(names: JoinNames, serdes: JoinSerdes, { kind, options }: StreamJoinParts) {
  const { engine, logging, within } = options
  const store = (name: string, value: Serde<unknown>, side: JoinSideStore = {}) =>
    declareJoinStore({ name, key: serdes.key, value, engine: side.engine ?? engine, logging }, within.retentionMs)
  const unjoined = { ...serdes, name: names.unjoined, engine: options.thisStore?.engine ?? engine, logging }
  return {
    thisStore: store(names.thisStore, serdes.left, options.thisStore),
    otherStore: store(names.otherStore, serdes.right, options.otherStore),
    unjoined: kind === 'inner' ? undefined : declareUnjoinedStore(unjoined),
  }
}

type JoinSerdes = Readonly<Record<'key' | 'left' | 'right', Serde<unknown>>>

function serdesOf(
  left: StreamState,
  right: StreamState,
  names: JoinNames,
  { kind, options }: StreamJoinParts,
): JoinSerdes {
  const method = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' }[kind]
  const of = (operator: string, store: string, part: 'key' | 'value', option: string, tracked: TrackedSerde) =>
    requireSerde(tracked, { operator, purpose: `the store '${store}'`, part, option: `${method}(..., { ${option} })` })
  const { thisJoin, otherJoin, thisStore, otherStore } = names
  const key = left.key.serde === undefined ? right.key : left.key
  return {
    key: of(thisJoin, thisStore, 'key', 'key', givenOrTracked(options.key, key)),
    left: of(thisJoin, thisStore, 'value', 'value', givenOrTracked(options.value, left.value)),
    right: of(otherJoin, otherStore, 'value', 'otherValue', givenOrTracked(options.otherValue, right.value)),
  }
}
