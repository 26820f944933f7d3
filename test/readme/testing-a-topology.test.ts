import { StreamsBuilder, serde, topic } from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'
import { expect, it } from 'vitest'

const words = topic('words', { key: serde.string, value: serde.string })
const counts = topic('counts', { key: serde.string, value: serde.json<number>() })

it('counts words, and goes on counting after a restart', () => {
  const builder = new StreamsBuilder()
  const byWord = builder.stream(words).groupBy((word) => word, { key: serde.string })
  byWord.count({ store: 'by-word', value: counts.value }).toStream().to(counts)

  using driver = new TopologyTestDriver(builder.build())
  driver.input(words).pipe({ key: null, value: 'mill', timestamp: 1_000 })
  driver.restart()
  driver.input(words).pipe({ key: null, value: 'mill', timestamp: 2_000 })
  expect(driver.output(counts).readAll().at(-1)).toEqual({ key: 'mill', value: 2, timestamp: 2_000 })
  expect(driver.store('by-word').get('mill')?.value).toBe(2)
})
