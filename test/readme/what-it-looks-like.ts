import { run, StreamsBuilder, serde, TimeWindows, topic, untilWindowCloses } from 'millrace'

interface Reading {
  at: number
  celsius: number
}
interface Stats {
  count: number
  sum: number
}

const readings = topic('readings', { key: serde.string, value: serde.json<Reading>(), timestamp: (r) => r.at })
const minutes = topic('device-minutes', {
  key: serde.windowed(serde.string, { size: '1m' }),
  value: serde.json<Stats>(),
})

const builder = new StreamsBuilder()
builder
  .stream(readings)
  .filter((r) => r.celsius > -90)
  .groupByKey()
  .windowedBy(TimeWindows.of('1m').grace('30s'))
  .aggregate(
    (): Stats => ({ count: 0, sum: 0 }),
    (stats, reading) => ({ count: stats.count + 1, sum: stats.sum + reading.celsius }),
    { store: 'per-minute', value: serde.json<Stats>() },
  )
  .suppress(untilWindowCloses())
  .toStream()
  .to(minutes)

await using app = await run(builder.build(), { applicationId: 'iot', cluster: 'embedded:./data' })
await app.closed
