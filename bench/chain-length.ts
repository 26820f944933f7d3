import { connect, StreamsBuilder, serde, topic } from 'millrace'
import { runToEnd } from './application-run.ts'
import { numberEvents } from './events.ts'
import { fillTopic } from './filled-topic.ts'
import { decodeBatches } from './raw-batches.ts'
import { type Comparison, compare } from './rounds.ts'

const recordCount = 500_000
const rounds = 7

/** So many `mapValues` one after the other: what each further operator costs a record, its function included, against a loop that calls the same functions. */
export async function chainLength(length: number): Promise<Comparison> {
  const events = numberEvents(recordCount, 1_000)
  const connection = await connect('memory:')
  const input = topic('in', { key: serde.string, value: serde.float64 })
  const bytes = await fillTopic(connection, input.name, events)
  const steps = Array.from({ length }, (_, i) => stepOf(i))
  const sums = { hand: 0, ours: 0 }
  const result = await compare(
    `chain of ${length}`,
    () => {
      sums.hand = 0
      decodeBatches(bytes, 0, bytes.length, (_timestamp, _keyStart, _keyEnd, valueStart) => {
        let value = bytes.readDoubleBE(valueStart)
        for (let i = 0; i < steps.length; i++) value = (steps[i] as (value: number) => number)(value)
        sums.hand += value
      })
      return events.count
    },
    () => {
      sums.ours = 0
      const builder = new StreamsBuilder()
      let stream = builder.stream(input)
      for (const step of steps) stream = stream.mapValues((value) => step(value))
      stream.foreach((value) => {
        sums.ours += value
      })
      return runToEnd(connection, builder.build())
    },
    { rounds, note: 'mapValues one after the other, then foreach; hand: decodes and calls the same functions' },
  )
  await connection.close()
  if (sums.hand !== sums.ours) throw new Error(`the two sides make ${sums.hand} and ${sums.ours}`)
  return result
}

/** How many nanoseconds each further operator costs beside its function: the slope of what ours takes longer, by least squares. */
export function costOfStep(chains: ReadonlyMap<number, Comparison>): number {
  const points = [...chains].map(([length, { oursNs, handNs }]) => ({ length, ns: oursNs - handNs }))
  const meanLength = points.reduce((sum, { length }) => sum + length, 0) / points.length
  const meanNs = points.reduce((sum, { ns }) => sum + ns, 0) / points.length
  let above = 0
  let below = 0
  for (const { length, ns } of points) {
    above += (length - meanLength) * (ns - meanNs)
    below += (length - meanLength) ** 2
  }
  return above / below
}

function stepOf(i: number): (value: number) => number {
  return i % 2 === 0 ? (value) => value + i : (value) => value - i
}
