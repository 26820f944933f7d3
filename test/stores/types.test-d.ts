import { expectTypeOf } from 'vitest'
import {
  keyValueStore,
  type ReadOnlyStoreOf,
  type StoreOf,
  serde,
  timestampedKeyValueStore,
  type Windowed,
  windowStore,
} from '../../src/index.ts'

const counts = keyValueStore('counts', { key: serde.string, value: serde.json<number>() })
declare const store: StoreOf<typeof counts>
declare const reader: ReadOnlyStoreOf<typeof counts>

expectTypeOf(store.get('a')).toEqualTypeOf<number | undefined>()
expectTypeOf(reader.get('a')).toEqualTypeOf<number | undefined>()
for (const [key, value] of store.range({ from: 'a', reverse: true })) {
  expectTypeOf(key).toEqualTypeOf<string>()
  expectTypeOf(value).toEqualTypeOf<number>()
}
store.prefixScan(7, serde.int32)
// @ts-expect-error the store has text as keys
store.get(7)
// @ts-expect-error the store has numbers as values
store.put('a', 'b')
// @ts-expect-error what only reads cannot write
reader.put('a', 1)

const timed = timestampedKeyValueStore('timed', { key: serde.string, value: serde.json<number>() })
declare const timedStore: StoreOf<typeof timed>
expectTypeOf(timedStore.get('a')).toEqualTypeOf<{ readonly value: number; readonly timestamp: number } | undefined>()
// @ts-expect-error a timestamp belongs to each value
timedStore.put('a', 1)

const windows = windowStore('windows', { key: serde.string, value: serde.json<number>(), size: '1m', retention: '1h' })
declare const windowed: StoreOf<typeof windows>
expectTypeOf(windowed.fetch('a', 0)).toEqualTypeOf<number | undefined>()
for (const [start, value] of windowed.fetch('a', { from: 0 })) expectTypeOf([start, value]).toEqualTypeOf<number[]>()
for (const [key] of windowed.all()) expectTypeOf(key).toEqualTypeOf<Windowed<string>>()
// @ts-expect-error windows have a size
windowStore('sizeless', { key: serde.string, value: serde.string, retention: '1h' })
