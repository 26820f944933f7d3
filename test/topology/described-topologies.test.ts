import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SlidingWindows } from '../../src/dsl/sliding-windows.ts'
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts'
import { untilTimeLimit } from '../../src/dsl/suppressed.ts'
import { UnlimitedWindows } from '../../src/dsl/unlimited-windows.ts'
import { SessionWindows, TimeWindows } from '../../src/dsl/windows.ts'
import { type Topic, topic } from '../../src/topic.ts'
import { text } from './topology-fixtures.ts'

const named = (name: string) => topic(name, { key: text, value: text })
const toAny = (name: string) => topic(name, { key: text, value: text }) as unknown as Topic<unknown, unknown>
const adding = (before: string, value: string): string => before + value
const none = (): string => ''
const stored = { value: text }
const byValue = { key: text }

const written: Readonly<Record<string, (b: StreamsBuilder) => void>> = {
  'cogroup of one stream': (b) => {
    b.stream(named('a')).groupByKey().cogroup(adding).aggregate(none, stored).toStream().to(named('out'))
  },
  'cogroup named': (b) => {
    const [first, second] = [b.stream(named('a')).groupByKey(), b.stream(named('b')).groupByKey()]
    const both = first.cogroup(adding).cogroup(second, adding)
    both
      .aggregate(none, { ...stored, name: 'cg', store: 'st' })
      .toStream()
      .to(named('out'))
  },
  'cogroup in windows, re-keyed and named': (b) => {
    const first = b.stream(named('a')).groupBy((v) => v, { ...byValue, name: 'g1' })
    const second = b.stream(named('b')).groupBy((v) => v, { ...byValue, name: 'g2' })
    const windows = first.cogroup(adding).cogroup(second, adding).windowedBy(TimeWindows.of(10))
    windows.aggregate(none, stored).toStream().to(toAny('out'))
  },
  'cogroup in sessions, one re-keyed': (b) => {
    const first = b.stream(named('a')).groupBy((v) => v, byValue)
    const both = first.cogroup(adding).cogroup(b.stream(named('b')).groupByKey(), adding)
    both.windowedBy(SessionWindows.withGap(10)).aggregate(none, adding, stored).toStream().to(toAny('out'))
  },
  'cogroup in sliding windows, named operator': (b) => {
    const first = b.stream(named('a')).groupByKey()
    const both = first.cogroup(adding).cogroup(b.stream(named('b')).groupByKey(), adding)
    const windows = both.windowedBy(SlidingWindows.of(10))
    windows
      .aggregate(none, { ...stored, name: 'sl' })
      .toStream()
      .to(toAny('out'))
  },
  'cogroup aggregated twice': (b) => {
    const first = b.stream(named('a')).groupBy((v) => v, { ...byValue, name: 'g1' })
    const both = first.cogroup(adding).cogroup(b.stream(named('b')).groupByKey(), adding)
    both
      .aggregate(none, { ...stored, store: 's1' })
      .toStream()
      .to(named('out'))
    const windows = both.windowedBy(UnlimitedWindows.of())
    windows
      .aggregate(none, { ...stored, store: 's2' })
      .toStream()
      .to(toAny('out2'))
  },
  'cogroup unnamed aggregated twice': (b) => {
    const first = b.stream(named('a')).groupBy((v) => v, byValue)
    const both = first.cogroup(adding).cogroup(b.stream(named('b')).groupByKey(), adding)
    both.aggregate(none, stored).toStream().to(named('out'))
    both.aggregate(none, stored).toStream().to(named('out2'))
  },
  print: (b) => {
    const stream = b.stream(named('a'))
    stream.print(() => {})
    stream.print(() => {}, { label: 'lab', name: 'pn' })
  },
  'table to stream with new keys, named': (b) => {
    const stream = b.table(named('t')).toStream((v) => v, { name: 'x' })
    stream.groupByKey(byValue).count({ name: 'cnt', store: 'mm' }).toStream().to(toAny('out'))
  },
  'table to stream with new keys': (b) => {
    const stream = b.table(named('t')).toStream((v) => v)
    stream.groupByKey(byValue).count().toStream().to(toAny('out'))
  },
  'suppress of a table': (b) => {
    b.table(named('t')).suppress(untilTimeLimit(10, 'unbounded')).toStream().to(named('out'))
  },
  'suppress of a mapped table, named': (b) => {
    const mapped = b.table(named('t')).mapValues((v) => v, stored)
    const waiting = mapped.suppress(untilTimeLimit(10, { maxRecords: 5, whenFull: 'emit-early' }), { name: 'sup' })
    waiting
      .filter(() => true)
      .toStream()
      .to(named('out'))
  },
  'sliding windows that emit when they close': (b) => {
    const windows = b.stream(named('a')).groupByKey().windowedBy(SlidingWindows.of(10)).emit('window-close')
    windows.count({ name: 'c', store: 's' }).toStream().to(toAny('out'))
  },
}

function readDescriptions(): Map<string, string> {
  const file = join(import.meta.dirname, '../vectors/described-topologies.txt')
  const blocks = readFileSync(file, 'utf8').split(/^### /m).slice(1)
  return new Map(
    blocks.map((block) => {
      const at = block.indexOf('\n')
      return [block.slice(0, at), block.slice(at + 1).trimEnd()]
    }),
  )
}

describe('topologies as Kafka Streams 4.1.1 described them', () => {
  const descriptions = readDescriptions()

  it('are all written here', () => {
    expect(Object.keys(written)).toEqual([...descriptions.keys()])
  })

  it.each(Object.keys(written))('%s', (title) => {
    const builder = new StreamsBuilder()
    written[title]?.(builder)
    expect(builder.build().describe().trimEnd()).toBe(descriptions.get(title))
  })
})
