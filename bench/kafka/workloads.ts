import type { Contender, Durability } from './contender.ts'
import { latencies, leanConsume, leanProduce, makeTopic, removeTopic } from './lean-client.ts'
import { consumerPerf, type ProducerLoad, producerPerf } from './perf-tools.ts'

/** What one broker did in one round. */
export interface Result {
  /** Records a second, or milliseconds where less is better. */
  readonly value: number
  readonly records: number
  /** Of each record, for the bytes a second. */
  readonly recordBytes: number
}

export interface Workload {
  readonly name: string
  readonly durability: Durability
  readonly unit: 'records/s' | 'ms'
  /** What is not measured: makes the topic, and fills it where it is read. */
  prepare(contender: Contender, topic: string): Promise<void>
  run(contender: Contender, topic: string): Promise<Result>
  /** Removes the topic. */
  end(contender: Contender, topic: string): Promise<void>
}

/** Small records go by the million. */
function recordsOf(recordBytes: number, scale: number): number {
  return Math.round((recordBytes < 1_000 ? 1_000_000 : 200_000) * scale)
}

export function workloads(scale: number): readonly Workload[] {
  const list: Workload[] = []
  for (const durability of ['page-cache', 'fsync'] as const) {
    for (const recordBytes of [100, 1_000]) {
      for (const acks of ['1', 'all'] as const) {
        for (const compression of ['none', 'lz4'] as const) {
          const load = { records: recordsOf(recordBytes, scale), recordBytes, acks, compression }
          list.push(javaProduce(durability, load))
        }
      }
    }
  }
  for (const recordBytes of [100, 1_000]) {
    list.push(javaConsume(recordBytes, recordsOf(recordBytes, scale)))
    for (const batchBytes of [16_384, 131_072]) {
      list.push(lean('page-cache', recordBytes, batchBytes, 4 * recordsOf(recordBytes, scale)))
    }
    list.push(lean('fsync', recordBytes, 16_384, recordsOf(recordBytes, scale)))
    list.push(leanRead(recordBytes, 4 * recordsOf(recordBytes, scale)))
  }
  for (const durability of ['page-cache', 'fsync'] as const) {
    for (const percentile of [50, 99]) list.push(latency(durability, percentile, Math.round(4_000 * scale)))
  }
  return list
}

const topicAlone = {
  prepare: makeTopic,
  end: removeTopic,
}

function javaProduce(durability: Durability, load: Omit<ProducerLoad, 'topic'>): Workload {
  const { records, recordBytes, acks, compression } = load
  const codec = compression === 'none' ? '' : `, ${compression}`
  return {
    ...topicAlone,
    name: `producer perf, ${recordBytes} B, acks=${acks}${codec}, ${durability}`,
    durability,
    unit: 'records/s',
    run: async (contender, topic) => {
      return { value: await producerPerf(contender, { ...load, topic }), records, recordBytes }
    },
  }
}

function javaConsume(recordBytes: number, records: number): Workload {
  return {
    ...topicAlone,
    name: `consumer perf, ${recordBytes} B`,
    durability: 'page-cache',
    unit: 'records/s',
    prepare: (contender, topic) => fill(contender, topic, recordBytes, records),
    run: async (contender, topic) => {
      return { value: await consumerPerf(contender, topic, records), records, recordBytes }
    },
  }
}

function lean(durability: Durability, recordBytes: number, batchBytes: number, records: number): Workload {
  return {
    ...topicAlone,
    name: `lean producer, ${recordBytes} B, batches of ${batchBytes / 1_024} KiB, ${durability}`,
    durability,
    unit: 'records/s',
    run: async (contender, topic) => {
      const value = await leanProduce(contender, { topic, recordBytes, batchBytes, records, acks: 1 })
      return { value, records, recordBytes }
    },
  }
}

function leanRead(recordBytes: number, records: number): Workload {
  return {
    ...topicAlone,
    name: `lean consumer, ${recordBytes} B`,
    durability: 'page-cache',
    unit: 'records/s',
    prepare: (contender, topic) => fill(contender, topic, recordBytes, records),
    run: async (contender, topic) => ({ value: await leanConsume(contender, topic, records), records, recordBytes }),
  }
}

function latency(durability: Durability, percentile: number, count: number): Workload {
  return {
    ...topicAlone,
    name: `end to end, p${percentile}, ${durability}`,
    durability,
    unit: 'ms',
    run: async (contender, topic) => {
      const sorted = await latencies(contender, topic, count)
      const value = sorted[Math.floor((sorted.length * percentile) / 100)] as number
      return { value, records: count, recordBytes: 100 }
    },
  }
}

async function fill(contender: Contender, topic: string, recordBytes: number, records: number): Promise<void> {
  await makeTopic(contender, topic)
  // Some more, so that the reader need not wait for the last ones.
  const more = records + records / 10
  await leanProduce(contender, { topic, recordBytes, batchBytes: 16_384, records: more, acks: 1 })
}
