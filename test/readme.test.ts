import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TopologyTestDriver } from 'millrace/testing'
import { expect, it, vi } from 'vitest'
import { type RunOptions, serde, type Topology, topic } from '../src/index.ts'
import { root } from './source-files.ts'

/** What the sample hands to `run`, which would wait for ever. */
const started = vi.hoisted(() => [] as { topology: Topology; options: RunOptions }[])

vi.mock('millrace', async (importOriginal) => ({
  ...(await importOriginal<typeof import('millrace')>()),
  run: async (topology: Topology, options: RunOptions) => {
    started.push({ topology, options })
    return { closed: Promise.resolve(), [Symbol.asyncDispose]: async () => {} }
  },
}))

/** The files are checked by `tsc`, and the second is a test of its own. */
it.each(['what-it-looks-like.ts', 'testing-a-topology.test.ts'])('README.md shows %s as it is tested', (file) => {
  expect(samplesOfReadme()).toContain(withoutLayout(readFileSync(join(root, 'test/readme', file), 'utf8')))
})

it("gives one final result for each device and minute, in README.md's first sample", async () => {
  await import('./readme/what-it-looks-like.ts')
  const [{ topology, options }] = started
  expect(options).toEqual({ applicationId: 'iot', cluster: 'embedded:./data' })

  const readings = topic('readings', {
    key: serde.string,
    value: serde.json<{ at: number; celsius: number }>(),
    timestamp: (r) => r.at,
  })
  const minutes = topic('device-minutes', {
    key: serde.windowed(serde.string, { size: '1m' }),
    value: serde.json<{ count: number; sum: number }>(),
  })
  using driver = new TopologyTestDriver(topology)
  const input = driver.input(readings)
  const output = driver.output(minutes)
  input.pipe({ key: 'boiler', value: { at: 1_000, celsius: 20 } })
  input.pipe({ key: 'boiler', value: { at: 61_000, celsius: 30 } })
  input.pipe({ key: 'boiler', value: { at: 59_000, celsius: 22 } })
  input.pipe({ key: 'boiler', value: { at: 58_000, celsius: -99 } })
  expect(output.isEmpty).toBe(true)
  input.pipe({ key: 'boiler', value: { at: 90_000, celsius: 31 } })
  expect(output.readAll()).toEqual([
    { key: { key: 'boiler', window: { start: 0, end: 60_000 } }, value: { count: 2, sum: 42 }, timestamp: 59_000 },
  ])
  expect(driver.store('per-minute').get('boiler', 60_000)?.value).toEqual({ count: 2, sum: 61 })
})

function samplesOfReadme(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => withoutLayout(match[1]))
}

/** The README sets short interfaces on one line, the formatter of the tests does not. */
function withoutLayout(code: string): string {
  return code.replaceAll(/[\s;]+/g, ' ').trim()
}
